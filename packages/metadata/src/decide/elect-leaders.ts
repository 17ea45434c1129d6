/** Elections that somebody asked for, and the automatic return of leadership to the preferred replica. */
import { MillraceError, type NodeId } from '@millrace/core';
import type { ElectedPartition, ElectLeadersRequest, ElectLeadersResponse } from '../command.ts';
import { isActive, type MetadataImage, type PartitionImage, partitionsOf, topicByName } from '../image.ts';
import { type MetadataRecord, NO_LEADER, type PartitionChanged } from '../record.ts';
import { changePartition, electionRules } from './change-partition.ts';
import { type Decision, type DecisionContext, failureOf } from './decision.ts';

/** Elects for the partitions named; for all of them if none is, leaving out those that need no election. */
export function electLeaders(
  image: MetadataImage,
  { election, partitions = [] }: ElectLeadersRequest,
  context: DecisionContext,
): Decision<ElectLeadersResponse> {
  if (election !== 'preferred' && election !== 'unclean') {
    throw new MillraceError(
      'INVALID_REQUEST',
      `election must be preferred or unclean, not ${String(election)}`,
    );
  }
  const everything = partitions.length === 0;
  const asked = everything ? allPartitions(image) : partitions;
  const records: MetadataRecord[] = [];
  const results: ElectedPartition[] = [];
  const seen = new Set<string>();
  for (const { topic, partition } of asked) {
    let leaderId = NO_LEADER;
    const failure = failureOf(() => {
      const known = topicByName(image, topic)?.partitions[partition];
      if (known === undefined) {
        throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no partition ${topic}-${partition}`);
      }
      leaderId = known.leader;
      if (seen.has(`${topic}:${partition}`)) return;
      seen.add(`${topic}:${partition}`);
      const record = electOne(image, `${topic}-${partition}`, known, election, context);
      leaderId = record.leader ?? known.leader;
      records.push(record);
    });
    if (everything && failure?.code === 'ELECTION_NOT_NEEDED') continue;
    results.push({ topic, partition, leaderId, ...(failure === undefined ? {} : { failure }) });
  }
  return { records, reply: { partitions: results } };
}

function allPartitions(image: MetadataImage): { topic: string; partition: number }[] {
  return [...image.topics.values()].flatMap(({ name, partitions }) =>
    partitions.map(({ partition }) => ({ topic: name, partition })),
  );
}

function electOne(
  image: MetadataImage,
  name: string,
  partition: PartitionImage,
  election: 'preferred' | 'unclean',
  context: DecisionContext,
): PartitionChanged {
  const rules = electionRules(image, partition.topicId, context);
  if (election === 'preferred') {
    const preferred = partition.replicas[0]!;
    if (partition.leader === preferred) {
      throw new MillraceError('ELECTION_NOT_NEEDED', `${name} is led by its preferred replica ${preferred}`);
    }
    const record = changePartition(partition, { preferred: true }, rules);
    if (record?.leader !== preferred) {
      throw new MillraceError(
        'PREFERRED_LEADER_NOT_AVAILABLE',
        `${name}: preferred replica ${preferred} ${whyNot(image, partition, preferred)}`,
      );
    }
    return record;
  }
  if (partition.leader !== NO_LEADER) {
    throw new MillraceError('ELECTION_NOT_NEEDED', `${name} is led by ${partition.leader}`);
  }
  const record = changePartition(partition, {}, { ...rules, uncleanAllowed: true });
  if (record?.leader === undefined) {
    throw new MillraceError(
      'ELIGIBLE_LEADERS_NOT_AVAILABLE',
      `${name}: none of its replicas ${partition.replicas.join(', ')} is alive`,
    );
  }
  return record;
}

function whyNot(image: MetadataImage, partition: PartitionImage, broker: NodeId): string {
  if (!isActive(image, broker)) return 'is not alive';
  return partition.offline.includes(broker)
    ? 'has a failed disk'
    : `is not in sync (${partition.isr.join(', ') || 'nobody is'})`;
}

/**
 * Leadership back to preferred replicas that are in sync, for brokers where more than `imbalancePercent` of the
 * partitions that prefer them are led by others. At most `limit` changes at a time.
 */
export function rebalanceLeaders(
  image: MetadataImage,
  imbalancePercent: number,
  limit: number,
  context: DecisionContext,
): MetadataRecord[] {
  const preferring = new Map<NodeId, { total: number; elsewhere: PartitionImage[] }>();
  for (const partition of partitionsOf(image)) {
    const preferred = partition.replicas[0]!;
    const counts = preferring.get(preferred) ?? { total: 0, elsewhere: [] };
    preferring.set(preferred, counts);
    counts.total++;
    if (partition.leader !== preferred) counts.elsewhere.push(partition);
  }
  const records: MetadataRecord[] = [];
  for (const [broker, { total, elsewhere }] of preferring) {
    if ((elsewhere.length / total) * 100 <= imbalancePercent) continue;
    for (const partition of elsewhere) {
      if (records.length >= limit) return records;
      const rules = electionRules(image, partition.topicId, context);
      const record = changePartition(partition, { preferred: true }, { ...rules, uncleanAllowed: false });
      if (record?.leader === broker) records.push(record);
    }
  }
  return records;
}
