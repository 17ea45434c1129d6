/** What dump-log prints of sound files, and that it shows damage instead of stopping at it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock, randomUuid, SeededRandom, silentLogger } from '@millrace/core';
import { buildBatch } from '@millrace/records';
import { DEFAULT_LOG_CONFIG, LogStore, NodeFileSystem, storageConfig } from '@millrace/storage';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runCli } from '../testing/run-cli.ts';

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'millrace-dump-'));
});
afterEach(() => rm(directory, { recursive: true }));

async function dump(name: string, bytes: Buffer | string, ...flags: string[]) {
  const path = join(directory, name);
  await writeFile(path, bytes);
  const run = await runCli(['debug', 'dump-log', path, ...flags]);
  return { ...run, stdout: run.stdout.replaceAll(directory, '') };
}

const FIRST = buildBatch(
  [
    { timestamp: 1_700_000_000_000, key: Buffer.from('k'), value: Buffer.from('one') },
    { timestamp: 1_700_000_000_001, value: Buffer.from('two'), headers: [{ key: 'h', value: null }] },
  ],
  { baseOffset: 100, leaderEpoch: 3, producer: { producerId: 7, producerEpoch: 1, baseSequence: 40 } },
);
const SECOND = buildBatch([{ value: null }], { baseOffset: 102, leaderEpoch: 3, codec: 'gzip' });
const SEGMENT = '00000000000000000100';

test('a log is printed as Kafka prints it', async () => {
  const run = await dump(`${SEGMENT}.log`, Buffer.concat([FIRST, SECOND]), '--records');
  expect(run.code).toBe(0);
  expect(run.stdout.replace(/crc: \d+/g, 'crc: N').replace(/size: 8\d /, 'size: N ')).toMatchInlineSnapshot(`
    "Dumping /00000000000000000100.log
    Log starting offset: 100
    baseOffset: 100 lastOffset: 101 count: 2 baseSequence: 40 lastSequence: 41 producerId: 7 producerEpoch: 1 partitionLeaderEpoch: 3 isTransactional: false isControl: false position: 0 CreateTime: 1700000000001 size: N magic: 2 compresscodec: none crc: N isvalid: true
    | offset: 100 CreateTime: 1700000000000 keySize: 1 valueSize: 3 sequence: 40 headerKeys: [] key: k payload: one
    | offset: 101 CreateTime: 1700000000001 keySize: -1 valueSize: 3 sequence: 41 headerKeys: [h] payload: two
    baseOffset: 102 lastOffset: 102 count: 1 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 3 isTransactional: false isControl: false position: 85 CreateTime: 0 size: 88 magic: 2 compresscodec: gzip crc: N isvalid: true
    | offset: 102 CreateTime: 0 keySize: -1 valueSize: -1 headerKeys: []
    "
  `);
});

test('JSON has a line for each batch, with int64 as strings', async () => {
  const run = await dump(`${SEGMENT}.log`, FIRST, '--records', '-o', 'json');
  expect(JSON.parse(run.stdout)).toMatchObject({
    file: `/${SEGMENT}.log`,
    kind: 'batch',
    baseOffset: '100',
    lastOffset: '101',
    count: 2,
    producerId: '7',
    isValid: true,
    records: [
      { offset: '100', key: 'k', value: 'one', headers: [] },
      { offset: '101', key: null, value: 'two', headers: [{ key: 'h', value: null }] },
    ],
  });
});

test('a flipped bit, a torn tail and bytes that are no batch are shown, with exit code 1', async () => {
  const flipped = Buffer.concat([FIRST, SECOND]);
  flipped[FIRST.length - 1]! ^= 1;
  const broken = await dump(`${SEGMENT}.log`, flipped);
  expect(broken.code).toBe(1);
  expect(broken.stdout).toContain('isvalid: false\nDAMAGED at position 0');
  expect(broken.stdout).toContain('baseOffset: 102');
  expect(broken.stderr).toContain('1 place is damaged');

  const torn = await dump(`${SEGMENT}.log`, Buffer.concat([FIRST, SECOND.subarray(0, 30)]));
  expect(torn.stdout).toContain(`DAMAGED at position ${FIRST.length}: 30 bytes that are not a whole batch`);

  for (const garbage of [
    Buffer.alloc(200),
    Buffer.alloc(200, 0xff),
    Buffer.alloc(200, 0x01),
    Buffer.from('tiny'),
  ]) {
    expect((await dump(`${SEGMENT}.log`, garbage)).code).toBe(1);
  }
});

test('indexes, snapshots and checkpoints', async () => {
  const index = Buffer.alloc(16);
  index.writeInt32BE(5, 8);
  index.writeInt32BE(4096, 12);
  expect((await dump(`${SEGMENT}.index`, index)).stdout).toMatchInlineSnapshot(`
    "Dumping /00000000000000000100.index
    offset: 100 position: 0
    offset: 105 position: 4096
    "
  `);

  const times = Buffer.alloc(12);
  times.writeBigInt64BE(1_700_000_000_000n, 0);
  times.writeInt32BE(2, 8);
  expect((await dump(`${SEGMENT}.timeindex`, times)).stdout).toContain(
    'timestamp: 1700000000000 offset: 102\n',
  );

  const snapshot = Buffer.alloc(10 + 46);
  snapshot.writeBigInt64BE(7n, 10);
  snapshot.writeInt32BE(41, 20);
  expect((await dump(`${SEGMENT}.snapshot`, snapshot, '-o', 'json')).stdout).toMatchInlineSnapshot(`
    "{"file":"/00000000000000000100.snapshot","kind":"producer","producerId":"7","producerEpoch":0,"coordinatorEpoch":0,"currentTxnFirstOffset":"0","lastTimestamp":"0","lastSequence":41,"lastOffset":"0","offsetDelta":0}
    "
  `);

  expect((await dump('leader-epoch-checkpoint', '0\n1\n3 100\n')).stdout).toContain('\n3 100\n');
  expect((await dump(`${SEGMENT}.index`, Buffer.alloc(11))).code).toBe(1);
});

test('journal files, with the topic id and the offsets of each record', async () => {
  const random = new SeededRandom(1);
  const topicId = randomUuid(random);
  const identity = { clusterId: randomUuid(random), nodeId: 1, directoryId: randomUuid(random) };
  const fileSystem = new NodeFileSystem();
  await LogStore.format(fileSystem, directory, identity);
  const clock = new ManualClock();
  const config = storageConfig.parse({ 'journal.file.bytes': '65536', 'journal.max.bytes': '262144' });
  const store = await LogStore.open({
    path: directory,
    fileSystem,
    clock,
    random,
    logger: silentLogger,
    config,
  });
  const log = await store.openPartition({ topic: 'orders', partition: 0, topicId }, DEFAULT_LOG_CONFIG);
  log.assignEpoch(3, 0);
  log.appendAsLeader(buildBatch([{ value: Buffer.from('one') }, { value: Buffer.from('two') }]), 3);
  await log.whenFlushed(log.logEndOffset);
  await store.close({ clean: false });

  const path = join(directory, 'journal', '00000000000000000001.journal');
  const text = await runCli(['debug', 'dump-log', path, '--records']);
  expect(text.code).toBe(0);
  expect(text.stdout).toMatch(/position: 0 record: begin endOfPrevious: 0 .* isvalid: true\n/);
  expect(text.stdout).toContain(`topicId: ${topicId} partition: 0 baseOffset: 0 lastOffset: 1`);
  expect(text.stdout).toContain('payload: two');
  expect(text.stdout).toMatch(/position: \d+ size: \d+ unused\n$/);

  const json = await runCli(['debug', 'dump-log', path, '-o', 'json']);
  const entries = json.stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(entries).toContainEqual(
    expect.objectContaining({
      kind: 'journal',
      record: 'batches',
      topicId,
      baseOffset: '0',
      lastOffset: '1',
    }),
  );
});

test('a file of another kind is a usage error, a missing one is not found, and then nothing is printed', async () => {
  expect((await dump('notes.txt', 'hello')).code).toBe(2);
  expect((await runCli(['debug', 'dump-log', directory])).code).toBe(2);
  await writeFile(join(directory, `${SEGMENT}.log`), FIRST);
  for (const name of ['absent.log', 'absent', 'notes.txt/below']) {
    const missing = await runCli([
      'debug',
      'dump-log',
      join(directory, `${SEGMENT}.log`),
      join(directory, name),
    ]);
    expect(missing).toMatchObject({ code: 4, stdout: '' });
    expect(missing.stderr).toContain(`there is no file ${join(directory, name)}`);
  }
});
