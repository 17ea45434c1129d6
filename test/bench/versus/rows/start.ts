/** From the command to the first record that is acknowledged; directories are formatted and empty. */
import { buildBatch } from '@millrace/records';
import { KafkaPeer } from '../../../kafka-peer.ts';
import { until } from '../../bench-cluster.ts';
import type { Measuring, VersusRow } from '../arena.ts';
import { compare, type Figures, inPairs } from '../comparison.ts';
import { KafkaSubject } from '../kafka-subject.ts';
import { MillraceSubject } from '../millrace-subject.ts';
import { createTopicAt, metadataOf, type Subject, type SubjectName } from '../subject.ts';
import { replicasText } from './record-size.ts';

const PAIRS_MAX = 3;
const POLL_MS = 10;
const START_LIMIT_MS = 120_000;
const PRODUCE_VERSION = 11;
const TOPIC = 'first';

/** One try to have a record acknowledged by every replica. */
async function isAcknowledged(subject: Subject): Promise<boolean> {
  const { topics, brokers } = await metadataOf(subject.nodes[0]!.address, TOPIC);
  const leader = brokers.find(({ nodeId }) => nodeId === topics[0]!.partitions[0]?.leaderId);
  if (!leader) return false;
  await using peer = await KafkaPeer.to(`${leader.host}:${leader.port}`, 'versus');
  const records = buildBatch([{ timestamp: 1, key: null, value: Buffer.from('first') }]);
  const topicData = [{ name: TOPIC, partitionData: [{ index: 0, records }] }];
  const { responses } = await peer.ask('produce', PRODUCE_VERSION, {
    acks: -1,
    timeoutMs: 10_000,
    topicData,
  });
  return responses[0]!.partitionResponses[0]!.errorCode === 0;
}

async function acknowledgeFirst(subject: Subject, replicas: number): Promise<void> {
  const shape = { name: TOPIC, partitions: 1, replicas, configs: {} };
  const created = async (): Promise<boolean> => {
    await createTopicAt(subject.nodes[0]!.address, shape);
    return true;
  };
  await until(`${subject.name} creates a topic`, created, START_LIMIT_MS, POLL_MS);
  await until(`${subject.name} acknowledges`, () => isAcknowledged(subject), START_LIMIT_MS, POLL_MS);
}

async function startSlice({ tools, folder }: Measuring, side: SubjectName, nodes: number): Promise<Figures> {
  const kafka = side === 'Kafka' ? await KafkaSubject.prepare(tools.kafka, nodes, folder) : undefined;
  const startedMs = performance.now();
  await kafka?.start();
  const subject = kafka ?? (await MillraceSubject.start(nodes, folder));
  try {
    await acknowledgeFirst(subject, nodes);
    return { startMs: performance.now() - startedMs };
  } finally {
    await subject.close();
  }
}

function startRow(nodes: 1 | 3): VersusRow {
  return {
    name: `start-${nodes}r`,
    async run(measuring) {
      const pairs = await inPairs(Math.min(measuring.pairs, PAIRS_MAX), (side) =>
        startSlice(measuring, side, nodes),
      );
      const processes = nodes === 1 ? 'one process' : `${nodes} processes on one core`;
      const title = `start to the first acknowledged record, ${processes}, ${replicasText(nodes)}`;
      return [compare(pairs, 'startMs', { title, unit: 'ms', target: { ratio: 0.2, sense: 'at most' } })];
    },
  };
}

export const startRows: readonly VersusRow[] = [startRow(1), startRow(3)];
