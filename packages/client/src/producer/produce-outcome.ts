/**
 * What to do with a batch after an answer. Pure. The one rule behind all of them: a batch that may have been
 * written is only ever sent again under the same sequence, where the broker recognises it; a batch that
 * certainly was not may be sent anew. Sources: KIP-98, KIP-360, KAFKA-14034.
 */
import { type ErrorCode, MillraceError } from '@millrace/core';

export type ProduceVerdict =
  /** Written before; the offset is not remembered. */
  | 'duplicate'
  /** Again, under the same sequence. */
  | 'retry'
  /** Again, and it is certain now that no attempt wrote it. */
  | 'unwritten'
  /** Again, under a new epoch, in which sequences start at 0. */
  | 'renew'
  /** Give it up: nobody will ever know. */
  | 'doubt'
  /** Give it up. */
  | 'fail';

export interface BatchFacts {
  readonly isIdempotent: boolean;
  /** An earlier attempt ended without word. */
  readonly mayBeWritten: boolean;
  /** An earlier batch of the partition has no result yet. */
  readonly isBehindUnanswered: boolean;
  /** An earlier batch of the partition failed: certainly not written, or perhaps. */
  readonly gapBefore: 'none' | 'certain' | 'uncertain';
}

export function judge({ code, retriable }: MillraceError, facts: BatchFacts): ProduceVerdict {
  const { isIdempotent, mayBeWritten, isBehindUnanswered, gapBefore } = facts;
  if (!isIdempotent) return retriable ? 'retry' : 'fail';
  switch (code) {
    case 'DUPLICATE_SEQUENCE_NUMBER':
      // Of a batch that was never sent before, the broker cannot have a first copy: what it has is something else.
      if (mayBeWritten) return 'duplicate';
      break;
    case 'OUT_OF_ORDER_SEQUENCE_NUMBER':
      // Without the one before it this one cannot have been taken, and never is answered so if it was.
      if (mayBeWritten && gapBefore === 'certain') return 'unwritten';
      break;
    case 'UNKNOWN_PRODUCER_ID':
    case 'INVALID_PRODUCER_EPOCH':
      break;
    default:
      return retriable ? 'retry' : 'fail';
  }
  if (isBehindUnanswered) return 'retry';
  if (gapBefore !== 'none') return mayBeWritten ? 'doubt' : 'retry';
  // The broker lost sight of this producer. Sending it anew could write it twice if it may be there already.
  return mayBeWritten ? 'fail' : 'renew';
}

/** Refusals made before anything is written: whatever they answer is certainly not in the log. */
const REFUSALS: ReadonlySet<string> = new Set([
  'CORRUPT_MESSAGE',
  'DUPLICATE_SEQUENCE_NUMBER',
  'INVALID_PRODUCER_EPOCH',
  'INVALID_RECORD',
  'INVALID_REQUEST',
  'INVALID_REQUIRED_ACKS',
  'INVALID_TIMESTAMP',
  'MESSAGE_TOO_LARGE',
  'NODE_OVERLOADED',
  'NOT_ENOUGH_REPLICAS',
  'OUT_OF_ORDER_SEQUENCE_NUMBER',
  'POLICY_VIOLATION',
  'UNKNOWN_LEADER_EPOCH',
  'UNKNOWN_PRODUCER_ID',
  'UNKNOWN_TOPIC_ID',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'UNSUPPORTED_COMPRESSION_TYPE',
  'UNSUPPORTED_FOR_MESSAGE_FORMAT',
]);

/** What ends a stream and would end every other one to this cluster. */
const FINAL: ReadonlySet<ErrorCode> = new Set(['INCONSISTENT_CLUSTER_ID', 'UNSUPPORTED_VERSION']);

/**
 * What the end of a stream means for requests that were under way on it: one of them may be its cause, the others may
 * have been written, so its code is no answer to any of them.
 */
export function errorOfLostStream(cause: MillraceError): MillraceError {
  if (FINAL.has(cause.code) || (cause.retriable && !isRefusal(cause))) return cause;
  return new MillraceError('NETWORK_EXCEPTION', `the stream ended: ${cause.message}`, { cause });
}

export function isRefusal({ code }: MillraceError): boolean {
  return REFUSALS.has(code);
}
