/** What the controller of a partition world may grant, whoever asks: judged by what was in force before. Decides nothing. */
import type { BrokerHeartbeat } from '@millrace/broker';
import {
  type AlterPartitionsRequest,
  type AlterPartitionsResponse,
  type MetadataImage,
  partitionOf,
} from '@millrace/metadata';

/** Invariants 28 and 29: a change of the ISR is based on the newest state, and names lives of brokers that are registered. */
export function alterationFault(
  before: MetadataImage,
  { partitions }: AlterPartitionsRequest,
  reply: AlterPartitionsResponse,
): string | undefined {
  for (const [
    i,
    { topicId, partition: index, leaderEpoch, partitionEpoch, newIsr },
  ] of partitions.entries()) {
    const known = partitionOf(before, topicId, index);
    if (reply.partitions[i]?.failure !== undefined || known === undefined) continue;
    const name = `${topicId}-${index}`;
    if (leaderEpoch !== known.leaderEpoch || partitionEpoch !== known.partitionEpoch) {
      return (
        `invariant 29 epochs-grow: the ISR of ${name} is changed from epochs ${leaderEpoch} and ${partitionEpoch}, ` +
        `it was at ${known.leaderEpoch} and ${known.partitionEpoch}`
      );
    }
    for (const { brokerId, brokerEpoch } of newIsr) {
      const registered = before.brokers.get(brokerId)?.brokerEpoch;
      if (brokerEpoch === -1 || brokerEpoch === registered) continue;
      return (
        `invariant 28 only-active-brokers-are-in-sync: broker ${brokerId} of epoch ${brokerEpoch} ` +
        `is let into the ISR of ${name}, it has epoch ${registered}`
      );
    }
  }
  return undefined;
}

/** P15: who counts has seen its own registration. */
export function unfencingFault(
  before: MetadataImage,
  after: MetadataImage,
  { brokerId, brokerEpoch, metadataOffset }: BrokerHeartbeat,
): string | undefined {
  const isUnfenced =
    before.brokers.get(brokerId)?.fenced === true && after.brokers.get(brokerId)?.fenced === false;
  if (!isUnfenced || metadataOffset > brokerEpoch) return undefined;
  return `invariant 28 only-active-brokers-are-in-sync: broker ${brokerId} counts although it knows ${metadataOffset} of the metadata and registered at ${brokerEpoch}`;
}
