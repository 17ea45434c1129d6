/** Several items of one command: those that work are shown, then the first failure ends the command. */

export interface Settled<T> {
  readonly done: readonly T[];
  readonly failures: readonly unknown[];
}

/** Runs `work` for each item, one after another: what was done is clear when one of them fails. */
export async function settleEach<Item, T>(
  items: readonly Item[],
  work: (item: Item) => Promise<T>,
): Promise<Settled<T>> {
  const done: T[] = [];
  const failures: unknown[] = [];
  for (const item of items) {
    try {
      done.push(await work(item));
    } catch (error) {
      failures.push(error);
    }
  }
  return { done, failures };
}

/** @throws the one failure, or all as an AggregateError; nothing if there is none. */
export function throwFailures(thrown: readonly unknown[]): void {
  const failures = thrown.flatMap((each): unknown[] =>
    each instanceof AggregateError ? each.errors : [each],
  );
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, `${failures.length} items failed`);
}
