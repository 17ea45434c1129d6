/**
 * The move of a group in use from one protocol to the other (KIP-848, "Online migration"). Up: a member of the consumer
 * protocol joins a classic group of consumers, whose members live on inside. Down: the last such member has gone. Nobody
 * loses what it holds by the move itself; both directions are one batch of records.
 */
import { ClassicGroup, type ClassicGroupOptions } from './classic-group.ts';
import { ConsumerGroup } from './consumer-group.ts';
import { JOIN_EPOCH } from './consumer-heartbeat-check.ts';
import { decodeSubscriptionOf } from './consumer-protocol.ts';
import type { ConsumerGroupHeartbeatRequest, ConsumerGroupHeartbeatResponse } from './group-api.ts';
import type { GroupConfig } from './group-config.ts';
import type { TopicsView } from './group-record.ts';
import type { OutcomeDraft } from './outcome-draft.ts';

export interface Upgrade {
  /** Undefined where the heartbeat was refused: the classic group goes on as if nothing had been asked. */
  readonly group: ConsumerGroup | undefined;
  readonly response: ConsumerGroupHeartbeatResponse;
}

/** Whether this heartbeat may turn the classic group into a consumer group. */
export function mayUpgrade(
  classic: ClassicGroup,
  { memberEpoch }: ConsumerGroupHeartbeatRequest,
  config: GroupConfig,
): boolean {
  return memberEpoch === JOIN_EPOCH && isOpenToConsumers(classic, config);
}

/** Whether members of the consumer protocol may join the classic group, which then moves. */
export function isOpenToConsumers(classic: ClassicGroup, config: GroupConfig): boolean {
  const policy = config['group.consumer.migration.policy'];
  if (policy !== 'upgrade' && policy !== 'bidirectional') return false;
  if (!classic.isOfConsumers) return false;
  // A member whose bytes are not Kafka's own could be given nothing.
  for (const { protocols } of classic.members()) {
    if (protocols.some(({ metadata }) => decodeSubscriptionOf(metadata) === undefined)) return false;
  }
  return true;
}

/** Every join and sync that waits in the classic group is answered with REBALANCE_IN_PROGRESS: its member joins again. */
export function upgradeGroup(
  classic: ClassicGroup,
  options: ClassicGroupOptions,
  request: ConsumerGroupHeartbeatRequest,
  nowMs: number,
  topics: TopicsView,
  out: OutcomeDraft,
): Upgrade {
  const trial = new ConsumerGroup(classic.groupId, { ...options, history: undefined });
  trial.classic.adopt([...classic.members()], classic.epoch, nowMs, topics);
  const refused = trial.heartbeat(request, nowMs, topics).response;
  if (refused.failure !== undefined) return { group: undefined, response: refused };
  const group = new ConsumerGroup(classic.groupId, { ...options, history: classic.history });
  const adopted = group.classic.adopt([...classic.members()], classic.epoch, nowMs, topics);
  const { records, response } = group.heartbeat(request, nowMs, topics);
  classic.dissolve(out);
  for (const record of [...classic.tombstones(), ...adopted, ...records]) out.write(record);
  return { group, response };
}

/**
 * Turns a consumer group whose members all speak the classic protocol into a classic group, where policy and protocols
 * allow it. Its members are told to join again, and keep what they hold until they do.
 */
export function downgradeGroup(
  group: ConsumerGroup,
  options: ClassicGroupOptions,
  nowMs: number,
  topics: TopicsView,
  out: OutcomeDraft,
): ClassicGroup | undefined {
  const policy = options.config['group.consumer.migration.policy'];
  if ((policy !== 'downgrade' && policy !== 'bidirectional') || !group.classic.areAll) return undefined;
  if (group.memberCount > options.config['group.max.size']) return undefined;
  const record = group.classic.classicRecord(topics, options.wallMs());
  if (record === undefined) return undefined;
  for (const tombstone of group.tombstones()) out.write(tombstone);
  out.write(record);
  const epochs = group.classic.epochs();
  const classic = new ClassicGroup(group.groupId, { ...options, history: group.history });
  classic.apply(record);
  classic.takeOver('the last member of the consumer protocol has gone', epochs, nowMs, out);
  return classic;
}
