/** A broker stops or starts to count: fencing, unfencing, and its controlled shutdown. Each moves leaders with it. */
import type { NodeId } from '@millrace/core';
import { type BrokerImage, isActive, type MetadataImage, partitionsOf } from '../image.ts';
import { type MetadataRecord, NO_LEADER } from '../record.ts';
import { changePartition, electionRules } from './change-partition.ts';
import { type DecisionContext, without } from './decision.ts';

/**
 * The broker is gone. Its mark comes last: if only some of the records are committed, the next controller
 * still takes it for alive, misses its heartbeat, and does the rest.
 */
export function fenceBroker(
  image: MetadataImage,
  broker: BrokerImage,
  context: DecisionContext,
): MetadataRecord[] {
  if (broker.fenced) return [];
  const { id, brokerEpoch } = broker;
  return [
    ...leaveInSync(image, id, context),
    { kind: 'brokerChanged', brokerId: id, brokerEpoch, fenced: true },
  ];
}

/** The broker asks to go: it hands over what it leads first, and takes no new leadership or in-sync place. */
export function beginShutdown(
  image: MetadataImage,
  broker: BrokerImage,
  context: DecisionContext,
): MetadataRecord[] {
  if (broker.inControlledShutdown) return [];
  const { id, brokerEpoch } = broker;
  return [
    ...leaveInSync(image, id, context),
    { kind: 'brokerChanged', brokerId: id, brokerEpoch, inControlledShutdown: true },
  ];
}

function leaveInSync(image: MetadataImage, id: NodeId, context: DecisionContext): MetadataRecord[] {
  const gone = new Map([[id, false]]);
  const records: MetadataRecord[] = [];
  for (const partition of partitionsOf(image)) {
    if (partition.leader !== id && !partition.isr.includes(id)) continue;
    const rules = electionRules(image, partition.topicId, context, gone);
    const changed = changePartition(partition, { isr: without(partition.isr, [id]) }, rules);
    if (changed !== undefined) records.push(changed);
  }
  return records;
}

/** The broker is alive and knows of its own registration: it may lead what nobody else can. */
export function unfenceBroker(
  image: MetadataImage,
  broker: BrokerImage,
  context: DecisionContext,
): MetadataRecord[] {
  const { id, brokerEpoch } = broker;
  const alive = new Map([[id, true]]);
  return [
    { kind: 'brokerChanged', brokerId: id, brokerEpoch, fenced: false },
    ...electLeaderless(image, context, alive),
  ];
}

/** Elects wherever a leader is missing and somebody may lead. Also completes what a failover cut short. */
export function electLeaderless(
  image: MetadataImage,
  context: DecisionContext,
  assumed?: ReadonlyMap<NodeId, boolean>,
): MetadataRecord[] {
  const records: MetadataRecord[] = [];
  for (const partition of partitionsOf(image)) {
    if (partition.leader !== NO_LEADER) continue;
    const rules = electionRules(image, partition.topicId, context, assumed);
    const changed = changePartition(partition, {}, rules);
    if (changed !== undefined) records.push(changed);
  }
  return records;
}

/** Partitions that the broker leads and that another replica is alive for: it may lead them now, or once it caught up. */
export function movableLeaderships(image: MetadataImage, brokerId: NodeId): number {
  let count = 0;
  for (const { leader, replicas } of partitionsOf(image)) {
    if (leader === brokerId && replicas.some((replica) => isActive(image, replica))) count++;
  }
  return count;
}
