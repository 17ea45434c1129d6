import { expect, test, vi } from 'vitest';
import type { DiskFaults } from '../../disk/disk-faults.ts';
import { PartitionScenario } from './partition-scenario.ts';

// Virtual time costs little, but the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const SAFE = { 'min.insync.replicas': '2' };

test('a retry at the next leader is the same record, and the next one follows it (S32)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  await scenario.produce('a');
  const { baseOffset } = await scenario.produce('b');
  scenario.kill(1);
  await scenario.until(() => scenario.image.leader !== 1);
  expect(await scenario.produce('b', { sequence: 1 })).toMatchObject({ failure: undefined, baseOffset });
  expect(await scenario.produce('c', { sequence: 2 })).toMatchObject({
    failure: undefined,
    baseOffset: baseOffset + 1,
  });
});

test('a retry is recognised after its records were deleted and the broker restarted (S33)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  await scenario.produce('a');
  const { baseOffset } = await scenario.produce('b');
  await scenario.deleteRecords(-1);
  await scenario.restartAll([1, 2, 3]);
  await scenario.isrIs(1, 2, 3);
  expect(await scenario.produce('b', { sequence: 1 })).toMatchObject({ failure: undefined, baseOffset });
});

test('after deleteRecords a producer that the new leader does not know still begins with its first batch', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  await scenario.produce('a');
  await scenario.deleteRecords(-1);
  await scenario.pass(1_000);
  const { world } = scenario.host;
  expect(world.nowMs).toBeGreaterThan(0);
  scenario.fence(1);
  await scenario.until(() => scenario.image.leader !== 1);
  const late = await scenario.produce('late', { sequence: 5 });
  expect(late.failure?.code).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
});

test('damaged records in an answer are refused and fetched again (S30)', async () => {
  let damaged = 0;
  const scenario = await PartitionScenario.start({
    configs: SAFE,
    answerFilter: (response) => {
      for (const { records } of response.partitions) {
        if (records.length === 0 || damaged === 3) continue;
        records[records.length - 1]! ^= 1;
        damaged += 1;
      }
      return response;
    },
  });
  expect((await scenario.produce('a')).failure).toBeUndefined();
  expect(damaged).toBe(3);
  await scenario.isrIs(1, 2, 3);
});

test('divergence is seen after any number of empty answers (S29)', async () => {
  const scenario = await PartitionScenario.start({ replicas: [1, 2] });
  await scenario.produce('a');
  const cut = scenario.cut([scenario.node(1)], [scenario.node(2)]);
  await scenario.produce('lost', { acks: 1 });
  scenario.fence(1);
  expect(await scenario.leader()).toBe(2);
  await scenario.pass(2_000);
  cut.heal();
  await scenario.isrIs(1, 2);
  await scenario.pass(2_000);
  expect(scenario.values(1)).toEqual(['a']);
});

test.each(['EIO', 'ENOSPC'])(
  'a journal that fails with %s once costs its node the lead, and no record (S44)',
  async (code) => {
    const scenario = await PartitionScenario.start({ configs: SAFE });
    await scenario.produce('a');
    const { disk } = scenario.host.broker(1);
    let isDue = true;
    const once: DiskFaults = {
      fault(operation, path) {
        if (!isDue || !path.includes('/journal/') || (operation !== 'write' && operation !== 'datasync'))
          return undefined;
        isDue = false;
        return { code };
      },
      delayMs: () => 0,
    };
    disk.faults = once;
    await scenario.produce('b', { at: 1, sequence: 1 });
    await scenario.until(() => scenario.image.leader !== 1);
    expect((await scenario.produce('b', { sequence: 1 })).failure).toBeUndefined();
    scenario.kill(1);
    scenario.start(1);
    await scenario.isrIs(1, 2, 3);
    expect(scenario.values(1)).toEqual(['a', 'b']);
  },
);

test('a disk that hangs keeps its broker from acknowledging, and the others go on (S44)', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  const { disk } = scenario.host.broker(2);
  disk.faults = { fault: (operation) => (operation === 'datasync' ? 'stuck' : undefined), delayMs: () => 0 };
  expect((await scenario.produce('a', { acks: 1 })).failure).toBeUndefined();
  await scenario.isrIs(1, 3);
  expect((await scenario.produce('b')).failure).toBeUndefined();
});

test('a log that cannot be opened is told to the controller, and comes back with the next start', async () => {
  const scenario = await PartitionScenario.start({ configs: SAFE });
  await scenario.produce('a');
  scenario.kill(2);
  const { disk } = scenario.host.broker(2);
  let reads = 0;
  disk.faults = {
    fault: (operation, path) => {
      // The first one lists the folders; without that the broker does not start at all.
      const isOpening = operation === 'read' && path.endsWith('/partition.metadata') && ++reads > 1;
      return isOpening ? { code: 'EIO' } : undefined;
    },
    delayMs: () => 0,
  };
  scenario.start(2);
  await scenario.until(() => scenario.image.offline.includes(2));
  disk.faults = { fault: () => undefined, delayMs: () => 0 };
  scenario.kill(2);
  scenario.start(2);
  await scenario.isrIs(1, 2, 3);
  expect(scenario.values(2)).toEqual(['a']);
});
