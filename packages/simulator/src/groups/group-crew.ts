/**
 * The member processes of a simulated cluster's groups: they live, are killed and paused, and come back, all by the chance
 * of groups alone.
 */
import { below, type SeededRandom, type Timer, unit } from '@millrace/core';
import type { ClientCrew } from '../cluster/client-crew.ts';
import { exponential } from '../world/exponential.ts';
import type { SimLife, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { ClassicGroupMember } from './classic-group-member.ts';
import { GroupMember } from './group-member.ts';
import type { Holder } from './group-observation.ts';
import type { GroupPlan, GroupsPlan } from './group-plan.ts';
import type { GroupWatch } from './group-watch.ts';

const TROUBLE_MEAN_MS = 8_000;
const DOWN_MEAN_MS = 2_000;
const PAUSE_MEAN_MS = 4_000;
/** One in so many members keeps its name in the group from life to life. */
const STATIC_ONE_IN = 4;

interface Place {
  readonly plan: GroupPlan;
  readonly name: string;
  readonly process: SimProcess;
  readonly random: SeededRandom;
  readonly groupInstanceId: string | undefined;
  /** Speaks the classic protocol. */
  readonly isClassic: boolean;
}

/** One that is over believes nothing. */
type Member = Holder & { readonly isOver: boolean };

export class GroupCrew {
  readonly world: World;
  readonly crew: ClientCrew;
  readonly plan: GroupsPlan;
  readonly watch: GroupWatch;
  readonly counts = { 'member deaths': 0, 'member pauses': 0, 'member records': 0, 'member commits': 0 };
  /** Faults are over: nobody leaves, stalls or dies any more. */
  isCalm = false;
  readonly #random: SeededRandom;
  readonly #places: Place[] = [];
  /** Consumers that were begun. */
  readonly #members = new Set<Member>();
  readonly #timers = new Set<Timer>();
  #serial = 0;

  constructor(world: World, crew: ClientCrew, plan: GroupsPlan, watch: GroupWatch) {
    this.world = world;
    this.crew = crew;
    this.plan = plan;
    this.watch = watch;
    this.#random = plan.random.fork();
  }

  get plannedNames(): string[] {
    return this.plan.groups.flatMap((group) => [...namesOf(group, false), ...namesOf(group, true)]);
  }

  start(): void {
    this.#addPlaces(false, this.#random);
    const { classicRandom } = this.plan;
    if (classicRandom !== undefined) this.#addPlaces(true, classicRandom);
    for (const place of this.#places) this.#begin(place);
    this.#trouble();
  }

  /** Everybody lives, and nobody is disturbed from here on. */
  heal(): void {
    this.isCalm = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    for (const place of this.#places) {
      place.process.resume();
      if (!place.process.isAlive) this.#begin(place);
    }
  }

  stop(): void {
    for (const { process } of this.#places) process.kill();
  }

  /** Never the same twice, so that a consumer is known by it. */
  nextClientId(name: string): string {
    this.#serial += 1;
    return `${name}.${this.#serial}`;
  }

  begun(member: Member): void {
    for (const other of this.#members) if (other.isOver) this.#members.delete(other);
    this.#members.add(member);
  }

  othersOf(member: Holder): Member[] {
    return [...this.#members].filter((other) => other !== member && other.groupId === member.groupId);
  }

  #addPlaces(isClassic: boolean, random: SeededRandom): void {
    for (const plan of this.plan.groups) {
      for (const name of namesOf(plan, isClassic)) {
        const isStatic = below(random, STATIC_ONE_IN) === 0;
        this.#places.push({
          plan,
          name,
          process: this.world.process(name),
          random: random.fork(),
          groupInstanceId: isStatic ? name : undefined,
          isClassic,
        });
      }
    }
  }

  #begin(place: Place): void {
    place.process.start(async (life) => {
      for (;;) await this.#stay(place, life);
    });
  }

  async #stay({ plan, name, random, groupInstanceId, isClassic }: Place, life: SimLife): Promise<void> {
    const { classic } = plan;
    if (!isClassic || classic === undefined) {
      const member = new GroupMember(this, life, plan, name, random.fork(), groupInstanceId);
      this.begun(member);
      await member.live();
      return;
    }
    const member = new ClassicGroupMember(this, life, plan, classic, name, random.fork(), groupInstanceId);
    this.begun(member.holder);
    await member.live();
  }

  #trouble(): void {
    this.#after(exponential(this.#random, TROUBLE_MEAN_MS), () => {
      const place = this.#places[below(this.#random, this.#places.length)]!;
      if (unit(this.#random) < 0.5) this.#kill(place);
      else this.#pause(place);
      this.#trouble();
    });
  }

  #kill(place: Place): void {
    const death = below(this.#random, 2) === 0 ? 'process' : 'machine';
    const downMs = exponential(this.#random, DOWN_MEAN_MS);
    if (!place.process.isAlive) return;
    this.counts['member deaths'] += 1;
    place.process.kill(death);
    this.#after(downMs, () => {
      if (!place.process.isAlive) this.#begin(place);
    });
  }

  #pause({ process }: Place): void {
    const pauseMs = exponential(this.#random, PAUSE_MEAN_MS);
    if (!process.isAlive) return;
    this.counts['member pauses'] += 1;
    process.pause();
    this.#after(pauseMs, () => process.resume());
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }
}

function namesOf({ groupId, members, classic }: GroupPlan, isClassic: boolean): string[] {
  const [count, stem] = isClassic ? [classic?.count ?? 0, `${groupId}-classic`] : [members, groupId];
  return Array.from({ length: count }, (_, i) => `${stem}-${i + 1}`);
}
