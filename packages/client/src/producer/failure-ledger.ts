/** Counts failed records whose result nobody asked for, so that `flush` and `close` can tell. Pure. */
import { MillraceError } from '@millrace/core';

export class FailureLedger {
  #count = 0;
  #first: MillraceError | undefined;

  add(count: number, error: MillraceError): void {
    if (count === 0) return;
    this.#count += count;
    this.#first ??= error;
  }

  /** Somebody asked for a failed result after all. */
  forgive(): void {
    if (this.#count > 0) this.#count--;
  }

  /** Starts over. @throws {MillraceError} with the code of the first failure, if there was one. */
  settle(): void {
    const count = this.#count;
    const first = this.#first;
    this.#count = 0;
    this.#first = undefined;
    if (count === 0 || first === undefined) return;
    const records = count === 1 ? '1 record was' : `${count} records were`;
    throw new MillraceError(first.code, `${records} not written: ${first.message}`, { cause: first });
  }
}
