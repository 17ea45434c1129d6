/**
 * What the SDK itself costs: send() and consume against a transport that answers at once and touches no network.
 * Run after `npm run build`: node packages/client/bench/client-throughput.js [records]
 */
import { performance } from 'node:perf_hooks';
import { Millrace } from '@millrace/client';
import { buildBatch } from '@millrace/records';

const RECORDS = Number(process.argv[2] ?? 2_000_000);
const VALUE = Buffer.alloc(100, 0x61);
const ROUNDS = 3;

const topicAnswer = (names) => ({
  clusterId: 'bench',
  controllerId: 1,
  brokers: [
    { id: 1, host: 'nowhere', port: 1, rack: '', fenced: false, inControlledShutdown: false, brokerEpoch: 1 },
  ],
  topics: names.map((name) => ({
    topicId: 'A'.repeat(22),
    name,
    internal: false,
    partitions: [
      {
        partition: 0,
        leaderId: 1,
        leaderEpoch: 0,
        replicas: [1],
        isr: [1],
        elr: [],
        lastKnownElr: [],
        partitionEpoch: 0,
      },
    ],
  })),
});

/** Acknowledges every batch on the next turn of the event loop; serves one prepared batch for ever. */
function instantTransport(fetched) {
  let offset = 0;
  const produced = (request) => ({
    correlationId: request.header.correlationId,
    partitions: request.partitions.map(({ topicId, partition }) => ({
      topicId,
      partition,
      baseOffset: 0,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      currentLeaderId: -1,
      currentLeaderEpoch: -1,
    })),
  });
  const read = (request) => {
    const records = Buffer.from(fetched);
    records.writeBigInt64BE(BigInt(offset), 0);
    offset += records.readInt32BE(57);
    return {
      correlationId: request.header.correlationId,
      partitions: request.partitions.map(({ topicId, partition }) => ({
        topicId,
        partition,
        highWatermark: 2 ** 40,
        lastStableOffset: 2 ** 40,
        logStartOffset: 0,
        divergingEpoch: -1,
        divergingEndOffset: -1,
        currentLeaderId: -1,
        currentLeaderEpoch: -1,
        records,
      })),
    };
  };
  return {
    connect: () => ({
      unary: async ({ path }, request) => {
        if (path.endsWith('/DescribeTopics')) return topicAnswer(request.names);
        if (path.endsWith('/InitProducerId')) return { producerId: 1, producerEpoch: 0 };
        return {
          partitions: request.partitions.map((query) => ({
            ...query,
            offset: 0,
            timestamp: -1,
            leaderEpoch: 0,
          })),
        };
      },
      duplex: ({ path }, handlers) => ({
        send(request) {
          setImmediate(() =>
            handlers.onMessage(path.endsWith('/Produce') ? produced(request) : read(request)),
          );
          return true;
        },
        drained: () => Promise.resolve(),
        bufferedBytes: 0,
        pause() {},
        resume() {},
        closed: false,
        close() {},
      }),
      close() {},
    }),
  };
}

/** Records per second of this process's CPU time (the machine may be busy), and of the clock. */
async function timed(label, count, work) {
  let cpuBest = 0;
  let wallBest = 0;
  for (let round = 0; round < ROUNDS; round++) {
    const start = performance.now();
    const cpu = process.cpuUsage();
    await work();
    const { user, system } = process.cpuUsage(cpu);
    cpuBest = Math.max(cpuBest, count / ((user + system) / 1e6));
    wallBest = Math.max(wallBest, count / ((performance.now() - start) / 1000));
  }
  const format = (figure) => Math.round(figure).toLocaleString('en-US').padStart(12);
  console.log(`${label.padEnd(48)}${format(cpuBest)} /CPU s ${format(wallBest)} /s`);
}

const batch = buildBatch(
  Array.from({ length: 4000 }, () => ({ timestamp: 1_700_000_000_000, value: VALUE })),
  { leaderEpoch: 0 },
);

async function main() {
  console.log(
    `${RECORDS.toLocaleString('en-US')} records of ${VALUE.length} B, best of ${ROUNDS}, node ${process.version}`,
  );
  const millrace = new Millrace({ bootstrap: 'nowhere:1', transport: instantTransport(batch) });
  const producer = millrace.producer();
  await producer.send({ topic: 't', value: VALUE });

  await timed('send, result not awaited', RECORDS, async () => {
    for (let i = 0; i < RECORDS; i++) {
      if (producer.isFull) await producer.whenReady();
      void producer.send({ topic: 't', value: VALUE });
    }
    await producer.flush();
  });
  await timed('send with a key, result not awaited', RECORDS, async () => {
    for (let i = 0; i < RECORDS; i++) {
      if (producer.isFull) await producer.whenReady();
      void producer.send({ topic: 't', key: `key-${i & 1023}`, value: VALUE });
    }
    await producer.flush();
  });
  await timed('send, every result awaited in groups of 1,000', RECORDS, async () => {
    for (let i = 0; i < RECORDS; ) {
      const group = [];
      for (const end = Math.min(i + 1000, RECORDS); i < end; i++)
        group.push(producer.send({ topic: 't', value: VALUE }));
      await Promise.all(group);
    }
  });
  const read = async (useRecord) => {
    const consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
    consumer.assign([{ topic: 't', partition: 0 }]);
    let left = RECORDS;
    for await (const records of consumer) {
      for (const record of records) useRecord(record);
      left -= records.records.length;
      if (left <= 0) break;
    }
  };
  let bytes = 0;
  let last = 0n;
  await timed('consume, value used', RECORDS, () =>
    read((record) => {
      bytes += record.value.length;
    }),
  );
  await timed('consume, value and offset used', RECORDS, () =>
    read((record) => {
      bytes += record.value.length;
      last = record.offset;
    }),
  );
  if (bytes === 0 || last === 0n) throw new Error('nothing was read');
}

await main();
