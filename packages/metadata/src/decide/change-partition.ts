/**
 * The one way in which a partition changes: new in-sync set and standings in, complete record out, with the election
 * (P12), the eligible leader replicas (P13, KIP-966) and both epochs. Nobody else builds `partitionChanged` records.
 */
import type { NodeId, TopicId } from '@millrace/core';
import { topicConfigOf } from '../effective-config.ts';
import { isActive, type MetadataImage, type PartitionImage } from '../image.ts';
import { NO_LEADER, type PartitionChanged } from '../record.ts';
import { type DecisionContext, without } from './decision.ts';

/** What the cluster knows that matters for one partition's election. */
export interface ElectionRules {
  readonly minInsync: number;
  readonly uncleanAllowed: boolean;
  /** Who stopped uncleanly as the last that was eligible may lead again although it may have lost its page cache. */
  readonly lastKnownAllowed: boolean;
  /** Alive and staying. */
  isActive(broker: NodeId): boolean;
}

/** What shall change; everything absent stays. */
export interface PartitionTarget {
  readonly isr?: readonly NodeId[];
  readonly offline?: readonly NodeId[];
  readonly recovering?: boolean;
  /** Cannot vouch for their data any more: leave ISR and ELR, and are remembered as last known. */
  readonly lost?: readonly NodeId[];
  /** Have no data any more: leave everything. */
  readonly wiped?: readonly NodeId[];
  /** Gives the lead to the first replica if it is in sync. */
  readonly preferred?: true;
  /** Raises the partition epoch even if nothing else changes. */
  readonly touch?: true;
}

/**
 * The rules for partitions of a topic. `assumed` tells of brokers that are about to change in the same decision:
 * as active or not.
 */
export function electionRules(
  image: MetadataImage,
  topicId: TopicId,
  context: DecisionContext,
  assumed: ReadonlyMap<NodeId, boolean> = new Map(),
): ElectionRules {
  const config = topicConfigOf(image, topicId, context.scope);
  return {
    minInsync: config['min.insync.replicas'],
    uncleanAllowed: config['unclean.leader.election.enable'],
    lastKnownAllowed: config.durability === 'page-cache',
    isActive: (broker) => assumed.get(broker) ?? isActive(image, broker),
  };
}

/** The record that brings `partition` to `target`, or undefined if it is there already. */
export function changePartition(
  partition: PartitionImage,
  target: PartitionTarget,
  rules: ElectionRules,
): PartitionChanged | undefined {
  const standing = standingsAfter(partition, target, rules);
  const elected = elect(partition, standing, target, rules);
  return recordOf(partition, elected, target.touch === true);
}

interface Standings {
  readonly isr: readonly NodeId[];
  readonly elr: readonly NodeId[];
  readonly lastKnownElr: readonly NodeId[];
  readonly offline: readonly NodeId[];
  readonly recovering: boolean;
}

interface Elected extends Standings {
  readonly leader: number;
  readonly unclean: boolean;
}

/** ISR, ELR and last known ELR before any election. */
function standingsAfter(partition: PartitionImage, target: PartitionTarget, rules: ElectionRules): Standings {
  const { lost = [], wiped = [] } = target;
  const gone = [...lost, ...wiped];
  const isr = without(target.isr ?? partition.isr, gone);
  const kept = {
    offline: target.offline ?? partition.offline,
    recovering: target.recovering ?? partition.recovering,
  };
  if (isr.length >= Math.min(rules.minInsync, partition.replicas.length)) {
    return { isr, elr: [], lastKnownElr: [], ...kept };
  }
  // Everyone who was eligible holds all below the high watermark: it stood still while the ISR was too small.
  const eligible = [...without(partition.elr, partition.isr), ...partition.isr];
  const elr = without(eligible, [...isr, ...gone]);
  const remembered = [...eligible.filter((id) => lost.includes(id)), ...partition.lastKnownElr];
  const lastKnownElr = without([...new Set(remembered)], [...isr, ...elr, ...wiped]);
  return { isr, elr, lastKnownElr: leaderFirst(lastKnownElr, partition.leader), ...kept };
}

