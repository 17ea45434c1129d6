/** What a group has committed is kept: through the death of its coordinator, and from one consumer process to the next. */
import { type Admin, type Consumer, Millrace } from '@millrace/client';
import { afterEach, beforeEach, expect, onTestFinished, test } from 'vitest';
import { ClusterProcesses } from './cluster-processes.ts';
import { GroupMember } from './group-member.ts';

const TOPIC = 'orders';
const PARTITIONS = 6;
const RECORDS = 600;
const PROPERTIES = {
  'offsets.topic.num.partitions': '1',
  'group.consumer.heartbeat.interval.ms': '300',
  'group.consumer.session.timeout.ms': '4000',
};

let cluster: ClusterProcesses;
let millrace: Millrace;
let admin: Admin;

beforeEach(async () => {
  cluster = await ClusterProcesses.start({ properties: PROPERTIES });
  millrace = new Millrace({ bootstrap: cluster.bootstrap });
  admin = millrace.admin();
});
afterEach(async () => {
  await millrace.close({ timeoutMs: 1_000 }).catch(() => undefined);
  await cluster.close();
});

async function fill(partitions: number): Promise<void> {
  await admin.createTopic({ name: TOPIC, partitions, replicationFactor: 3 });
  await using producer = millrace.producer();
  for (let number = 0; number < RECORDS; number++) {
    for (let partition = 0; partition < partitions; partition++)
      void producer.send({ topic: TOPIC, partition, value: `order ${number}` });
  }
  await producer.flush();
}

async function committedOf(groupId: string): Promise<Map<number, number>> {
  const offsets = await admin.groupOffsets(groupId, undefined, { timeoutMs: 30_000 });
  return new Map(offsets.map(({ partition, offset }) => [partition, Number(offset)]));
}

/** One awaited commit after the other. @returns when that partition is committed to its end. */
async function commitAll(consumer: Consumer, partition: number, onAcknowledged: (offset: number) => void) {
  for (let offset = 1; offset <= RECORDS; offset++) {
    await consumer.commit([{ topic: TOPIC, partition, offset }], { timeoutMs: 60_000 });
    onAcknowledged(offset);
  }
}

test("the coordinator's broker is killed during commits: every acknowledged commit is read back", async () => {
  await fill(PARTITIONS);
  const consumer = millrace.consumer({ groupId: 'audit', enableAutoCommit: false });
  onTestFinished(() => consumer.close({ timeoutMs: 1_000 }).catch(() => undefined));
  consumer.subscribe([TOPIC]);
  await expect.poll(() => consumer.assignment().length, { timeout: 20_000 }).toBe(PARTITIONS);
  const [offsets] = await admin.describeTopics(['__consumer_offsets']);
  const coordinator = cluster.node(offsets!.partitions[0]!.leader);

  const acknowledged = new Map<number, number>();
  let [count, longestMs, lastMs] = [0, 0, performance.now()];
  const committing = Promise.all(
    Array.from({ length: PARTITIONS }, (_, partition) =>
      commitAll(consumer, partition, (offset) => {
        acknowledged.set(partition, offset);
        count++;
        longestMs = Math.max(longestMs, performance.now() - lastMs);
        lastMs = performance.now();
      }),
    ),
  );
  committing.catch(() => {});
  await expect.poll(() => count, { timeout: 40_000, interval: 5 }).toBeGreaterThan(RECORDS);
  const before = new Map(acknowledged);
  const countBefore = count;
  await coordinator.end('SIGKILL');
  expect(count).toBeLessThan(PARTITIONS * RECORDS);
  const found = await committedOf('audit');
  for (const [partition, offset] of before) expect(found.get(partition)).toBeGreaterThanOrEqual(offset);
  await committing;
  expect([...(await committedOf('audit'))].sort(([one], [other]) => one - other)).toEqual(
    Array.from({ length: PARTITIONS }, (_, partition) => [partition, RECORDS]),
  );
  await coordinator.start();
  process.stderr.write(
    `  ${count} commits acknowledged, ${countBefore} of them before node ${coordinator.id}, the coordinator, was killed; ` +
      `the longest time without an acknowledgement was ${Math.round(longestMs)} ms; all are read back\n`,
  );
}, 120_000);

test.each(['close', 'crash'] as const)(
  'a consumer with manual commits that ends after record 249 by a %s starts again at record 250',
  async (ending) => {
    await fill(1);
    const job = { bootstrap: cluster.bootstrap, groupId: 'billing', topic: TOPIC };
    const first = GroupMember.start({ ...job, name: 'first', stopAfter: { offset: 249, ending } });
    onTestFinished(() => void first.end('SIGKILL'));
    expect(await first.end()).toBe(ending === 'close' ? 0 : 'SIGKILL');
    const second = GroupMember.start({ ...job, name: 'second', stopAfter: { offset: 299, ending: 'close' } });
    onTestFinished(() => void second.end('SIGKILL'));
    expect(await second.end()).toBe(0);
    const offsetsOf = ({ handled }: GroupMember): number[] => handled.map(({ offset }) => offset);
    expect(offsetsOf(first)).toEqual(Array.from({ length: 250 }, (_, offset) => offset));
    expect(offsetsOf(second)).toEqual(Array.from({ length: 50 }, (_, index) => 250 + index));
    process.stderr.write(`  ended by a ${ending} after 249; went on at ${offsetsOf(second)[0]}\n`);
  },
  90_000,
);
