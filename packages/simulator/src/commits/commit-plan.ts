/**
 * What a seed of the world of commits is like: one coordinator, few members, and troubles that make commits late, crowded or
 * unanswered. No disk and no node fails here, so that one seed is short and its troubles come often.
 */
import { below, type SeededRandom } from '@millrace/core';
import { OFFSETS_TOPIC } from '@millrace/metadata';
import type { ClusterLayout, NodePlan } from '../cluster/cluster-layout.ts';
import type { ClassicPlan } from './classic-plan.ts';

/**
 * `late`: commits are overtaken by heartbeats. `crowds`: commits of one turn are together more than the log takes in one
 * batch. `stalls`: the followers of the coordinator's log do not hear of it for a while.
 */
type Trouble = 'late' | 'crowds' | 'stalls';

export interface CommitPlan {
  readonly troubles: ReadonlySet<Trouble>;
  readonly wireMembers: number;
  readonly consumers: number;
  /** Of the topic that all groups read. */
  readonly partitions: number;
  readonly rebalanceTimeoutMs: number;
  readonly layout: ClusterLayout;
  /** Undefined in a seed without members of the classic protocol. */
  readonly classic: ClassicPlan | undefined;
}

export const TOPIC = 'read';
/** In a seed with crowds. One commit fits, and so does what a rebalance writes. */
export const CROWDED_BATCH_BYTES = 4_096;
/** Far shorter than the stalls: heartbeats and commits are tried many times while one lasts. */
const COMMIT_TIMEOUT_MS = 200;
const MINUTE_MS = '60000';

export function drawCommitPlan(random: SeededRandom, classic: ClassicPlan | undefined): CommitPlan {
  const all: readonly Trouble[] = ['late', 'crowds', 'stalls'];
  const drawn = all.filter(() => below(random, 2) === 0);
  const partitions = 2 + below(random, 3);
  return {
    troubles: new Set(drawn.length === 0 ? [all[below(random, all.length)]!] : drawn),
    wireMembers: 2 + below(random, 2),
    consumers: 2 + below(random, 2),
    partitions,
    rebalanceTimeoutMs: 1_500 + 500 * below(random, 3),
    layout: layoutOf(partitions, classic?.settings ?? {}),
    classic,
  };
}

/** A controller apart from three brokers: what stands between brokers moves no leadership. */
function layoutOf(partitions: number, settings: ClassicPlan['settings']): ClusterLayout {
  const nodes: NodePlan[] = [1, 2, 3, 4].map((id) => ({
    id,
    name: `node-${id}`,
    isController: id === 1,
    isBroker: id > 1,
  }));
  const durable = { 'min.insync.replicas': '2' };
  const strict = { replicas: 3, isStrict: true, isPageCache: false, hasRetention: false };
  return {
    nodes,
    settings: {
      'broker.session.timeout.ms': MINUTE_MS,
      'replica.lag.time.max.ms': MINUTE_MS,
      'replica.socket.timeout.ms': MINUTE_MS,
      'default.replication.factor': '3',
      'min.insync.replicas': '2',
      'group.consumer.session.timeout.ms': '4000',
      'group.consumer.heartbeat.interval.ms': '200',
      'offsets.commit.timeout.ms': `${COMMIT_TIMEOUT_MS}`,
      'offsets.topic.num.partitions': '1',
      ...settings,
    },
    topics: [{ name: TOPIC, partitions, configs: durable, ...strict }],
    internalTopics: [{ name: OFFSETS_TOPIC, partitions: 1, configs: durable, ...strict }],
    producers: 1,
    consumers: 0,
    sessionTimeoutMs: 60_000,
    fetchTimeoutMs: 2_000,
    electionTimeoutMs: 1_000,
  };
}
