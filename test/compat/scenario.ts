/** What every client must be able to do, in one place; its program only carries it out. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Millrace } from '@millrace/client';
import { expect } from 'vitest';
import type { ClientProgram, CompatRecord, MemberState } from './client-program.ts';

const PARTITIONS = 4;
const REPLICAS = 3;
const RECORDS_A_PARTITION = 25;
const FIRST_TIMESTAMP = 1_700_000_000_000;
const GROUP_LIMIT_MS = 40_000;
const ADMIN_LIMIT_MS = 15_000;
/** Well below the time that clients spend on asking again. */
const REFUSAL_LIMIT_MS = 10_000;

export interface Scenario {
  readonly client: string;
  readonly program: ClientProgram;
  /** The other door to the same log. */
  readonly millrace: Millrace;
  /** Called with the name of each part that has held. */
  readonly done: (part: string) => void;
}

const FIVE_RECORDS: readonly CompatRecord[] = [
  { key: 'one', value: 'first', headers: [['trace', 'a1']], timestamp: FIRST_TIMESTAMP },
  { key: null, value: 'no key', headers: [], timestamp: FIRST_TIMESTAMP + 1000 },
  { key: 'gone', value: null, headers: [], timestamp: FIRST_TIMESTAMP + 2000 },
  { key: 'wörd', value: 'ünïcode ✓', headers: [], timestamp: FIRST_TIMESTAMP + 3000 },
  {
    key: 'long',
    value: 'much of the same, '.repeat(400),
    headers: [
      ['first', '1'],
      ['second', '2'],
    ],
    timestamp: FIRST_TIMESTAMP + 4000,
  },
];

/** Keys, values, headers and timestamps come back as they were, in every codec, through both doors. */
export async function recordsScenario({ client, program, millrace, done }: Scenario): Promise<void> {
  const topic = `${client}-records`;
  await program.do('create', { topic, partitions: PARTITIONS, replicas: REPLICAS });
  const described = await expectSoon(
    () => unlessUnknown(program.do('describe', { topic }), []),
    (partitions) => partitions.length === PARTITIONS && partitions.every(({ leader }) => leader > 0),
  );
  expect(described.map(({ replicas }) => replicas)).toEqual(described.map(() => REPLICAS));
  await expectSoon(
    () => program.do('topics', {}),
    (topics) => topics.includes(topic),
  );
  done('topics');

  const place = { topic, partition: 1 };
  const expected: unknown[] = [];
  for (const codec of program.codecs) {
    const first = expected.length;
    const offsets = await program.do('produce', { ...place, codec, records: FIVE_RECORDS });
    expect(offsets, codec).toEqual(FIVE_RECORDS.map((_, index) => first + index));
    expected.push(...FIVE_RECORDS.map((record, index) => ({ offset: first + index, ...record })));
  }
  await using producer = millrace.producer();
  const own = { key: 'own', value: 'written by the SDK', headers: [], timestamp: FIRST_TIMESTAMP + 100_000 };
  await producer.send({ ...place, ...own, headers: {} });
  expected.push({ offset: expected.length, ...own });
  expect(await program.do('read', { ...place, offset: 0, count: expected.length })).toEqual(expected);
  done(program.codecs.join(' '));

  await using consumer = millrace.consumer();
  consumer.assign([place]);
  consumer.seekToBeginning();
  const values: unknown[] = [];
  while (values.length < expected.length) {
    const records = await consumer.poll({ timeoutMs: ADMIN_LIMIT_MS });
    expect(records).not.toHaveLength(0);
    values.push(...records.map(({ value }) => value?.toString() ?? null));
  }
  expect(values).toEqual(expected.map((record) => (record as CompatRecord).value));
  done('both doors');

  const offset = await program.do('offsetFor', { ...place, timestamp: FIRST_TIMESTAMP + 1500 });
  expect(offset).toBe(2);
  const found = await program.do('read', { ...place, offset: offset!, count: 1 });
  expect(found.map(({ key }) => key)).toEqual(['gone']);
  done('time');
}

