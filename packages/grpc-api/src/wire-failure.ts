/** Failures inside answers: a code by name in the house, by number on the wire. */
import { ERRORS, type ErrorCode, errorCodeOf, type MillraceError } from '@millrace/core';
import type { Failure as WireFailure } from '@millrace/protocol';

/** The house's failures, as packages broker and metadata declare them. */
export interface Failure {
  readonly code: ErrorCode;
  readonly message: string;
}

export function toWireFailure(failure: Failure | undefined): WireFailure | undefined {
  return failure && { code: ERRORS[failure.code].wire, message: failure.message };
}

export function fromWireFailure(failure: WireFailure | undefined): Failure | undefined {
  return failure && { code: errorCodeOf(failure.code), message: failure.message };
}

export function wireFailureOf(error: MillraceError): WireFailure {
  return { code: ERRORS[error.code].wire, message: error.message };
}

type Swapped<Item, To> = Omit<Item, 'failure'> & { readonly failure?: To | undefined };

/** The same items with their failures as numbers; usually none has one, and they are passed on as they are. */
export function toWireFailures<Item extends { readonly failure?: Failure | undefined }>(
  items: readonly Item[],
): readonly Swapped<Item, WireFailure>[] {
  if (!items.some(hasFailure)) return items as readonly Swapped<Item, WireFailure>[];
  return items.map((item) => ({ ...item, failure: toWireFailure(item.failure) }));
}

/** The same items with their failures by name; an item that succeeded has none. */
export function fromWireFailures<Item extends { readonly failure?: WireFailure | undefined }>(
  items: readonly Item[],
): readonly Swapped<Item, Failure>[] {
  if (!items.some(hasFailure)) return items as readonly Swapped<Item, Failure>[];
  return items.map((item) => ({ ...item, failure: fromWireFailure(item.failure) }));
}

function hasFailure({ failure }: { readonly failure?: unknown }): boolean {
  return failure !== undefined;
}
