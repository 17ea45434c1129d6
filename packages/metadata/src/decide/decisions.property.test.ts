/** Any sequence of commands keeps the invariants (27, 28, 29, 36), and replaying its records gives the same image. */
import { SeededRandom } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyRecords } from '../apply.ts';
import { emptyImage, type MetadataImage, partitionsOf } from '../image.ts';
import { decodeSnapshot, encodeSnapshot } from '../snapshot-codec.ts';
import { Scenario } from '../testing/scenario.ts';
import { rebalanceLeaders } from './elect-leaders.ts';

const BROKERS = [1, 2, 3, 4];

type Command =
  | { readonly kind: 'restart'; readonly broker: number; readonly how: 'clean' | 'unclean' | 'wiped' }
  | {
      readonly kind: 'heartbeat';
      readonly broker: number;
      readonly shutdown: boolean;
      readonly offline: number;
    }
  | { readonly kind: 'fence'; readonly broker: number }
  | { readonly kind: 'alter'; readonly partition: number; readonly members: readonly number[] }
  | { readonly kind: 'rebalance' };

const broker = fc.constantFrom(...BROKERS);
const command: fc.Arbitrary<Command> = fc.oneof(
  fc.record({
    kind: fc.constant('restart' as const),
    broker,
    how: fc.constantFrom('clean' as const, 'unclean' as const, 'wiped' as const),
  }),
  {
    arbitrary: fc.record({
      kind: fc.constant('heartbeat' as const),
      broker,
      shutdown: fc.boolean(),
      offline: fc.nat(15),
    }),
    weight: 3,
  },
  fc.record({ kind: fc.constant('fence' as const), broker }),
  {
    arbitrary: fc.record({
      kind: fc.constant('alter' as const),
      partition: fc.nat(3),
      members: fc.subarray(BROKERS),
    }),
    weight: 3,
  },
  fc.record({ kind: fc.constant('rebalance' as const) }),
);

function perform(cluster: Scenario, step: Command, directories: { next: number }): void {
  switch (step.kind) {
    case 'restart': {
      const wiped = step.how === 'wiped' ? { directoryId: `wiped-${directories.next++}` } : {};
      cluster.register(step.broker, { unclean: step.how !== 'clean', ...wiped });
      break;
    }
    case 'heartbeat': {
      const failed = step.offline < 4 ? [cluster.partition('t', step.offline)] : [];
      const offline = failed.map(({ topicId, partition }) => ({ topicId, partition }));
      cluster.heartbeat(step.broker, { wantsShutdown: step.shutdown, offline });
      break;
    }
    case 'fence':
      cluster.fence(step.broker);
      break;
    case 'alter': {
      const { leader } = cluster.partition('t', step.partition);
      if (leader !== -1) cluster.alter('t', step.partition, step.members);
      break;
    }
    case 'rebalance':
      cluster.commit(rebalanceLeaders(cluster.image, 0, 100, cluster.context));
  }
}

function start(minInsync: number, configs: Record<string, string>): Scenario {
  const replicas = [
    [1, 2, 3],
    [2, 3, 4],
    [3, 1, 4],
    [4, 2, 1],
  ];
  const all = { 'min.insync.replicas': String(minInsync), ...configs };
  return new Scenario(new SeededRandom(7)).start(...BROKERS).topic('t', replicas, all);
}

test('random commands keep the invariants, with any durability and with unclean elections', () => {
  const configs = fc.record({
    durability: fc.constantFrom('fsync', 'page-cache'),
    'unclean.leader.election.enable': fc.constantFrom('true', 'false'),
  });
  const steps = fc.array(command, { maxLength: 60 });
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 4 }), configs, steps, (minInsync, config, commands) => {
      const cluster = start(minInsync, config);
      const directories = { next: 0 };
      for (const step of commands) perform(cluster, step, directories);
      expect(contentOf(decodeSnapshot(encodeSnapshot(cluster.image), cluster.image.offset))).toEqual(
        contentOf(cluster.image),
      );
    }),
    { numRuns: 300 },
  );
});

test('as long as nobody loses data, min.insync.replicas many stay electable', () => {
  const harmless = command.filter(
    (step) =>
      !(step.kind === 'restart' && step.how === 'wiped') && !(step.kind === 'heartbeat' && step.offline < 4),
  );
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(harmless, { maxLength: 60 }),
      (minInsync, commands) => {
        const cluster = start(minInsync, { durability: 'fsync' });
        for (const step of commands) {
          perform(cluster, step, { next: 0 });
          for (const { replicas, isr, elr } of partitionsOf(cluster.image)) {
            expect(isr.length + elr.length).toBeGreaterThanOrEqual(Math.min(minInsync, replicas.length));
          }
        }
      },
    ),
    { numRuns: 300 },
  );
});

test('the log replayed gives the image that the decisions saw', () => {
  fc.assert(
    fc.property(fc.array(command, { maxLength: 40 }), (commands) => {
      const cluster = start(2, {});
      for (const step of commands) perform(cluster, step, { next: 0 });
      // Entries are replayed one record at a time: how records are cut into entries must not matter, except for epochs.
      let image: MetadataImage = emptyImage;
      for (const record of cluster.log.filter(
        ({ kind }) => kind !== 'brokerRegistered' && kind !== 'brokerChanged',
      )) {
        image = applyRecords(image, [record], image.offset).image;
      }
      expect(contentOf({ ...image, brokers: cluster.image.brokers, offset: cluster.image.offset })).toEqual(
        contentOf(cluster.image),
      );
    }),
    { numRuns: 50 },
  );
});

function contentOf(image: MetadataImage) {
  return {
    ...image,
    brokers: [...image.brokers],
    topics: [...image.topics],
    topicIds: [...image.topicIds],
    configs: [...image.configs].map(([key, overrides]) => [key, [...overrides]]),
  };
}
