/** Producer ids come in blocks, so that brokers seldom have to ask and none is ever used twice. */
import type { AllocateProducerIdsRequest, AllocateProducerIdsResponse } from '../command.ts';
import type { MetadataImage } from '../image.ts';
import { checkBrokerEpoch, type Decision } from './decision.ts';

/** Kafka's block size. */
const PRODUCER_ID_BLOCK = 1000;

/** @throws {MillraceError} STALE_BROKER_EPOCH. */
export function allocateProducerIds(
  image: MetadataImage,
  { brokerId, brokerEpoch }: AllocateProducerIdsRequest,
): Decision<AllocateProducerIdsResponse> {
  checkBrokerEpoch(image, brokerId, brokerEpoch);
  const block = { firstId: image.nextProducerId, count: PRODUCER_ID_BLOCK };
  return { records: [{ kind: 'producerIdsAllocated', brokerId, brokerEpoch, ...block }], reply: block };
}
