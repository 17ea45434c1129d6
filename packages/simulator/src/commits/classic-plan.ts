/**
 * Which members of the classic protocol a seed of the world of commits has. Drawn from chance of its own: a seed without
 * them is what it would be if there were none.
 */
import { below, SeededRandom } from '@millrace/core';
import { drawSpeech, type Speech } from '../classic/classic-terms.ts';

/** Sets the stream of classic members apart from the seed's other ones. */
const STREAM = 0x636c_6173;

export interface ClassicPlace {
  readonly groupId: string;
  readonly name: string;
  /** Of a static member: it runs twice, and one fences the other. */
  readonly groupInstanceId: string | undefined;
  readonly speech: Speech;
}

export interface ClassicPlan {
  readonly random: SeededRandom;
  readonly isCooperative: boolean;
  readonly places: readonly ClassicPlace[];
  /** Members by the other protocol in the mixed group: by the SDK, and by the wire. */
  readonly consumers: number;
  readonly wireMembers: number;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** Of every node. */
  readonly settings: Readonly<Record<string, string>>;
}

/** One group speaks the classic protocol alone; in the other one both meet, and it moves between them. */
export const CLASSIC_GROUPS = ['classic', 'mixed'] as const;

/** Undefined for a seed without classic members: every second one, unless somebody decides that. */
export function drawClassic(seed: number, hasClassic?: boolean): ClassicPlan | undefined {
  const random = new SeededRandom((seed ^ STREAM) >>> 0);
  const isDrawn = below(random, 2) === 0;
  if (!(hasClassic ?? isDrawn)) return undefined;
  const isCooperative = below(random, 2) === 0;
  const places = CLASSIC_GROUPS.flatMap((groupId) => {
    const count = groupId === 'classic' ? 2 + below(random, 2) : 1 + below(random, 2);
    return Array.from({ length: count }, (_, i): ClassicPlace => {
      const name = `${groupId}-${i + 1}`;
      const isStatic = below(random, 4) === 0;
      return {
        groupId,
        name,
        groupInstanceId: isStatic ? name : undefined,
        speech: drawSpeech(random, isStatic || isCooperative),
      };
    });
  });
  return {
    random,
    isCooperative,
    places,
    consumers: below(random, 2),
    wireMembers: 1,
    sessionTimeoutMs: 1_000 + 500 * below(random, 3),
    rebalanceTimeoutMs: 1_000 + 500 * below(random, 3),
    settings: {
      'group.min.session.timeout.ms': '500',
      'group.initial.rebalance.delay.ms': `${[0, 0, 200][below(random, 3)]}`,
    },
  };
}
