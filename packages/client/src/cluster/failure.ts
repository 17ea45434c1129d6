/** Failures on the wire as errors. Pure. */
import { errorCodeOf, MillraceError } from '@millrace/core';
import type { Failure } from '@millrace/protocol';

/** @param context what it is about, such as `topic orders`; put before a message that does not name it. */
export function errorOfFailure({ code, message }: Failure, context?: string): MillraceError {
  const known = errorCodeOf(code);
  const text = message === '' ? new MillraceError(known).help : message;
  const isTold = context === undefined || text.includes(context) || text.includes(quoted(context));
  return new MillraceError(known, isTold ? text : `${context}: ${text}`);
}

/** `topic orders` as servers also write it: `topic "orders"`. */
function quoted(context: string): string {
  return context.replace(/ (.+)$/, ' "$1"');
}

export function noSuchPartition(topic: string, partition: number, count: number): MillraceError {
  const text = `topic ${topic} has partitions 0 to ${count - 1}, not ${partition}`;
  return new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', text);
}

/** Nothing, the one error, or all of them together. */
export function throwAll(errors: readonly MillraceError[]): void {
  if (errors.length === 1) throw errors[0];
  if (errors.length > 1) {
    throw new AggregateError(errors, errors.map((error) => error.message).join('; '));
  }
}
