/**
 * Programmer errors: a broken invariant stops the process with the state that broke it.
 * Never used for anything that input, disks or networks can cause; those are `MillraceError`.
 */

/** A promise of the code to itself that did not hold. Nobody catches it: the process ends. */
export class InvariantError extends Error {
  override readonly name = 'InvariantError';
  readonly state: Readonly<Record<string, unknown>>;

  constructor(message: string, state: Readonly<Record<string, unknown>> = {}) {
    super(`${message} ${describe(state)}`);
    this.state = state;
  }
}

/** @throws {InvariantError} unless `condition` holds. `state` is printed with the failure. */
export function invariant(
  condition: unknown,
  message: string,
  state?: Readonly<Record<string, unknown>>,
): asserts condition {
  if (!condition) throw new InvariantError(message, state);
}

/** Fails to compile when a union has a member that the code before does not handle. */
export function assertNever(value: never): never {
  throw new InvariantError('unhandled case', { value });
}

function describe(state: Readonly<Record<string, unknown>>): string {
  return JSON.stringify(state, (_key, value: unknown) => (typeof value === 'bigint' ? `${value}n` : value));
}
