/** What every request carries besides its content, in and out. */
import { MillraceError } from '@millrace/core';
import type { CallContext, RequestHeader } from '@millrace/protocol';

/** @throws {MillraceError} INCONSISTENT_CLUSTER_ID if the request names another cluster. */
export function checkCluster(header: RequestHeader, clusterId: string): void {
  if (header.clusterId === '' || header.clusterId === clusterId) return;
  const message = `the request is for cluster ${header.clusterId}, this is cluster ${clusterId}`;
  throw new MillraceError('INCONSISTENT_CLUSTER_ID', message);
}

/**
 * Two metadata quorums under one cluster id: a broker must not get from one to the other.
 * @throws {MillraceError} NOT_CONTROLLER if both quorums are known and differ.
 */
export function checkQuorum(wanted: string, own: string): void {
  if (wanted === '' || own === '' || wanted === own) return;
  const message = `the broker belongs to metadata quorum ${wanted}, this controller to ${own}`;
  throw new MillraceError('NOT_CONTROLLER', message);
}

/** @throws {MillraceError} REQUEST_TIMED_OUT if the caller gave up already: under load requests come late. */
export function checkAwaited({ timeLeftMs, signal }: Pick<CallContext, 'timeLeftMs' | 'signal'>): void {
  if (timeLeftMs !== 0 && !signal.aborted) return;
  throw new MillraceError('REQUEST_TIMED_OUT', 'nobody waits for the answer any more; nothing was done');
}

/** The house's RequestContext. */
export function contextOf(header: RequestHeader): { readonly timeoutMs: number; readonly clientId: string } {
  return { timeoutMs: header.timeoutMs, clientId: header.clientId };
}

/** Headers for the requests that a node itself makes. */
export function nodeHeader(
  clusterId: string,
  clientId: string,
  timeoutMs = 0,
  correlationId = 0,
  quorumId = '',
): RequestHeader {
  return { correlationId, timeoutMs, clientId, clusterId, quorumId };
}
