/** A leader asks to change in-sync sets. The checks stand in the order of rule P10; each refusal changes nothing. */
import { MillraceError, type NodeId } from '@millrace/core';
import type {
  AlteredPartition,
  AlterPartitionsRequest,
  AlterPartitionsResponse,
  PartitionAlteration,
} from '../command.ts';
import { type MetadataImage, type PartitionImage, partitionOf } from '../image.ts';
import { type MetadataRecord, NO_LEADER } from '../record.ts';
import { changePartition, electionRules } from './change-partition.ts';
import { checkBrokerEpoch, type Decision, type DecisionContext, failureOf, nameOf } from './decision.ts';

/** @throws {MillraceError} STALE_BROKER_EPOCH. */
export function alterPartitions(
  image: MetadataImage,
  request: AlterPartitionsRequest,
  context: DecisionContext,
): Decision<AlterPartitionsResponse> {
  checkBrokerEpoch(image, request.brokerId, request.brokerEpoch);
  const records: MetadataRecord[] = [];
  const seen = new Set<string>();
  const partitions = request.partitions.map((alteration): AlteredPartition => {
    const { topicId, partition: index, newIsr, recovering } = alteration;
    const partition = partitionOf(image, topicId, index);
    const key = `${topicId}:${index}`;
    const failure = failureOf(() => {
      checkAlteration(image, request.brokerId, alteration, partition);
      if (seen.has(key)) throw refused('INVALID_REQUEST', image, partition!, 'is in the request twice');
    });
    if (partition === undefined || failure !== undefined) {
      return { ...stateOf(alteration, partition), ...(failure === undefined ? {} : { failure }) };
    }
    seen.add(key);
    const isr = inReplicaOrder(
      partition,
      newIsr.map((member) => member.brokerId),
    );
    const changed = changePartition(partition, { isr, recovering }, electionRules(image, topicId, context));
    if (changed === undefined) return stateOf(alteration, partition);
    records.push(changed);
    const { leaderEpoch, partitionEpoch } = changed;
    return {
      topicId,
      partition: index,
      leaderId: request.brokerId,
      leaderEpoch,
      partitionEpoch,
      isr,
      recovering,
    };
  });
  return { records, reply: { partitions } };
}

function checkAlteration(
  image: MetadataImage,
  sender: NodeId,
  alteration: PartitionAlteration,
  partition: PartitionImage | undefined,
): asserts partition is PartitionImage {
  const { topicId, leaderEpoch, partitionEpoch } = alteration;
  if (!image.topics.has(topicId))
    throw new MillraceError('UNKNOWN_TOPIC_ID', `no topic has the id ${topicId}`);
  if (partition === undefined) {
    throw new MillraceError(
      'UNKNOWN_TOPIC_OR_PARTITION',
      `topic ${image.topics.get(topicId)!.name} has no partition ${alteration.partition}`,
    );
  }
  const against = (kind: string, asked: number, known: number): string =>
    `is at ${kind} ${known}, the request is for ${asked}`;
  const ofLeader = against('leader epoch', leaderEpoch, partition.leaderEpoch);
  if (leaderEpoch > partition.leaderEpoch) throw refused('NOT_CONTROLLER', image, partition, ofLeader);
  if (leaderEpoch < partition.leaderEpoch) throw refused('FENCED_LEADER_EPOCH', image, partition, ofLeader);
  const ofPartition = against('partition epoch', partitionEpoch, partition.partitionEpoch);
  if (partitionEpoch > partition.partitionEpoch)
    throw refused('NOT_CONTROLLER', image, partition, ofPartition);
  if (partitionEpoch < partition.partitionEpoch) {
    throw refused('INVALID_UPDATE_VERSION', image, partition, ofPartition);
  }
  if (partition.leader !== sender) {
    throw refused('INVALID_REQUEST', image, partition, `is led by ${partition.leader}, not by ${sender}`);
  }
  checkIsr(image, alteration, partition);
}

function checkIsr(
  image: MetadataImage,
  { newIsr, recovering }: PartitionAlteration,
  partition: PartitionImage,
): void {
  const ids = newIsr.map((member) => member.brokerId);
  const stranger = ids.find((id) => !partition.replicas.includes(id));
  if (stranger !== undefined) {
    throw refused('INVALID_REQUEST', image, partition, `has no replica on broker ${stranger}`);
  }
  if (new Set(ids).size !== ids.length) {
    throw refused('INVALID_REQUEST', image, partition, 'would have a broker in sync twice');
  }
  if (!ids.includes(partition.leader)) {
    throw refused('INVALID_REQUEST', image, partition, 'would have an in-sync set without its leader');
  }
  if (recovering && ids.length !== 1) {
    throw refused('INVALID_REQUEST', image, partition, 'is recovering: only its leader can be in sync');
  }
  if (recovering && !partition.recovering) {
    throw refused('INVALID_REQUEST', image, partition, 'has recovered and cannot go back');
  }
  for (const { brokerId, brokerEpoch } of newIsr) {
    const fault = ineligibility(image, partition, brokerId, brokerEpoch);
    if (fault !== undefined) {
      throw refused(
        'INELIGIBLE_REPLICA',
        image,
        partition,
        `cannot have broker ${brokerId} in sync: ${fault}`,
      );
    }
  }
}

function ineligibility(
  image: MetadataImage,
  partition: PartitionImage,
  brokerId: NodeId,
  brokerEpoch: number,
): string | undefined {
  const broker = image.brokers.get(brokerId);
  if (broker === undefined) return 'it is not registered';
  if (broker.fenced) return 'it is fenced';
  if (broker.inControlledShutdown) return 'it is shutting down';
  if (brokerEpoch !== -1 && brokerEpoch !== broker.brokerEpoch) {
    return `its broker epoch is ${broker.brokerEpoch}, not ${brokerEpoch}`;
  }
  return partition.offline.includes(brokerId) ? 'its disk failed' : undefined;
}

function refused(
  code: ConstructorParameters<typeof MillraceError>[0],
  image: MetadataImage,
  partition: PartitionImage,
  reason: string,
): MillraceError {
  return new MillraceError(code, `${nameOf(image, partition)} ${reason}`);
}

/** Replica order, so that equal sets are equal lists. */
function inReplicaOrder(partition: PartitionImage, ids: readonly NodeId[]): readonly NodeId[] {
  return partition.replicas.filter((id) => ids.includes(id));
}

function stateOf(
  { topicId, partition }: PartitionAlteration,
  known: PartitionImage | undefined,
): AlteredPartition {
  return {
    topicId,
    partition,
    leaderId: known?.leader ?? NO_LEADER,
    leaderEpoch: known?.leaderEpoch ?? -1,
    partitionEpoch: known?.partitionEpoch ?? -1,
    isr: known?.isr ?? [],
    recovering: known?.recovering ?? false,
  };
}
