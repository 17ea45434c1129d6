/** What is asked about offsets: the first, the last, by time, where an epoch ended; and the deletion of records. */
import { EARLIEST_TIMESTAMP, type PartitionOffset } from '@millrace/broker';
import type { Handlers, Surroundings } from './handler.ts';
import { byTopic, eachByTopic, errorByName, flatten, refuseNamedTwice } from './topic-answers.ts';
import { NO_ERROR, wireError } from './wire-error.ts';

const MAX_TIMESTAMP_FROM_VERSION = 7;
const LEADER_EPOCH_FROM_VERSION = 4;
const EARLIEST_LOCAL_TIMESTAMP = -4;
const LATEST_TIERED_TIMESTAMP = -5;

type OffsetHandlers = Pick<Handlers, 'listOffsets' | 'offsetForLeaderEpoch' | 'deleteRecords'>;

export function offsetHandlers(around: Surroundings): OffsetHandlers {
  return {
    listOffsets: listOffsets(around),
    offsetForLeaderEpoch: offsetForLeaderEpoch(around),
    deleteRecords: deleteRecords(around),
  };
}

/** The lowest version that knows a special timestamp; Infinity for what no version knows. */
function versionOf(timestamp: number): number {
  if (timestamp >= EARLIEST_TIMESTAMP) return 0;
  return timestamp < LATEST_TIERED_TIMESTAMP ? Infinity : MAX_TIMESTAMP_FROM_VERSION - 3 - timestamp;
}

/** All of a log is local here, and none of it elsewhere. */
function timestampHere(timestamp: number): number {
  return timestamp === EARLIEST_LOCAL_TIMESTAMP ? EARLIEST_TIMESTAMP : timestamp;
}

function listOffsets({ broker }: Surroundings): Handlers['listOffsets'] {
  const answered = (partitionIndex: number, { failure, ...found }: PartitionOffset, version: number) => ({
    partitionIndex,
    errorCode: errorByName(failure),
    timestamp: found.timestamp,
    offset: found.offset,
    ...(version >= LEADER_EPOCH_FROM_VERSION && { leaderEpoch: found.leaderEpoch }),
  });
  return {
    handle: async ({ topics }, { version, clientId }) => {
      refuseNamedTwice(topics, ({ partitionIndex }) => partitionIndex);
      const isForBroker = ({ timestamp }: { timestamp: number }): boolean =>
        timestamp !== LATEST_TIERED_TIMESTAMP && versionOf(timestamp) <= version;
      const known = topics.map(({ name, partitions }) => ({
        name,
        partitions: partitions.filter(isForBroker),
      }));
      const questions = flatten(broker.image(), known, (topicId, asked) => ({
        topicId,
        partition: asked.partitionIndex,
        leaderEpoch: asked.currentLeaderEpoch,
        timestamp: timestampHere(asked.timestamp),
      }));
      const { partitions: found } = await broker.listOffsets({
        timeoutMs: 0,
        clientId,
        partitions: questions,
      });
      let next = 0;
      return {
        topics: eachByTopic(topics, (asked) => {
          const { partitionIndex, timestamp } = asked;
          if (isForBroker(asked)) return answered(partitionIndex, found[next++]!, version);
          const errorCode = versionOf(timestamp) <= version ? NO_ERROR : wireError('UNSUPPORTED_VERSION');
          return { partitionIndex, errorCode, timestamp: -1, offset: -1, leaderEpoch: -1 };
        }),
      };
    },
    refuse: ({ topics }, { code }) => ({
      topics: eachByTopic(topics, ({ partitionIndex }) => ({
        partitionIndex,
        errorCode: wireError(code),
      })),
    }),
  };
}

function offsetForLeaderEpoch({ broker }: Surroundings): Handlers['offsetForLeaderEpoch'] {
  const renamed = <T>(topics: readonly { readonly topic: string; readonly partitions: readonly T[] }[]) =>
    topics.map(({ topic, partitions }) => ({ name: topic, partitions }));
  const named = <T>(topics: readonly { name: string; partitions: T[] }[]) =>
    topics.map(({ name, partitions }) => ({ topic: name, partitions }));
  return {
    handle: async ({ topics }, { clientId }) => {
      refuseNamedTwice(renamed(topics), ({ partition }) => partition);
      const questions = flatten(broker.image(), renamed(topics), (topicId, asked) => ({ topicId, ...asked }));
      const answers = await broker.offsetForLeaderEpoch({ timeoutMs: 0, clientId, partitions: questions });
      return {
        topics: named(
          byTopic(
            renamed(topics),
            answers.partitions,
            ({ partition }, { failure, leaderEpoch, endOffset }) => ({
              errorCode: errorByName(failure),
              partition,
              leaderEpoch,
              endOffset,
            }),
          ),
        ),
      };
    },
    refuse: ({ topics }, { code }) => ({
      topics: named(
        eachByTopic(renamed(topics), ({ partition }) => ({ errorCode: wireError(code), partition })),
      ),
    }),
  };
}

function deleteRecords({ broker }: Surroundings): Handlers['deleteRecords'] {
  return {
    handle: async ({ topics, timeoutMs }, { clientId }) => {
      refuseNamedTwice(topics, ({ partitionIndex }) => partitionIndex);
      const partitions = flatten(broker.image(), topics, (topicId, { partitionIndex, offset }) => ({
        topicId,
        partition: partitionIndex,
        beforeOffset: offset,
      }));
      const answers = await broker.deleteRecords({ timeoutMs: Math.max(timeoutMs, 0), clientId, partitions });
      return {
        topics: byTopic(topics, answers.partitions, ({ partitionIndex }, { failure, lowWatermark }) => ({
          partitionIndex,
          lowWatermark,
          errorCode: errorByName(failure),
        })),
      };
    },
    refuse: ({ topics }, { code }) => ({
      topics: eachByTopic(topics, ({ partitionIndex }) => ({
        partitionIndex,
        lowWatermark: -1,
        errorCode: wireError(code),
      })),
    }),
  };
}
