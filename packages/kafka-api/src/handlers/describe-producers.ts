/** DescribeProducers: the idempotent producers that a replica remembers. */
import type { Handler, Surroundings } from './handler.ts';
import { byTopic, eachByTopic, errorByName, flatten } from './topic-answers.ts';
import { wireError } from './wire-error.ts';

/** Of what only transactions have. */
const NONE = -1;

export function describeProducersHandler({ broker }: Surroundings): Handler<'describeProducers'> {
  // Each partition once, however often it is named: it may have thousands of producers.
  const asked = (
    topics: readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[],
  ) => {
    const indexes = new Map<string, Set<number>>();
    for (const { name, partitionIndexes } of topics) {
      const known = indexes.get(name);
      if (known === undefined) indexes.set(name, new Set(partitionIndexes));
      else for (const index of partitionIndexes) known.add(index);
    }
    return Array.from(indexes, ([name, partitions]) => ({ name, partitions: [...partitions] }));
  };
  return {
    handle: async ({ topics }, { clientId }) => {
      const partitions = flatten(broker.image(), asked(topics), (topicId, partition) => ({
        topicId,
        partition,
      }));
      const found = await broker.describeProducers({ timeoutMs: 0, clientId, partitions });
      return {
        topics: byTopic(asked(topics), found.partitions, (partitionIndex, { failure, producers }) => ({
          partitionIndex,
          errorCode: errorByName(failure),
          errorMessage: failure?.message ?? null,
          activeProducers: producers.map((producer) => ({
            ...producer,
            coordinatorEpoch: NONE,
            currentTxnStartOffset: NONE,
          })),
        })),
      };
    },
    refuse: ({ topics }, { code, message }) => ({
      topics: eachByTopic(asked(topics), (partitionIndex) => ({
        partitionIndex,
        errorCode: wireError(code),
        errorMessage: message,
        activeProducers: [],
      })),
    }),
  };
}
