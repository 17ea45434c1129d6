/** What a member of a consumer group wants: how heartbeats change it, and which changes concern the others. */
import type { MemberSubscription } from './consumer-group-state.ts';
import { JOIN_EPOCH } from './consumer-heartbeat-check.ts';
import type { ConsumerGroupHeartbeatRequest } from './group-api.ts';

/** A heartbeat that joins says everything; a later one only what has changed. */
export function subscriptionOf(
  request: ConsumerGroupHeartbeatRequest,
  known: MemberSubscription | undefined,
): MemberSubscription {
  const before = request.memberEpoch === JOIN_EPOCH ? undefined : known;
  const pattern = request.subscribedTopicRegex ?? before?.subscribedTopicRegex;
  return {
    groupInstanceId: request.groupInstanceId ?? before?.groupInstanceId,
    rackId: request.rackId ?? before?.rackId,
    clientId: request.clientId,
    clientHost: request.clientHost,
    subscribedTopicNames: namesOf(request.subscribedTopicNames, before),
    subscribedTopicRegex: pattern === '' ? undefined : pattern,
    rebalanceTimeoutMs: request.rebalanceTimeoutMs ?? before?.rebalanceTimeoutMs ?? 0,
    serverAssignor: request.serverAssignor ?? before?.serverAssignor,
    classic: undefined,
  };
}

function namesOf(
  names: readonly string[] | undefined,
  before: MemberSubscription | undefined,
): readonly string[] {
  return names === undefined ? (before?.subscribedTopicNames ?? []) : [...new Set(names)].sort();
}

export function isSameSubscription(a: MemberSubscription, b: MemberSubscription): boolean {
  return (
    !rebalances(a, b) &&
    a.groupInstanceId === b.groupInstanceId &&
    a.clientId === b.clientId &&
    a.clientHost === b.clientHost &&
    a.rebalanceTimeoutMs === b.rebalanceTimeoutMs &&
    isSameClassic(a.classic, b.classic)
  );
}

function isSameClassic(a: MemberSubscription['classic'], b: MemberSubscription['classic']): boolean {
  if (a === undefined || b === undefined) return a === b;
  return (
    a.sessionTimeoutMs === b.sessionTimeoutMs &&
    a.protocols.length === b.protocols.length &&
    a.protocols.every(({ name, metadata }, index) => {
      const other = b.protocols[index]!;
      return name === other.name && metadata.equals(other.metadata);
    })
  );
}

/** Whether the change may move partitions. */
export function rebalances(a: MemberSubscription, b: MemberSubscription): boolean {
  return (
    a.rackId !== b.rackId ||
    a.serverAssignor !== b.serverAssignor ||
    a.subscribedTopicRegex !== b.subscribedTopicRegex ||
    a.subscribedTopicNames.length !== b.subscribedTopicNames.length ||
    !a.subscribedTopicNames.every((name, index) => name === b.subscribedTopicNames[index])
  );
}

const NAMED_MAX = 5;

export function subscriptionText({ subscribedTopicNames, subscribedTopicRegex }: MemberSubscription): string {
  const names = subscribedTopicNames.slice(0, NAMED_MAX).join(', ');
  const rest =
    subscribedTopicNames.length > NAMED_MAX ? ` and ${subscribedTopicNames.length - NAMED_MAX} more` : '';
  const pattern = subscribedTopicRegex === undefined ? '' : `pattern ${subscribedTopicRegex}`;
  const wanted = [`${names}${rest}`, pattern].filter((part) => part !== '').join(' and ');
  return `subscribes to ${wanted === '' ? 'nothing' : wanted}`;
}
