/**
 * Numbers of failures as Kafka's clients know them. Most codes carry Kafka's own; ours, from 1000 on, are said here in
 * the words that make a client do the right thing: ask again, look for the leader again, or give up.
 */
import { ERRORS, type ErrorCode } from '@millrace/core';

export const NO_ERROR = 0;
/** No error of ours. */
export const CLUSTER_AUTHORIZATION_FAILED = 31;

const KAFKA_NUMBERS_END = 1_000;

const STAND_INS: Partial<Readonly<Record<ErrorCode, ErrorCode>>> = {
  CANCELLED: 'REQUEST_TIMED_OUT',
  CLOSED: 'LEADER_NOT_AVAILABLE',
  CONNECTION_FAILED: 'NETWORK_EXCEPTION',
  // Asked again after a pause by every client, and refused before anything was written.
  NODE_OVERLOADED: 'NOT_ENOUGH_REPLICAS',
  LOG_DAMAGED: 'KAFKA_STORAGE_ERROR',
  DISK_FULL: 'KAFKA_STORAGE_ERROR',
  QUORUM_UNAVAILABLE: 'REQUEST_TIMED_OUT',
  NODE_NOT_SERVING: 'LEADER_NOT_AVAILABLE',
};

/** @returns a number from Kafka's table. */
export function wireError(code: ErrorCode): number {
  const { wire } = ERRORS[STAND_INS[code] ?? code];
  return wire < KAFKA_NUMBERS_END ? wire : ERRORS.UNKNOWN_SERVER_ERROR.wire;
}

/** Of an outcome that has a failure or none. */
export function wireErrorOf(failure: { readonly code: ErrorCode } | undefined): number {
  return failure === undefined ? NO_ERROR : wireError(failure.code);
}

/**
 * As `wireErrorOf`, for what a group's coordinator answers. Its clients know one way to be told "not now": they look for
 * the coordinator again and ask again. Anything else that Kafka's coordinator never says ends them.
 */
export function coordinatorErrorOf(failure: { readonly code: ErrorCode } | undefined): number {
  if (failure === undefined) return NO_ERROR;
  const { wire } = ERRORS[failure.code];
  const isNotNow = wire >= KAFKA_NUMBERS_END || failure.code === 'REQUEST_TIMED_OUT';
  return isNotNow ? ERRORS.COORDINATOR_NOT_AVAILABLE.wire : wire;
}
