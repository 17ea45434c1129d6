/** Mutated requests, a million of them, against one node that serves others meanwhile. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { Millrace } from '@millrace/client';
import { MiB, SeededRandom } from '@millrace/core';
import { APIS } from '@millrace/kafka-api';
import { expect, test } from 'vitest';
import { Attacker } from './attacker.ts';
import { fuzzOptions } from './fuzz-options.ts';
import { FuzzedNode, type MemoryUse } from './fuzzed-node.ts';
import { mutantOf } from './mutations.ts';
import { startingPoints, type Targets } from './starting-points.ts';
import { FuzzTally } from './tally.ts';
import { Witness } from './witness.ts';

const { frames, seed } = fuzzOptions(process.env);
const LIMIT_MS = 60_000 + frames * 5;

const ATTACKERS = 32;
const SAMPLES = 20;
/** Caches, sessions and the like are full by then; the least of some, as one may meet a large frame. */
const SETTLED_SAMPLES = [5, 10] as const;
const GROWTH_MAX_BYTES = 32 * MiB;
/** Whatever a frame says, others wait no longer than this much of the node's own time. */
const TURN_MAX_MS = 1_000;

const TOPIC = 'here';
const PARTITIONS = 3;
const PARTITIONS_MAX = 100;
const PROPERTIES = {
  'num.partitions': '1',
  // What is asked for is made, but not without end.
  'controller.max.partitions': String(PARTITIONS_MAX),
  'offsets.topic.num.partitions': '2',
  'offsets.retention.minutes': '1',
  'offsets.retention.check.interval.ms': '1000',
  'log.retention.check.interval.ms': '1000',
  // Full long before the end.
  'tail.cache.bytes': String(2 * MiB),
  'group.initial.rebalance.delay.ms': '0',
  'group.min.session.timeout.ms': '10',
  'group.max.session.timeout.ms': '1000',
  'group.consumer.session.timeout.ms': '1000',
  'group.consumer.heartbeat.interval.ms': '100',
  // A machine that is busy with other things may stop this process in the middle of a frame.
  'request.receive.timeout.ms': '120000',
  'connection.setup.timeout.ms': '120000',
};

/** Makes the targets, again if a mutant has deleted them, and ends what mutants have made. */
async function tidy(millrace: Millrace): Promise<Targets> {
  const admin = millrace.admin();
  for (;;) {
    const names = (await admin.listTopics()).filter((name) => name !== 'witness' && !name.startsWith('__'));
    // Mutants do the same meanwhile: what fails is looked at again.
    for (const name of names) if (name !== TOPIC) await admin.deleteTopic(name).catch(() => {});
    if (!names.includes(TOPIC)) {
      const configs = { 'retention.bytes': String(MiB), 'segment.bytes': String(MiB) };
      const topic = { name: TOPIC, partitions: PARTITIONS, replicationFactor: 1, configs };
      await admin.createTopic(topic).catch(() => {});
    }
    const [described] = await admin.describeTopics([TOPIC]).catch(() => []);
    if (described !== undefined) return { topic: TOPIC, topicId: described.topicId, partitions: PARTITIONS };
  }
}

/** Of each kind of line that the node holds back for a second, until one is told: the account of the last moments is in it. */
async function provokeLastLines(node: FuzzedNode): Promise<void> {
  for (const hex of ['ffffffff00', '0000000a03e70000000000010000']) {
    for (;;) {
      const socket = connect(node.kafkaPort, '127.0.0.1').on('error', () => undefined);
      await once(socket, 'connect');
      const peer = `127.0.0.1:${socket.localPort}`;
      const closed = new Promise((resolve) => socket.once('close', resolve));
      socket.end(Buffer.from(hex, 'hex')).resume();
      await closed;
      if ((await node.log()).some((line) => line.peer === peer)) break;
      await pause(100);
    }
  }
}

const bytesOf = ({ heapBytes, bufferBytes }: MemoryUse): number => heapBytes + bufferBytes;
const mebibytes = (bytes: number): string => `${(bytes / MiB).toFixed(1)} MiB`;

function shown(memory: MemoryUse): string {
  const { heapBytes, bufferBytes, residentBytes, longestTurnMs } = memory;
  return `heap ${mebibytes(heapBytes)}, buffers ${mebibytes(bufferBytes)}, resident ${mebibytes(residentBytes)}; longest turn ${longestTurnMs.toFixed(0)} ms`;
}

