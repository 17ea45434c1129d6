/**
 * A broker's heartbeat: first what it says of its disks, then whether it counts. The order matters: a broker with
 * a failed disk must not be elected by the same heartbeat that unfences it.
 */
import { invariant, type NodeId } from '@millrace/core';
import { applyRecords } from '../apply.ts';
import type { BrokerHeartbeat, PartitionRef } from '../command.ts';
import { type MetadataImage, type PartitionImage, partitionsOf } from '../image.ts';
import type { MetadataRecord } from '../record.ts';
import { changePartition, electionRules, type PartitionTarget } from './change-partition.ts';
import { checkBrokerEpoch, type Decision, type DecisionContext, without } from './decision.ts';
import { beginShutdown, movableLeaderships, unfenceBroker } from './fence-broker.ts';

export interface HeartbeatReply {
  readonly fenced: boolean;
  readonly inControlledShutdown: boolean;
  /** Partitions that the broker leads once the records are committed, and that another replica could still take over. */
  readonly leaderships: number;
}

/** @throws {MillraceError} STALE_BROKER_EPOCH. */
export function heartbeat(
  image: MetadataImage,
  request: BrokerHeartbeat,
  context: DecisionContext,
): Decision<HeartbeatReply> {
  const { brokerId, brokerEpoch, metadataOffset, wantsShutdown, offline } = request;
  checkBrokerEpoch(image, brokerId, brokerEpoch);
  const records = reportOffline(image, brokerId, offline, context);
  let after = records.length === 0 ? image : applyRecords(image, records, image.offset).image;
  const broker = after.brokers.get(brokerId);
  invariant(broker !== undefined, 'a checked broker is registered', { brokerId });

  // P15: a broker that has not seen its own registration would act on an older life's metadata.
  // Whoever began to shut down comes back only as a new life.
  const mayCount = metadataOffset > brokerEpoch && !wantsShutdown && !broker.inControlledShutdown;
  const more = broker.fenced
    ? mayCount
      ? unfenceBroker(after, broker, context)
      : []
    : wantsShutdown
      ? beginShutdown(after, broker, context)
      : [];
  if (more.length > 0) after = applyRecords(after, more, after.offset).image;
  const { fenced, inControlledShutdown } = after.brokers.get(brokerId)!;
  const leaderships = wantsShutdown ? movableLeaderships(after, brokerId) : 0;
  return { records: [...records, ...more], reply: { fenced, inControlledShutdown, leaderships } };
}

function reportOffline(
  image: MetadataImage,
  brokerId: NodeId,
  offline: readonly PartitionRef[],
  context: DecisionContext,
): MetadataRecord[] {
  const failed = new Set(offline.map(keyOf));
  const records: MetadataRecord[] = [];
  for (const partition of partitionsOf(image)) {
    const isFailed = failed.size > 0 && failed.has(keyOf(partition)) && partition.replicas.includes(brokerId);
    if (isFailed === partition.offline.includes(brokerId)) continue;
    const target = isFailed ? afterFailure(partition, brokerId) : afterReturn(partition, brokerId);
    const changed = changePartition(partition, target, electionRules(image, partition.topicId, context));
    if (changed !== undefined) records.push(changed);
  }
  return records;
}

/**
 * A replica with a failed disk may have to be rebuilt, so it vouches for nothing and is not even remembered - unless
 * it was the last that did: then its disk is the only place where the acknowledged records are, and it leads again
 * once it is back.
 */
function afterFailure(partition: PartitionImage, brokerId: NodeId): PartitionTarget {
  const isr = without(partition.isr, [brokerId]);
  const others = isr.length + without(partition.elr, [brokerId]).length;
  const target = { isr, offline: [...partition.offline, brokerId] };
  return others > 0 ? { ...target, wiped: [brokerId] } : target;
}

function afterReturn(partition: PartitionImage, brokerId: NodeId): PartitionTarget {
  return { offline: without(partition.offline, [brokerId]) };
}

function keyOf({ topicId, partition }: PartitionRef): string {
  return `${topicId}:${partition}`;
}
