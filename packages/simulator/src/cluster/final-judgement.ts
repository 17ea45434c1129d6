/** The end of a seed: everything is read once more, replicas are compared, and the histories of all clients are judged (18, 22, 34, 35, 39, 40, 60). */
import { string } from '@millrace/client';
import { formatTopicPartition, MiB, type TopicPartition } from '@millrace/core';
import { type PartitionImage, partitionsOf } from '@millrace/metadata';
import { splitBatches } from '@millrace/records';
import type { Anomaly, AnomalyKind } from '../history/find-anomalies.ts';
import { clientHistoriesAreSound } from '../invariants/39-client-histories-are-sound.ts';
import { theLastReaderFinishes } from '../invariants/60-all-clients-finish.ts';
import { mustComeTrue } from '../world/liveness.ts';
import type { SimLife } from '../world/sim-process.ts';
import { verdictOf } from '../world/verdict.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { ClusterSimulation } from './cluster-simulation.ts';
import { saySame } from './compacted-replicas.ts';
import { recordPoll } from './consuming.ts';

const COMPARED_WITHIN_MS = 120_000;
/** What producers without idempotence may cause. */
const LAWFUL_WHEN_LOOSE: ReadonlySet<AnomalyKind> = new Set(['duplicate', 'nonmonotonic-send']);

export async function readEverything(simulation: ClusterSimulation): Promise<void> {
  const { world, crew } = simulation;
  let isDone = false;
  const process = world.process('reader');
  process.start(async (life) => {
    noteLogStarts(simulation);
    await readAll(simulation, life);
    // Retention goes on while the reader reads, and it may have been sent on.
    noteLogStarts(simulation);
    isDone = true;
  });
  await mustComeTrue(world, theLastReaderFinishes, { isReadToEnd: () => isDone });
  process.kill();
  crew.stop();
  await world.settle(compareReplicas(simulation), COMPARED_WITHIN_MS);
}

/** Replicas let go of old records each by themselves: a reader may have met any of their starts. */
function noteLogStarts({ crew, witness, layout, replicas }: ClusterSimulation): void {
  replicas.look(witness.image);
  for (const { name: topic, partitions, hasRetention } of layout.topics) {
    if (!hasRetention) continue;
    for (let partition = 0; partition < partitions; partition++) {
      const key = formatTopicPartition({ topic, partition });
      crew.history.moveLogStart(key, replicas.logStarts.get(key) ?? 0);
    }
  }
}

async function readAll({ crew, witness, layout, faults }: ClusterSimulation, life: SimLife): Promise<void> {
  const millrace = crew.millrace(life);
  const consumer = millrace.consumer<Buffer, string>({
    autoOffsetReset: 'earliest',
    valueDeserializer: string,
  });
  const { image } = witness;
  const partitions = layout.topics.flatMap(({ name: topic, isStrict }) => {
    // What has no other copy may be unreadable for ever.
    if (!isStrict && !isLooseWhole(faults)) return [];
    const id = image.topicIds.get(topic);
    const known = id === undefined ? [] : image.topics.get(id)!.partitions;
    // Where nobody could lead, `mustRecover` has judged that already.
    return known
      .filter(({ leader }) => isStrict || leader !== -1)
      .map(({ partition }): TopicPartition => ({ topic, partition }));
  });
  const ends = await consumer.endOffsets(partitions);
  consumer.assign(partitions);
  for (const partition of partitions) crew.history.seek('reader', formatTopicPartition(partition));
  const left = new Map(ends.map((end) => [formatTopicPartition(end), end.offset]));
  const member = { name: 'reader', life, millrace, random: crew.world.streams.workload, crew };
  while (left.size > 0) {
    recordPoll(member, await consumer.poll({ timeoutMs: 500 }));
    for (const [key, end] of left) {
      const partition = partitions.find((each) => formatTopicPartition(each) === key)!;
      if ((await consumer.position(partition)) >= end) left.delete(key);
    }
  }
  await consumer.close();
}

function isLooseWhole({ disks: { counts } }: ClusterSimulation['faults']): boolean {
  return counts.wiped + counts.restored + counts.damaged === 0;
}

