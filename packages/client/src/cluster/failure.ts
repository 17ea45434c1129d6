/** Failures on the wire as errors. Pure. */
import { errorCodeOf, MillraceError } from '@millrace/core';
import type { Failure } from '@millrace/protocol';

export function errorOfFailure({ code, message }: Failure, context?: string): MillraceError {
  const known = errorCodeOf(code);
  const text = message === '' ? new MillraceError(known).help : message;
  return new MillraceError(known, context === undefined ? text : `${context}: ${text}`);
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
