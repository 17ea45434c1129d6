/** Commits offsets of a group without being a member of it: for operators. One commit, one stream. */
import { Deferred, MillraceError, toMillraceError } from '@millrace/core';
import {
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  groupService,
  type OffsetToCommit,
} from '@millrace/protocol';
import { withLimits } from '../cluster/cancellation.ts';
import type { Cluster, RequestLimits } from '../cluster/cluster.ts';
import { RequestStream } from '../cluster/request-stream.ts';
import type { CallOptions, Connection } from '../cluster/transport.ts';

/**
 * The coordinator's answer for each offset. To commit twice does no harm, so what was lost is sent again.
 *
 * @throws {MillraceError} the refusal of the commit as a whole, or the last failure.
 */
export function commitAsOperator(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  limits: RequestLimits,
): Promise<CommitOffsetsResponse> {
  return cluster.coordinators.ask(
    groupId,
    (connection, attempt) => commitOnce(cluster, connection, { groupId, offsets }, attempt),
    {},
    limits,
  );
}

async function commitOnce(
  cluster: Cluster,
  connection: Connection,
  { groupId, offsets }: { readonly groupId: string; readonly offsets: readonly OffsetToCommit[] },
  limits: CallOptions,
): Promise<CommitOffsetsResponse> {
  const answered = new Deferred<CommitOffsetsResponse>();
  const stream = new RequestStream<CommitOffsetsRequest, CommitOffsetsResponse, string>(
    connection,
    groupService.commitOffsets,
    {
      onAnswer: (_, response) => answered.resolve(response),
      onLost: (_, error) => answered.reject(error),
      onRoom: () => {},
    },
  );
  try {
    stream.send(
      groupId,
      (correlationId) => ({
        header: cluster.header(correlationId, limits.timeoutMs),
        groupId,
        memberId: '',
        memberEpoch: -1,
        offsets,
      }),
      true,
    );
    const timedOut = (): MillraceError =>
      new MillraceError('REQUEST_TIMED_OUT', `group ${groupId}: the coordinator did not answer the commit`);
    const response = await withLimits(answered.promise, limits, cluster.clock, timedOut);
    void stream.close();
    return response;
  } catch (error) {
    stream.reset(toMillraceError(error));
    throw error;
  }
}