test(
  `${frames} mutated frames (seed ${seed}) crash nothing, leave nothing behind and spoil no answer beside them`,
  async () => {
    await using node = await FuzzedNode.start(PROPERTIES);
    await using millrace = new Millrace({ bootstrap: node.bootstrap });
    const random = new SeededRandom(seed);
    let targets = await tidy(millrace);
    let points = startingPoints(seed, targets, random);
    const witness = new Witness(`127.0.0.1:${node.kafkaPort}`);
    await witness.prepare();
    // Its start, which is one long turn, is not looked at.
    await node.memory();
    const tally = new FuzzTally();
    const startedMs = performance.now();
    const nextMutant = () => {
      const own = random.fork();
      return { mutant: mutantOf(points, own), random: own };
    };
    const memory: MemoryUse[] = [];
    let isOver = false;

    const watch = async (): Promise<void> => {
      for (let sample = 1; sample <= SAMPLES; sample++) {
        while (!isOver && tally.frames < (frames * sample) / SAMPLES) await pause(20);
        if (isOver) return;
        const now = await tidy(millrace);
        if (now.topicId !== targets.topicId) points = startingPoints(seed, now, random);
        targets = now;
        const use = await node.memory();
        memory.push(use);
        const seconds = ((performance.now() - startedMs) / 1_000).toFixed(0);
        process.stdout.write(`${tally.frames} frames after ${seconds} s: ${shown(use)}\n`);
      }
    };
    const isEnough = (): boolean => isOver || (tally.frames >= frames && memory.length >= SAMPLES);
    const attackers = Array.from(
      { length: ATTACKERS },
      () => new Attacker(node.kafkaPort, tally, nextMutant),
    );
    try {
      await Promise.all([
        watch(),
        witness.run(isEnough),
        ...attackers.map((attacker) => attacker.run(isEnough)),
      ]);
    } finally {
      isOver = true;
    }

    const records = await witness.readAll();
    // Frames that lie about their size hold memory as long as they are sent: none is by now.
    const last = await node.memory();
    process.stdout.write(`afterwards: ${shown(last)}\n`);
    witness.close();
    await provokeLastLines(node);
    const log = await node.log();
    const told = log.filter(
      ({ event }) => event === 'kafka_connection_cut_off' || event === 'kafka_request_failed',
    );
    const toldCount = told.reduce((sum, { omitted = 0 }) => sum + 1 + omitted, 0);
    process.stdout.write(
      [
        ...tally.lines(),
        `${tally.frames} frames of ${tally.starts.count} APIs and versions (each ${tally.starts.fewest} at least) over ${tally.connections} connections`,
        `${tally.cutOff} connections cut off by the node, ${toldCount} told in its log`,
        `${witness.answers} right answers beside them, the slowest after ${witness.slowestMs.toFixed(0)} ms; ${records} records read back`,
        '',
      ].join('\n'),
    );
    expect(node.isRunning).toBe(true);
    expect(log.filter(({ level }) => level !== 'info' && level !== 'warn')).toEqual([]);
    expect(told.filter(({ reason, err }) => (reason ?? err?.message ?? '') === '')).toEqual([]);
    const errors = new Set(told.flatMap(({ err }) => (err === undefined ? [] : [err.type])));
    expect([...errors].sort()).toEqual(['ConnectionEnd', 'MalformedFrame']);
    expect(toldCount).toBeGreaterThanOrEqual(tally.cutOff);
    const versions = Object.values(APIS).reduce(
      (sum, { request }) => sum + request.highestVersion - request.lowestVersion + 1,
      0,
    );
    if (frames >= 10_000) expect(tally.starts.count).toBe(versions);
    expect(Math.max(...[...memory, last].map(({ longestTurnMs }) => longestTurnMs))).toBeLessThan(
      TURN_MAX_MS,
    );
    expect(memory).toHaveLength(SAMPLES);
    const settled = Math.min(...memory.slice(...SETTLED_SAMPLES).map(bytesOf));
    expect(bytesOf(last) - settled).toBeLessThan(GROWTH_MAX_BYTES);
  },
  LIMIT_MS,
);
