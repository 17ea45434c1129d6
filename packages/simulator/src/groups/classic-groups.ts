/**
 * Which members of the classic protocol the groups of a seed have: in a group of their own, or beside the SDK's, where the
 * group moves between the protocols. Drawn from chance of its own: a seed without them is what it would be if there were none.
 */
import { below, SeededRandom } from '@millrace/core';
import type { GroupPlan, GroupsPlan } from './group-plan.ts';

/** Sets the stream of classic members apart from the seed's other ones. */
const STREAM = 0x636c_6770;

export interface ClassicMembersPlan {
  readonly count: number;
  readonly isCooperative: boolean;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
}

/** The groups of the seed with their classic members; as they are in every second seed, unless somebody decides that. */
export function withClassic(seed: number, plan: GroupsPlan, hasClassic?: boolean): GroupsPlan {
  const random = new SeededRandom((seed ^ STREAM) >>> 0);
  const isDrawn = below(random, 2) === 0;
  if (!(hasClassic ?? isDrawn)) return plan;
  const members = (most: number): ClassicMembersPlan => ({
    count: 1 + below(random, most),
    isCooperative: below(random, 2) === 0,
    sessionTimeoutMs: 2_000 + 1_000 * below(random, 4),
    rebalanceTimeoutMs: plan.maxPollIntervalMs,
  });
  const kind = below(random, 3);
  const [first, ...others] = plan.groups as [GroupPlan, ...GroupPlan[]];
  const mixed = kind === 0 ? first : { ...first, classic: members(2) };
  const alone = { groupId: 'classics', members: 0, topics: first.topics, classic: members(3) };
  return {
    ...plan,
    groups: [mixed, ...others, ...(kind === 1 ? [] : [alone])],
    classicRandom: random,
    settings: {
      ...plan.settings,
      'group.min.session.timeout.ms': '1000',
      'group.initial.rebalance.delay.ms': `${[0, 300, 1_000][below(random, 3)]}`,
    },
  };
}
