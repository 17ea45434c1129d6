/** A fake cluster with a topic, and consumers in a group over it. For this package's tests only. */
import { type Logger, silentLogger } from '@millrace/core';
import { buildBatch } from '@millrace/records';
import type { Consumer } from '../consumer/consumer.ts';
import type { ConsumerOptions, ConsumerRecord } from '../consumer/consumer-record.ts';
import type { GroupCallbacks } from '../group/group-shapes.ts';
import type { FakeCoordinator } from './fake-coordinator.ts';
import { type Fixture, fixture } from './fixture.ts';

export interface GroupFixture extends Fixture {
  readonly group: FakeCoordinator;
  /** Appends records `p<partition>-<offset>`. */
  fill(partition: number, count: number): void;
  consumer(options?: ConsumerOptions): Consumer;
  /** What callbacks were told: `assigned t-0,t-1`. */
  readonly told: string[];
  /** What the log says: `event: message`. */
  readonly warnings: string[];
  callbacks(name?: string): GroupCallbacks;
}

export function groupFixture({ partitions = 2, seed = 1 } = {}): GroupFixture {
  const warnings: string[] = [];
  const logger: Logger = {
    ...silentLogger,
    warn: (fields, message) =>
      void warnings.push(`${(fields as { readonly event: string }).event}: ${message}`),
  };
  const base = fixture({ seed, logger });
  const { cluster, millrace } = base;
  cluster.createTopic('t', partitions);
  const group = cluster.group('g');
  group.heartbeatIntervalMs = 50;
  const told: string[] = [];
  return {
    ...base,
    group,
    told,
    warnings,
    fill(partition, count) {
      const log = cluster.partition('t', partition);
      for (let i = 0; i < count; i++) {
        const offset = log.endOffset;
        log.append(buildBatch([{ timestamp: 1000 + offset, value: Buffer.from(`p${partition}-${offset}`) }]));
      }
      cluster.wakeFetches();
    },
    consumer: (options = {}) =>
      millrace.consumer({
        groupId: 'g',
        autoOffsetReset: 'earliest',
        fetchMaxWaitMs: 20,
        autoCommitIntervalMs: 100_000,
        ...options,
      }),
    callbacks: (name = '') => ({
      onAssigned: (list) => void told.push(`${name}assigned ${named(list)}`),
      onRevoked: (list) => void told.push(`${name}revoked ${named(list)}`),
      onLost: (list) => void told.push(`${name}lost ${named(list)}`),
      onError: ({ code }) => void told.push(`${name}error ${code}`),
      onStalled: ({ handler, record }) =>
        void told.push(
          `${name}stalled ${handler} ${record === undefined ? '-' : `${record.topic}-${record.partition}@${record.offset}`}`,
        ),
    }),
  };
}

export function named(partitions: readonly { readonly topic: string; readonly partition: number }[]): string {
  return partitions.map(({ topic, partition }) => `${topic}-${partition}`).join(',');
}

export const textOf = ({ value }: ConsumerRecord<unknown, unknown>): string => String(value);

/** A handler that waits until it is let go. */
export function gate(): { readonly wait: Promise<void>; open(): void } {
  let open = (): void => {};
  const wait = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { wait, open };
}
