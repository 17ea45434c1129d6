/** Commits offsets of a group without being a member of it: for operators. One commit, one stream. */
import { Deferred, MillraceError, toMillraceError } from '@millrace/core';
import {
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  groupService,
  type OffsetToCommit,
} from '@millrace/protocol';
import { backoffMs } from '../cluster/backoff.ts';
import { pause, withLimits } from '../cluster/cancellation.ts';
import type { Cluster, RequestLimits } from '../cluster/cluster.ts';
import { errorOfFailure } from '../cluster/failure.ts';
import { RequestStream } from '../cluster/request-stream.ts';
import type { CallOptions, Connection } from '../cluster/transport.ts';

/**
 * The coordinator's answer for each offset. To commit twice does no harm, so what was lost is sent again.
 *
 * @throws {MillraceError} the refusal of the commit as a whole, or the last failure.
 */
export async function commitAsOperator(
  cluster: Cluster,
  groupId: string,
  offsets: readonly OffsetToCommit[],
  { timeoutMs = cluster.config.requestTimeoutMs, signal }: RequestLimits,
): Promise<CommitOffsetsResponse> {
  const { clock, config, coordinators, random } = cluster;
  const deadlineMs = clock.nowMs() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    const limits = { timeoutMs: Math.max(1, deadlineMs - clock.nowMs()), ...(signal && { signal }) };
    const connection = await coordinators.connectionTo(groupId, limits);
    const address = coordinators.addressOf(groupId);
    const result = await commitOnce(cluster, connection, { groupId, offsets }, limits);
    if (!(result instanceof MillraceError)) return result;
    if (address !== undefined) coordinators.learn(groupId, address, result);
    const waitMs = backoffMs(attempt, config, random);
    if (!result.retriable || clock.nowMs() + waitMs >= deadlineMs) throw result;
    await pause(clock, waitMs, signal);
  }
}

async function commitOnce(
  cluster: Cluster,
  connection: Connection,
  { groupId, offsets }: { readonly groupId: string; readonly offsets: readonly OffsetToCommit[] },
  limits: CallOptions,
): Promise<CommitOffsetsResponse | MillraceError> {
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
    return response.failure === undefined ? response : errorOfFailure(response.failure, `group ${groupId}`);
  } catch (thrown) {
    const error = toMillraceError(thrown);
    stream.reset(error);
    return error;
  }
}