/**
 * A retry of a batch that retention has let go, at a leader whose log began anew above it: nobody who could lead knows of
 * the first copy, and the second one may stand behind later records. As in Kafka; replicas do not hand each other what they know of producers.
 */
function isForgottenDuplicate(
  { nodes, replicas }: ClusterSimulation,
  { kind, partition, text }: Anomaly,
): boolean {
  const firstCopy = Math.min(...[...text.matchAll(/\bat (\d+)/g)].map(([, offset]) => Number(offset)));
  const isGone = firstCopy < (replicas.logStarts.get(partition) ?? 0);
  return (
    (kind === 'duplicate' || kind === 'nonmonotonic-send') &&
    isGone &&
    nodes.some(({ restartedLogs }) => restartedLogs > 0)
  );
}

export function judgeHistories(simulation: ClusterSimulation): void {
  const { world, crew, faults } = simulation;
  const isLawful = (anomaly: Anomaly): boolean => {
    const { kind, partition } = anomaly;
    if (isForgottenDuplicate(simulation, anomaly)) return true;
    return partition.startsWith('loose') && (!isLooseWhole(faults) || LAWFUL_WHEN_LOOSE.has(kind));
  };
  clientHistoriesAreSound.judge(
    { history: crew.history, isLawful },
    verdictOf(world, clientHistoriesAreSound),
  );
  const metadata = crew.metadata.judge();
  if (metadata !== undefined) world.fail(`invariant 18 metadata-history-is-linearizable: ${metadata}`);
}

/** Invariant 34: what is committed has the same bytes on every replica in sync, or of a compacted topic says the same. */
async function compareReplicas({ world, nodes, witness }: ClusterSimulation): Promise<void> {
  for (const image of partitionsOf(witness.image)) {
    const replicas = nodes.flatMap((node) => openReplica(node, image));
    if (replicas.length < 2) continue;
    const from = Math.max(...replicas.map(({ partition }) => partition.log.logStartOffset));
    const isCompacted = replicas.some(({ partition }) => partition.log.config.isCompacted);
    // What one has cleaned away may be replaced by a record above the watermark of another, which has it, too.
    const upTo = Math.min(
      ...replicas.map(({ partition: { log, highWatermark } }) =>
        isCompacted ? log.logEndOffset : highWatermark,
      ),
    );
    const contents: (readonly [string, Buffer])[] = [];
    for (const { node, partition } of replicas) {
      const bytes = await readRange(partition.log, from, upTo);
      // Damage at rest that nobody had read yet is found now, which is as good as any time.
      if (bytes !== undefined) contents.push([node.name, bytes]);
      else if (!node.isDamaged)
        world.fail(`invariant 49 damage-is-explained: ${partition.name} on ${node.name}`);
    }
    const [first] = contents;
    const other = contents.find(([, bytes]) =>
      isCompacted ? !saySame(bytes, first![1]) : !bytes.equals(first![1]),
    );
    if (other !== undefined) {
      const { name } = replicas[0]!.partition;
      world.fail(
        `invariant 34 replicas-are-equal: ${name} from ${from} to ${upTo} on ${first![0]} and ${other[0]}`,
      );
    }
  }
}

function openReplica(node: ClusterNode, { topicId, partition: index, isr }: PartitionImage) {
  if (!isr.includes(node.plan.id)) return [];
  const partition = node.node?.broker?.partitions.get(topicId, index);
  return partition?.isOpen && partition.offline === undefined ? [{ node, partition }] : [];
}

async function readRange(
  log: { read(from: number, maxBytes: number, upTo: number): Promise<Buffer> },
  from: number,
  upTo: number,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  try {
    for (let offset = from; offset < upTo; ) {
      // A read ends with its segment, and segments of replicas need not be equal.
      const part = await log.read(offset, 64 * MiB, upTo);
      parts.push(part);
      offset = splitBatches(part).at(-1)!.nextOffset;
    }
    return Buffer.concat(parts);
  } catch (error) {
    if ((error as { code?: string }).code === 'LOG_DAMAGED') return undefined;
    throw error;
  }
}
