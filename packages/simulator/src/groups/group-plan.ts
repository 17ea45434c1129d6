/**
 * Which groups a seed has, what they read, and how its coordinators are set. Drawn from chance of its own: a seed without
 * groups is what it would be if there were none.
 */
import { below, SeededRandom } from '@millrace/core';
import { OFFSETS_TOPIC } from '@millrace/metadata';
import type { ClusterLayout, TopicPlan } from '../cluster/cluster-layout.ts';
import type { ClassicMembersPlan } from './classic-groups.ts';

/** Sets the stream of groups apart from the seed's other ones. */
const STREAM = 0x6772_6f75;

export interface GroupPlan {
  readonly groupId: string;
  /** By the SDK. */
  readonly members: number;
  readonly topics: readonly string[];
  /** Members of the classic protocol; undefined for none. */
  readonly classic?: ClassicMembersPlan | undefined;
}

export interface GroupsPlan {
  readonly groups: readonly GroupPlan[];
  /** What members, their days and their deaths are drawn from. */
  readonly random: SeededRandom;
  /** The same for members of the classic protocol; undefined without any. */
  readonly classicRandom?: SeededRandom | undefined;
  /** Settings of every node. */
  readonly settings: Readonly<Record<string, string>>;
  /** As faults must treat it: what it holds may not be lost. */
  readonly offsetsTopic: TopicPlan;
  readonly offsetsPartitions: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** A member that does not come back to read within this leaves. */
  readonly maxPollIntervalMs: number;
}

/** Undefined for a seed without groups: about every second one, unless somebody decides that. */
export function drawGroups(seed: number, layout: ClusterLayout, hasGroups?: boolean): GroupsPlan | undefined {
  const random = new SeededRandom((seed ^ STREAM) >>> 0);
  const isDrawn = below(random, 2) > 0;
  if (!(hasGroups ?? isDrawn)) return undefined;
  // Of other topics acknowledged records may be lost, and with them what was committed about them.
  const topics = layout.topics.filter(({ isStrict }) => isStrict).map(({ name }) => name);
  const groups = Array.from({ length: 1 + below(random, 2) }, (_, index) => ({
    groupId: ['readers', 'auditors'][index]!,
    members: 1 + below(random, 3),
    topics: index === 0 ? topics : topics.slice(0, 1 + below(random, topics.length)),
  }));
  const sessionTimeoutMs = 2_000 + 1_000 * below(random, 5);
  const offsetsPartitions = 1 + below(random, 3);
  const segmentBytes = [2_048, 16_384, 262_144][below(random, 3)]!;
  return {
    groups,
    random,
    settings: {
      'group.consumer.session.timeout.ms': `${sessionTimeoutMs}`,
      'group.consumer.heartbeat.interval.ms': `${Math.floor(sessionTimeoutMs / (3 + below(random, 3)))}`,
      'offsets.topic.num.partitions': `${offsetsPartitions}`,
      'log.cleaner.backoff.ms': `${[500, 5_000, 15_000][below(random, 3)]}`,
    },
    offsetsTopic: {
      name: OFFSETS_TOPIC,
      partitions: offsetsPartitions,
      replicas: 3,
      configs: { 'min.insync.replicas': '2', 'segment.bytes': `${segmentBytes}` },
      isStrict: true,
      isPageCache: false,
      hasRetention: false,
    },
    offsetsPartitions,
    sessionTimeoutMs,
    rebalanceTimeoutMs: 3_000 + 2_000 * below(random, 4),
    maxPollIntervalMs: 3_000 + 2_000 * below(random, 4),
  };
}

/** The same cluster, set for its groups. */
export function withGroups(layout: ClusterLayout, plan: GroupsPlan | undefined): ClusterLayout {
  if (plan === undefined) return layout;
  return {
    ...layout,
    settings: { ...layout.settings, ...plan.settings },
    internalTopics: [plan.offsetsTopic],
  };
}
