/** Failures inside answers, as data. An adapter turns `code` into a number; nobody branches on `message`. */
import { ERRORS, type ErrorCode, toMillraceError } from '@millrace/core';

export interface Failure {
  readonly code: ErrorCode;
  /** For people. */
  readonly message: string;
}

/** The failure for a code; its table text unless `message` says more. */
export function failure(code: ErrorCode, message: string = ERRORS[code].help): Failure {
  return { code, message };
}

/** Any thrown value as a failure. */
export function failureOf(error: unknown): Failure {
  const { code, message } = toMillraceError(error);
  return { code, message };
}
