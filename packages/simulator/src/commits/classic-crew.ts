/**
 * The members of the world of commits that speak the classic protocol, and those that share a group with them; killed and
 * paused by chance of their own.
 */
import { below, type SeededRandom } from '@millrace/core';
import { bringBefore, type WritableHolder } from '../classic/classic-holder.ts';
import { exponential } from '../world/exponential.ts';
import type { SimProcess } from '../world/sim-process.ts';
import { ClassicMember } from './classic-member.ts';
import type { ClassicPlan } from './classic-plan.ts';
import type { CommitCrew } from './commit-crew.ts';
import { SdkMember } from './sdk-member.ts';
import { type HolderCourt, WireMember } from './wire-member.ts';

const TROUBLE_MEAN_MS = 2_500;
const DOWN_MEAN_MS = 500;
const PAUSE_MEAN_MS = 1_200;

export class ClassicCrew implements HolderCourt {
  readonly crew: CommitCrew;
  readonly plan: ClassicPlan;
  readonly counts = {
    'classic stays': 0,
    'classic assignments': 0,
    'classic commits': 0,
    'classic commits of an older generation': 0,
    'classic commits of no member': 0,
    'classic commits of a fenced instance': 0,
    'other refused classic commits': 0,
  };
  readonly #random: SeededRandom;
  readonly #members: readonly ClassicMember[];
  readonly #wireMembers: readonly WireMember[];
  readonly #sdkMembers: readonly SdkMember[];
  readonly #holders = new Set<WritableHolder>();
  #serial = 0;

  constructor(crew: CommitCrew, plan: ClassicPlan) {
    this.crew = crew;
    this.plan = plan;
    const { random } = plan;
    this.#random = random.fork();
    this.#members = plan.places.flatMap((place) => {
      const names = place.groupInstanceId === undefined ? [place.name] : [place.name, `${place.name}-again`];
      return names.map((name) => new ClassicMember(this, place, name, random.fork()));
    });
    const each = <T>(count: number, make: (number: number) => T): T[] =>
      Array.from({ length: count }, (_, i) => make(i + 1));
    this.#wireMembers = each(
      plan.wireMembers,
      (n) => new WireMember(crew, 'mixed', `mixed-wire-${n}`, random.fork(), this),
    );
    this.#sdkMembers = each(
      plan.consumers,
      (n) => new SdkMember(crew, 'mixed', `mixed-sdk-${n}`, random.fork()),
    );
  }

  /** Where commits come from that may be late. */
  get commitsFrom(): SimProcess[] {
    return [...this.#members, ...this.#wireMembers].map(({ commitsFrom }) => commitsFrom);
  }

  start(): void {
    for (const member of [...this.#members, ...this.#wireMembers, ...this.#sdkMembers]) member.start();
    this.#trouble();
  }

  stop(): void {
    for (const member of [...this.#members, ...this.#wireMembers, ...this.#sdkMembers]) member.stop();
  }

  nextClientId(name: string): string {
    this.#serial += 1;
    return `${name}.${this.#serial}`;
  }

  begun(holder: WritableHolder): void {
    for (const other of this.#holders) if (other.isOver) this.#holders.delete(other);
    this.#holders.add(holder);
  }

  given(holder: WritableHolder, partitions: readonly string[]): void {
    bringBefore(this.crew.watch, holder, partitions, this.#othersOf(holder));
  }

  refused(code: string): void {
    this.counts[kindOf(code)] += 1;
  }

  #othersOf(holder: WritableHolder): WritableHolder[] {
    return [...this.#holders].filter((other) => other !== holder && other.groupId === holder.groupId);
  }

  #trouble(): void {
    const { world } = this.crew;
    world.schedule(exponential(this.#random, TROUBLE_MEAN_MS), () => {
      if (this.crew.isCalm) return;
      const member = this.#members[below(this.#random, this.#members.length)]!;
      if (below(this.#random, 2) === 0) {
        member.process.kill();
        world.schedule(exponential(this.#random, DOWN_MEAN_MS), () => member.begin());
      } else {
        member.process.pause();
        world.schedule(exponential(this.#random, PAUSE_MEAN_MS), () => member.process.resume());
      }
      this.#trouble();
    });
  }
}

function kindOf(code: string): keyof ClassicCrew['counts'] {
  if (code === 'ILLEGAL_GENERATION') return 'classic commits of an older generation';
  if (code === 'UNKNOWN_MEMBER_ID') return 'classic commits of no member';
  if (code === 'FENCED_INSTANCE_ID') return 'classic commits of a fenced instance';
  return 'other refused classic commits';
}