function leaderFirst(list: readonly NodeId[], leader: number): readonly NodeId[] {
  return list.includes(leader) ? [leader, ...without(list, [leader])] : list;
}

function elect(
  partition: PartitionImage,
  standing: Standings,
  target: PartitionTarget,
  rules: ElectionRules,
): Elected {
  const { replicas, leader } = partition;
  const canLead = (id: NodeId): boolean => rules.isActive(id) && !standing.offline.includes(id);
  const inSync = (id: NodeId): boolean => standing.isr.includes(id) && canLead(id);
  const preferred = replicas[0];
  if (target.preferred && preferred !== undefined && inSync(preferred)) {
    return { ...standing, leader: preferred, unclean: false };
  }
  if (leader !== NO_LEADER && inSync(leader)) return { ...standing, leader, unclean: false };
  const next = replicas.find(inSync);
  if (next !== undefined) return { ...standing, leader: next, unclean: false };

  if (standing.isr.length === 0) {
    const eligible = replicas.find((id) => standing.elr.includes(id) && canLead(id));
    if (eligible !== undefined) return electEligible(partition, standing, eligible, rules);
    // Only the newest: whoever is further down may have been eligible for less long, and the newest may come back.
    const lastKnown = standing.elr.length === 0 ? standing.lastKnownElr[0] : undefined;
    if (rules.lastKnownAllowed && lastKnown !== undefined && canLead(lastKnown)) {
      return electUncleanly(standing, lastKnown);
    }
  }
  if (rules.uncleanAllowed) {
    const anyone = [...standing.lastKnownElr, ...replicas].find(canLead);
    if (anyone !== undefined) return electUncleanly(standing, anyone);
  }
  return { ...standing, leader: NO_LEADER, unclean: false };
}

/** The rest of the ELR stays eligible for as long as the new ISR is too small for the high watermark to move. */
function electEligible(
  partition: PartitionImage,
  standing: Standings,
  leader: NodeId,
  rules: ElectionRules,
): Elected {
  const enough = Math.min(rules.minInsync, partition.replicas.length) <= 1;
  return {
    ...standing,
    isr: [leader],
    elr: enough ? [] : without(standing.elr, [leader]),
    lastKnownElr: enough ? [] : standing.lastKnownElr,
    leader,
    unclean: false,
  };
}

/** Whatever others held beyond the new leader's log is given up: nobody else may be eligible by it. */
function electUncleanly(standing: Standings, leader: NodeId): Elected {
  const { offline } = standing;
  return { isr: [leader], elr: [], lastKnownElr: [], offline, recovering: true, leader, unclean: true };
}

function recordOf(before: PartitionImage, after: Elected, touch: boolean): PartitionChanged | undefined {
  const leaderMoved = after.leader !== before.leader;
  const changes = {
    ...(sameIds(before.isr, after.isr) ? {} : { isr: after.isr }),
    ...(sameIds(before.elr, after.elr) ? {} : { elr: after.elr }),
    ...(sameIds(before.lastKnownElr, after.lastKnownElr) ? {} : { lastKnownElr: after.lastKnownElr }),
    ...(sameIds(before.offline, after.offline) ? {} : { offline: after.offline }),
    ...(leaderMoved ? { leader: after.leader } : {}),
    ...(before.recovering === after.recovering ? {} : { recovering: after.recovering }),
    ...(after.unclean ? { unclean: true as const } : {}),
  };
  if (Object.keys(changes).length === 0 && !touch) return undefined;
  return {
    kind: 'partitionChanged',
    topicId: before.topicId,
    partition: before.partition,
    leaderEpoch: before.leaderEpoch + (leaderMoved ? 1 : 0),
    partitionEpoch: before.partitionEpoch + 1,
    ...changes,
  };
}

function sameIds(a: readonly NodeId[], b: readonly NodeId[]): boolean {
  return a.length === b.length && a.every((id, index) => id === b[index]);
}
