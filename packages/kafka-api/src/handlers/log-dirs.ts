/** DescribeLogDirs: how large a broker's disk is, how much of it replicas take, and how far each is behind. */
import type { Handler, Surroundings } from './handler.ts';
import { NO_ERROR, wireError, wireErrorOf } from './wire-error.ts';

export function logDirsHandler({ broker }: Surroundings): Handler<'describeLogDirs'> {
  return {
    handle: async ({ topics }, { clientId }) => {
      const asked = topics?.flatMap(({ topic, partitions }) =>
        partitions.map((partition) => ({ topic, partition })),
      );
      const { directories } = await broker.describeLogDirs({ timeoutMs: 0, clientId, partitions: asked });
      return {
        errorCode: NO_ERROR,
        results: directories.map(({ path, failure, totalBytes, usableBytes, replicas }) => ({
          errorCode: wireErrorOf(failure),
          logDir: path,
          totalBytes,
          usableBytes,
          topics: Array.from(grouped(replicas), ([name, ofTopic]) => ({
            name,
            partitions: ofTopic.map(({ partition, sizeBytes, offsetLag }) => ({
              partitionIndex: partition,
              partitionSize: sizeBytes,
              offsetLag,
              isFutureKey: false,
            })),
          })),
        })),
      };
    },
    refuse: (_request, { code }) => ({ errorCode: wireError(code), results: [] }),
  };
}

/** By topic, in the order in which topics come first. */
export function grouped<T extends { readonly topic: string }>(items: readonly T[]): Map<string, T[]> {
  const topics = new Map<string, T[]>();
  for (const item of items) {
    const known = topics.get(item.topic);
    if (known === undefined) topics.set(item.topic, [item]);
    else known.push(item);
  }
  return topics;
}
