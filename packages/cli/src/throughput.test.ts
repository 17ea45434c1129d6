/**
 * The command line must not be what limits a cluster: a million lines of 100 bytes pass through in a few seconds, and
 * all of them. Figures are printed; the bounds are loose, because machines that test are busy.
 */

import { performance } from 'node:perf_hooks';
import { Readable, Writable } from 'node:stream';
import type { ConsumerBatch, ConsumerRecord } from '@millrace/client';
import { expect, test } from 'vitest';
import type { ClusterClient } from './cluster-client.ts';
import { FakeCluster } from './testing/fake-cluster.ts';
import { runCli } from './testing/run-cli.ts';

const LINES = 1_000_000;
const LINE_BYTES = 100;
const CHUNK_BYTES = 64 * 1024;

function report(what: string, startMs: number): void {
  const seconds = (performance.now() - startMs) / 1_000;
  const megabytes = (LINES * LINE_BYTES) / 1e6;
  console.log(
    `${what}: ${Math.round(LINES / seconds).toLocaleString('en-US')} lines/s, ${Math.round(megabytes / seconds)} MB/s`,
  );
  expect(seconds).toBeLessThan(10);
}

/** Lines with their number in front, in chunks that end anywhere. */
function* numberedChunks(): Generator<Buffer> {
  let pending = Buffer.alloc(0);
  for (let line = 0; line < LINES; ) {
    const lines = Array.from({ length: Math.min(1_000, LINES - line) }, (_, i) =>
      `${line + i} `.padEnd(LINE_BYTES - 1, 'x'),
    );
    line += lines.length;
    pending = Buffer.concat([pending, Buffer.from(`${lines.join('\n')}\n`)]);
    for (; pending.length >= CHUNK_BYTES; pending = pending.subarray(CHUNK_BYTES)) {
      yield pending.subarray(0, CHUNK_BYTES);
    }
  }
  yield pending;
}

test('produce pushes a million lines through, each once and in order, and waits when the producer is full', async () => {
  const cluster = new FakeCluster();
  const chunks = [...numberedChunks()];
  let next = 0;
  let inFlight = 0;
  let mostInFlight = 0;
  const acknowledge: (() => void)[] = [];
  const drain = (): void => {
    inFlight = 0;
    for (const done of acknowledge.splice(0)) done();
  };
  const connect = (options: Parameters<typeof cluster.connect>[0]): ClusterClient => ({
    ...cluster.connect(options),
    producer: () => ({
      get isFull() {
        return inFlight >= 10_000;
      },
      whenReady: async () => {
        await new Promise((resolve) => setImmediate(resolve));
        drain();
      },
      send: ({ topic, value }) => {
        expectNumber(value as Buffer, next);
        next += 1;
        inFlight += 1;
        mostInFlight = Math.max(mostInFlight, inFlight);
        return new Promise((resolve) => {
          acknowledge.push(() => resolve({ topic, partition: 0, offset: 0n, timestamp: 0 }));
        });
      },
      flush: async () => drain(),
      close: async () => {},
    }),
  });
  const startMs = performance.now();
  const run = await runCli(['produce', 'orders', '-o', 'json'], { connect, stdin: Readable.from(chunks) });
  report('produce', startMs);
  expect(run.code).toBe(0);
  expect(JSON.parse(run.stdout)).toMatchObject({ sent: LINES, acknowledged: LINES, failed: 0 });
  expect(mostInFlight).toBeLessThanOrEqual(10_000);
}, 30_000);

test('consume prints a million records, and waits when standard output is full', async () => {
  const cluster = new FakeCluster();
  cluster.addTopic('orders');
  const value = Buffer.alloc(LINE_BYTES - 1, 'x');
  const record: ConsumerRecord = {
    topic: 'orders',
    partition: 0,
    offset: 0n,
    timestamp: 0,
    key: null,
    value,
    headers: [],
    header: () => undefined,
  };
  let written = 0;
  let yielded = 0;
  let mostAhead = 0;
  const slow = new Writable({
    highWaterMark: CHUNK_BYTES,
    write(chunk: Buffer, _encoding, done) {
      setImmediate(() => {
        written += chunk.length;
        done();
      });
    },
  });
  async function* batches(): AsyncIterableIterator<ConsumerBatch> {
    const records = Array.from({ length: 10_000 }, () => record);
    for (; yielded < LINES; ) {
      mostAhead = Math.max(mostAhead, yielded * LINE_BYTES - written);
      yielded += records.length;
      yield {
        topic: 'orders',
        partition: 0,
        records,
        firstOffset: 0n,
        nextOffset: BigInt(yielded),
        highWatermark: 0n,
        [Symbol.iterator]: () => records[Symbol.iterator](),
      };
    }
  }
  const connect = (options: Parameters<typeof cluster.connect>[0]): ClusterClient => {
    const client = cluster.connect(options);
    return {
      ...client,
      consumer: () => {
        const consumer = client.consumer();
        consumer.batches = batches;
        return consumer;
      },
    };
  };
  const startMs = performance.now();
  const run = await runCli(['consume', 'orders', '--from-beginning', '-n', String(LINES)], {
    connect,
    stdout: slow,
  });
  report('consume', startMs);
  expect(run.code).toBe(0);
  expect(written).toBe(LINES * LINE_BYTES);
  expect(mostAhead).toBeLessThan(4 * 1024 * 1024);
}, 30_000);

function expectNumber(line: Buffer, expected: number): void {
  // A matcher for each of a million lines would be what is measured.
  if (Number.parseInt(line.toString('latin1', 0, 8), 10) !== expected || line.length !== LINE_BYTES - 1) {
    throw new Error(`line ${expected} is ${line.toString()}`);
  }
}
