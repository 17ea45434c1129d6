/** Replication streams between brokers of a partition world. Answers are copied: a follower's bytes are its own. */
import type {
  Broker,
  ReplicaChannel,
  ReplicaFetchRequest,
  ReplicaFetchResponse,
  ReplicaStream,
} from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import type { SimLife } from '../world/sim-process.ts';
import type { MessageStreams, StreamEnd, StreamHandlers } from './message-streams.ts';

export interface ReplicaHello {
  readonly replicaId: number;
}

/** Sees, and may change, every answer before the follower does. For scripted scenarios. */
export type AnswerFilter = (response: ReplicaFetchResponse, from: string, to: string) => ReplicaFetchResponse;

export function simReplicaChannel(
  streams: MessageStreams,
  life: SimLife,
  replicaId: number,
  filter?: AnswerFilter,
): ReplicaChannel {
  return {
    connect: ({ host }): ReplicaStream => {
      let onResponse: (response: ReplicaFetchResponse) => void = () => {};
      let onClosed: (error: MillraceError) => void = () => {};
      let isClosed = false;
      const hello: ReplicaHello = { replicaId };
      const end = streams.connect(life, host, hello, {
        onMessage: (message) => {
          const response = copyOf(message as ReplicaFetchResponse);
          onResponse(filter === undefined ? response : filter(response, host, life.process.name));
        },
        onClosed: () => onClosed(new MillraceError('NETWORK_EXCEPTION')),
      });
      if (end === undefined) {
        life.clock.schedule(1, () => {
          if (!isClosed) onClosed(new MillraceError('CONNECTION_FAILED'));
        });
      }
      return {
        send: (request) => end?.send(request),
        onResponse: (handler) => {
          onResponse = handler;
        },
        onClosed: (handler) => {
          onClosed = handler;
        },
        close: () => {
          isClosed = true;
          end?.close();
        },
      };
    },
  };
}

/** The leader's end. `violated` hears of an answer for an epoch that the follower never asked for on this stream (P16). */
export function replicaSession(
  broker: Broker,
  end: StreamEnd,
  { replicaId }: ReplicaHello,
  violated: (text: string) => void,
): StreamHandlers {
  const session = broker.replicaFetchSession(replicaId);
  const asked = new Set<string>();
  const judge = ({ partitions }: ReplicaFetchResponse): void => {
    for (const { topicId, partition, leaderEpoch, failure } of partitions) {
      if (failure !== undefined || asked.has(`${topicId}-${partition} ${leaderEpoch}`)) continue;
      violated(
        `invariant 30 one-leader-per-leader-epoch: broker ${broker.nodeId} serves ${replicaId} in epoch ${leaderEpoch} ` +
          `of ${topicId}-${partition}, which it did not ask for`,
      );
    }
  };
  return {
    onMessage: (message) => {
      const request = message as ReplicaFetchRequest;
      for (const { topicId, partition, currentLeaderEpoch } of request.positions) {
        asked.add(`${topicId}-${partition} ${currentLeaderEpoch}`);
      }
      void session.handle(request)?.then((response) => {
        judge(response);
        end.send(response);
      });
    },
    onClosed: () => session.close(),
  };
}

function copyOf(response: ReplicaFetchResponse): ReplicaFetchResponse {
  return {
    ...response,
    partitions: response.partitions.map((fetched) => ({ ...fetched, records: Buffer.from(fetched.records) })),
  };
}
