/**
 * Starting and ending: parents own their children and close them newest first.
 * Never swallows a failure: what one `close` throws does not keep the others from closing.
 */

/** Something that ends at once or in a while. */
export interface Closable {
  close(): void | Promise<void>;
}

/** Closes everything in the given order, even if one fails. @throws the one failure, or all of them as an AggregateError. */
export async function closeAll(resources: readonly Closable[]): Promise<void> {
  const failures: unknown[] = [];
  for (const resource of resources) {
    try {
      await resource.close();
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length === 1) throw failures[0];
  if (failures.length > 1) throw new AggregateError(failures, 'several resources failed to close');
}

/** A promise that somebody else settles. Settling it twice does nothing. */
export class Deferred<T> {
  readonly promise: Promise<T>;
  resolve!: (value: T) => void;
  reject!: (error: unknown) => void;

  constructor() {
    this.promise = new Promise<T>((resolve, reject) => {
      this.resolve = resolve;
      this.reject = reject;
    });
  }
}
