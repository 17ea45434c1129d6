/**
 * Records to image: the one place where metadata changes. Total and deterministic, so that every node which
 * applies the same log holds the same image. A record that does not fit is a broken invariant, never an answer.
 */
import { assertNever, invariant } from '@millrace/core';
import type { MetadataDelta } from './delta.ts';
import { MetadataDraft } from './draft.ts';
import type { MetadataImage } from './image.ts';
import type {
  BrokerChanged,
  BrokerRegistered,
  MetadataRecord,
  PartitionChanged,
  PartitionsCreated,
} from './record.ts';

/**
 * Applies one entry of the metadata log: all of its records or none.
 *
 * @param offset the entry's offset, at least `image.offset`; `image.offset` afterwards is `offset + 1`.
 */
export function applyRecords(
  image: MetadataImage,
  records: readonly MetadataRecord[],
  offset: number,
): { image: MetadataImage; delta: MetadataDelta } {
  invariant(offset >= image.offset, 'entries apply in order', { offset, next: image.offset });
  const draft = new MetadataDraft(image);
  for (const record of records) applyRecord(draft, record, offset);
  return draft.finish(offset + 1);
}

function applyRecord(draft: MetadataDraft, record: MetadataRecord, offset: number): void {
  switch (record.kind) {
    case 'brokerRegistered':
      registerBroker(draft, record, offset);
      break;
    case 'brokerChanged':
      changeBroker(draft, record);
      break;
    case 'topicCreated':
      draft.createTopic(record.topicId, record.name);
      break;
    case 'partitionsCreated':
      createPartitions(draft, record);
      break;
    case 'partitionChanged':
      changePartition(draft, record);
      break;
    case 'topicDeleted':
      draft.deleteTopic(record.topicId);
      break;
    case 'configChanged':
      draft.setConfig(record.resource, record.name, record.value, offset);
      break;
    case 'producerIdsAllocated':
      invariant(record.firstId >= draft.nextProducerId, 'producer ids are given out once', { ...record });
      draft.nextProducerId = record.firstId + record.count;
      break;
    default:
      assertNever(record);
  }
}

function registerBroker(draft: MetadataDraft, record: BrokerRegistered, offset: number): void {
  const { brokerId, incarnationId, directoryId, endpoints, rack } = record;
  const life = { id: brokerId, brokerEpoch: offset, incarnationId, directoryId, endpoints, rack };
  draft.putBroker({ ...life, fenced: true, inControlledShutdown: false });
}

function changeBroker(draft: MetadataDraft, record: BrokerChanged): void {
  const broker = draft.broker(record.brokerId);
  invariant(broker !== undefined && broker.brokerEpoch === record.brokerEpoch, 'broker life is known', {
    ...record,
    known: broker?.brokerEpoch,
  });
  draft.putBroker({
    ...broker,
    fenced: record.fenced ?? broker.fenced,
    inControlledShutdown: record.inControlledShutdown ?? broker.inControlledShutdown,
  });
}

function createPartitions(draft: MetadataDraft, record: PartitionsCreated): void {
  const { topicId, first, replicas, isr, leaders } = record;
  for (let i = 0; i < replicas.length; i++) {
    draft.addPartition({
      topicId,
      partition: first + i,
      replicas: replicas[i]!,
      isr: isr[i]!,
      elr: [],
      lastKnownElr: [],
      offline: [],
      leader: leaders[i]!,
      leaderEpoch: 0,
      partitionEpoch: 0,
      recovering: false,
    });
  }
}

function changePartition(draft: MetadataDraft, record: PartitionChanged): void {
  const before = draft.partition(record.topicId, record.partition);
  invariant(before !== undefined, 'partition exists', { ...record });
  invariant(record.partitionEpoch === before.partitionEpoch + 1, 'partition epoch rises by one', {
    ...record,
    before: before.partitionEpoch,
  });
  invariant(record.leaderEpoch >= before.leaderEpoch, 'leader epoch never falls', {
    ...record,
    before: before.leaderEpoch,
  });
  draft.putPartition({
    topicId: before.topicId,
    partition: before.partition,
    replicas: before.replicas,
    isr: record.isr ?? before.isr,
    elr: record.elr ?? before.elr,
    lastKnownElr: record.lastKnownElr ?? before.lastKnownElr,
    offline: record.offline ?? before.offline,
    leader: record.leader ?? before.leader,
    leaderEpoch: record.leaderEpoch,
    partitionEpoch: record.partitionEpoch,
    recovering: record.recovering ?? before.recovering,
  });
}
