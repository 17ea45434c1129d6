/**
 * A life of a broker begins (P15). The new life starts fenced, and what its predecessor stood for is judged here:
 * where it led or was in sync it no longer is, and what it may have lost counts no more (P8, KIP-966, S23, S24).
 */
import { MillraceError } from '@millrace/core';
import type { BrokerRegistration } from '../command.ts';
import { type BrokerImage, type MetadataImage, type PartitionImage, partitionsOf } from '../image.ts';
import { mayBeUnsynced } from '../page-cache-time.ts';
import type { MetadataRecord } from '../record.ts';
import { changePartition, electionRules, type PartitionTarget } from './change-partition.ts';
import { type Decision, type DecisionContext, without } from './decision.ts';

/** `registered` names the epoch of a life that is known already; otherwise it is the offset of the last record's entry. */
export type RegistrationReply = { readonly registered: number | undefined };

/**
 * @param hasLiveSession whether the controller still hears the incarnation that is registered now.
 * @throws {MillraceError} DUPLICATE_BROKER_REGISTRATION if another incarnation lives; INVALID_REQUEST.
 */
export function registerBroker(
  image: MetadataImage,
  registration: BrokerRegistration,
  hasLiveSession: boolean,
  context: DecisionContext,
): Decision<RegistrationReply> {
  checkShape(registration);
  const { brokerId, incarnationId, directoryId, endpoints, rack } = registration;
  const known = image.brokers.get(brokerId);
  if (known?.incarnationId === incarnationId) {
    return { records: [], reply: { registered: known.brokerEpoch } };
  }
  if (known !== undefined && hasLiveSession) {
    throw new MillraceError(
      'DUPLICATE_BROKER_REGISTRATION',
      `node.id ${brokerId} is in use by a live broker (incarnation ${known.incarnationId}, ${addressesOf(known)})`,
    );
  }
  const records: MetadataRecord[] = known === undefined ? [] : endLife(image, known, registration, context);
  records.push({ kind: 'brokerRegistered', brokerId, incarnationId, directoryId, endpoints, rack });
  return { records, reply: { registered: undefined } };
}

function checkShape({ brokerId, incarnationId, directoryId, endpoints }: BrokerRegistration): void {
  if (!Number.isSafeInteger(brokerId) || brokerId < 0 || brokerId > 2 ** 31 - 1) {
    throw new MillraceError('INVALID_REQUEST', `broker id ${brokerId} is not in 0 .. 2147483647`);
  }
  if (incarnationId === '' || directoryId === '') {
    throw new MillraceError('INVALID_REQUEST', 'a registration names its incarnation and its directory');
  }
  if (endpoints.length === 0) {
    throw new MillraceError('INVALID_REQUEST', `broker ${brokerId} registers without an endpoint`);
  }
}

function addressesOf({ endpoints }: BrokerImage): string {
  return endpoints.map(({ listener, host, port }) => `${listener}://${host}:${port}`).join(', ');
}

/** What the end of a broker's life does to its partitions. Its offline marks go: the new life reports its own. */
function endLife(
  image: MetadataImage,
  known: BrokerImage,
  registration: BrokerRegistration,
  context: DecisionContext,
): MetadataRecord[] {
  const wiped = known.directoryId !== registration.directoryId;
  const clean = known.brokerEpoch === registration.previousBrokerEpoch;
  const dead = new Map([[known.id, false]]);
  const records: MetadataRecord[] = [];
  for (const partition of partitionsOf(image)) {
    if (!partition.replicas.includes(known.id)) continue;
    const ended: PartitionTarget = {
      isr: without(partition.isr, [known.id]),
      offline: without(partition.offline, [known.id]),
    };
    const target: PartitionTarget = wiped
      ? { ...ended, wiped: [known.id] }
      : !clean && mayHaveLost(image, partition, known.brokerEpoch, context)
        ? { ...ended, lost: [known.id] }
        : ended;
    const rules = electionRules(image, partition.topicId, context, dead);
    const changed = changePartition(partition, target, rules);
    if (changed !== undefined) records.push(changed);
  }
  return records;
}

/**
 * After an unclean stop the page cache may be lost; what was flushed is not. A sole replica keeps its standing:
 * there is no other copy that could be better.
 */
function mayHaveLost(
  image: MetadataImage,
  { replicas, topicId }: PartitionImage,
  brokerEpoch: number,
  context: DecisionContext,
): boolean {
  return replicas.length > 1 && mayBeUnsynced(image, topicId, brokerEpoch, context.scope);
}