/** Members share a topic, hand over, commit, and go on where they were. */
export async function groupScenario(
  { client, program, millrace, done }: Scenario,
  protocol: 'classic' | 'consumer',
): Promise<void> {
  const topic = `${client}-${protocol}-group`;
  const group = `${client}-${protocol}`;
  await millrace.admin().createTopic({ name: topic, partitions: PARTITIONS, replicationFactor: REPLICAS });
  await using producer = millrace.producer();
  let written = 0;
  const write = async (): Promise<void> => {
    const partitions = Array.from({ length: PARTITIONS * RECORDS_A_PARTITION }, (_, i) => i % PARTITIONS);
    await Promise.all(partitions.map((partition) => producer.send({ topic, partition, value: 'x' })));
    written += partitions.length;
  };
  const joining = { group, topic, ...(protocol === 'consumer' ? { protocol } : {}) };
  const member = (name: string): Promise<MemberState> => program.do('member', { member: name });
  const whole = (state: MemberState): boolean => state.assignment.length === PARTITIONS;

  await write();
  await program.do('join', { member: 'a', ...joining });
  await expectSoon(
    () => member('a'),
    (a) => whole(a) && seen(a) === written,
  );
  await program.do('join', { member: 'b', ...joining });
  await expectSoon(
    async () => [await member('a'), await member('b')] as const,
    (both) => both.every(({ assignment }) => assignment.length === PARTITIONS / 2),
  );
  await write();
  await expectSoon(
    async () => [await member('a'), await member('b')] as const,
    (both) => seen(...both) === written,
  );
  expect(await program.do('groups', {})).toContain(group);
  await program.do('leave', { member: 'b' });
  await expectSoon(() => member('a'), whole);
  await write();
  await expectSoon(
    () => member('a'),
    (a) =>
      [0, 1, 2, 3].every((partition) =>
        a.records.some(([own, offset]) => own === partition && offset >= written / PARTITIONS - 1),
      ),
  );
  await program.do('leave', { member: 'a' });
  const ends = Object.fromEntries([0, 1, 2, 3].map((partition) => [partition, written / PARTITIONS]));
  expect(await program.do('committed', { group, topic })).toEqual(ends);

  const before = written;
  await write();
  await program.do('join', { member: 'c', ...joining });
  const resumed = await expectSoon(
    () => member('c'),
    (c) => seen(c) >= written - before,
  );
  expect(resumed.records).toHaveLength(written - before);
  await program.do('leave', { member: 'c' });
  done(protocol === 'classic' ? 'group' : 'group (KIP-848)');
}

/** What an administrator does through the client, as far as it offers it. */
export async function transactionScenario({ client, program }: Scenario): Promise<void> {
  const before = performance.now();
  const reason = await program.do('transact', { transactionalId: `${client}-transaction` });
  expect(reason).toContain('transactions are not served by this cluster');
  expect(performance.now() - before).toBeLessThan(REFUSAL_LIMIT_MS);
}

export async function adminScenario({ client, program, millrace, done }: Scenario): Promise<void> {
  const topic = `${client}-admin`;
  await program.do('create', { topic, partitions: 1, replicas: REPLICAS });
  const parts = ['create'];
  if (program.can('increase')) {
    await program.do('increase', { topic, partitions: 3 });
    await expectSoon(
      () => unlessUnknown(program.do('describe', { topic }), []),
      (partitions) => partitions.length === 3,
    );
    parts.push('partitions');
  }
  if (program.can('alterConfig')) {
    await program.do('alterConfig', { topic, name: 'retention.ms', value: '7200000' });
    const resource = { kind: 'topic', name: topic } as const;
    await expectSoon(
      () => millrace.admin().describeConfigs([resource]),
      ([told]) => told!.entries.find(({ name }) => name === 'retention.ms')?.value === '7200000',
    );
    parts.push('configs');
  }
  if (program.can('config')) {
    await expectSoon(
      () => unlessUnknown(program.do('config', { topic, name: 'retention.ms' }), ''),
      (value) => value === '7200000',
    );
  }
  if (program.can('deleteRecords')) {
    await program.do('produce', { topic, partition: 0, codec: 'none', records: FIVE_RECORDS });
    await program.do('deleteRecords', { topic, partition: 0, offset: 3 });
    const [left] = await program.do('read', { topic, partition: 0, offset: 3, count: 1 });
    expect(left?.offset).toBe(3);
    parts.push('records');
  }
  if (program.can('deleteGroup')) {
    await program.do('deleteGroup', { group: `${client}-classic` });
    expect(await program.do('groups', {})).not.toContain(`${client}-classic`);
    parts.push('groups');
  }
  await program.do('delete', { topic });
  await expectSoon(
    () => program.do('topics', {}),
    (topics) => !topics.includes(topic),
  );
  done(`admin: ${parts.join(' ')} delete`);
}

/** How many records these members have got, each counted once. */
function seen(...members: readonly MemberState[]): number {
  const places = members.flatMap(({ records }) =>
    records.map(([partition, offset]) => `${partition}:${offset}`),
  );
  return new Set(places).size;
}

/** Brokers learn of a new topic one after the other, as Kafka's do: until then one of them knows none of that name. */
async function unlessUnknown<T>(asked: Promise<T>, none: T): Promise<T> {
  return await asked.catch((error: unknown) => {
    if (/unknown.?topic/i.test(String(error))) return none;
    throw error;
  });
}

/** The first answer that is right. */
export async function expectSoon<T>(
  ask: () => Promise<T>,
  isRight: (answer: T) => boolean,
  timeout = GROUP_LIMIT_MS,
): Promise<T> {
  const until = performance.now() + timeout;
  for (;;) {
    const answer = await ask();
    if (isRight(answer)) return answer;
    if (performance.now() > until) throw new Error(`it stayed at ${JSON.stringify(answer).slice(0, 2000)}`);
    await sleep(100);
  }
}
