/** Calls to the coordinator of a group: found once, asked until it answers, found again when it moved. */
import { ManualClock, MillraceError, SeededRandom, silentLogger } from '@millrace/core';
import { groupService } from '@millrace/protocol';
import { expect, test } from 'vitest';
import { clientConfig } from '../client-config.ts';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { settle } from '../testing/fixture.ts';
import { parseBootstrap } from './address.ts';
import { Cluster } from './cluster.ts';
import { Coordinators } from './coordinators.ts';

function world() {
  const clock = new ManualClock();
  const fake = new FakeCluster({ clock });
  const cluster = new Cluster({
    bootstrap: parseBootstrap(fake.bootstrap),
    config: clientConfig.parse({}),
    transport: fake,
    clock,
    random: new SeededRandom(1),
    logger: silentLogger,
  });
  const coordinators = new Coordinators(cluster);
  const committedOf = (groupId: string, timeoutMs = 30_000) =>
    coordinators.call(
      groupId,
      {
        method: groupService.fetchOffsets,
        make: (header) => ({ header, groupId, memberId: '', memberEpoch: -1, all: true, partitions: [] }),
      },
      { timeoutMs },
    );
  const run = async <T>(promise: Promise<T>): Promise<T> => {
    let isSettled = false;
    const end = (): void => {
      isSettled = true;
    };
    promise.then(end, end);
    await settle();
    for (let i = 0; i < 100_000 && !isSettled; i++) {
      clock.advance(1);
      await settle();
    }
    return promise;
  };
  const findings = (): number => fake.calls.filter(({ method }) => method === 'FindCoordinators').length;
  return { clock, fake, coordinators, committedOf, run, findings };
}

test('a coordinator is found once for many calls', async () => {
  const { committedOf, run, findings } = world();
  await run(Promise.all([committedOf('g'), committedOf('g')]));
  await run(committedOf('g'));
  expect(findings()).toBe(1);
});

test('a coordinator that moved is found again', async () => {
  const { fake, committedOf, run, findings } = world();
  await run(committedOf('g'));
  fake.group('g').brokerId = 2;
  await run(committedOf('g'));
  expect(findings()).toBe(2);
  fake.stop(2);
  fake.group('g').brokerId = 3;
  await run(committedOf('g'));
  expect(findings()).toBe(3);
});

test('one that still loads is asked again without being looked for', async () => {
  const { fake, committedOf, run, findings } = world();
  let refusals = 3;
  fake.group('g').onFetchOffsets = () =>
    refusals-- > 0 ? ('COORDINATOR_LOAD_IN_PROGRESS' as const) : undefined;
  await run(committedOf('g'));
  expect(refusals).toBe(-1);
  expect(findings()).toBe(1);
});

test('trouble ends at the deadline with its own code; a refusal ends at once', async () => {
  const { clock, fake, committedOf, run } = world();
  fake.down.add(1);
  const startMs = clock.nowMs();
  await expect(run(committedOf('g', 500))).rejects.toMatchObject({ code: 'COORDINATOR_NOT_AVAILABLE' });
  expect(clock.nowMs() - startMs).toBeLessThanOrEqual(501);
  fake.down.clear();
  fake.group('g').onFetchOffsets = () => 'GROUP_ID_NOT_FOUND';
  await expect(run(committedOf('g'))).rejects.toBeInstanceOf(MillraceError);
});

test('several coordinators are found in one question', async () => {
  const { fake, coordinators, run, findings } = world();
  fake.group('b').brokerId = 2;
  await run(coordinators.find(['a', 'b', 'c']));
  expect(findings()).toBe(1);
  expect(coordinators.addressOf('b')).toEqual({ host: 'broker-2', port: 9191 });
});
