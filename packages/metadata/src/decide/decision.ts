/**
 * What decisions share. A decision looks at an image and a command and says which records make it true; it changes
 * nothing itself. Records are in an order that stays safe if only the first few of them are ever committed.
 */
import { MillraceError, type NodeId, type Random } from '@millrace/core';
import type { Failure } from '../command.ts';
import type { ConfigScope } from '../effective-config.ts';
import type { BrokerImage, MetadataImage, PartitionImage } from '../image.ts';
import type { MetadataRecord } from '../record.ts';

/** The records that make a decision true, and the answer once they are committed. */
export interface Decision<Reply> {
  readonly records: readonly MetadataRecord[];
  readonly reply: Reply;
}

export interface DecisionLimits {
  readonly partitionsPerRequest: number;
  readonly partitionsPerCluster: number;
  readonly topicsPerRequest: number;
}

export interface DecisionContext {
  readonly random: Random;
  readonly limits: DecisionLimits;
  /** The controller's own file, below the overrides in the image. */
  readonly scope: ConfigScope;
}

/** @throws {MillraceError} STALE_BROKER_EPOCH unless the broker is registered with this epoch. */
export function checkBrokerEpoch(image: MetadataImage, brokerId: NodeId, brokerEpoch: number): BrokerImage {
  const broker = image.brokers.get(brokerId);
  if (broker === undefined) {
    throw new MillraceError('STALE_BROKER_EPOCH', `broker ${brokerId} is not registered`);
  }
  if (broker.brokerEpoch !== brokerEpoch) {
    throw new MillraceError(
      'STALE_BROKER_EPOCH',
      `broker ${brokerId} is registered with epoch ${broker.brokerEpoch}, not ${brokerEpoch}`,
    );
  }
  return broker;
}

/** `orders-3`, or the topic's id if the topic is gone. */
export function nameOf(image: MetadataImage, { topicId, partition }: PartitionImage): string {
  return `${image.topics.get(topicId)?.name ?? topicId}-${partition}`;
}

/** Runs a check of one item; what it throws becomes the item's failure. */
export function failureOf(check: () => void): Failure | undefined {
  try {
    check();
    return undefined;
  } catch (error) {
    if (error instanceof MillraceError) return { code: error.code, message: error.message };
    throw error;
  }
}

/** The items of `list` that are not in `others`, in their order. */
export function without(list: readonly NodeId[], others: readonly NodeId[]): readonly NodeId[] {
  return list.some((id) => others.includes(id)) ? list.filter((id) => !others.includes(id)) : list;
}
