/** What the members of a group told, judged: was every record handled, which twice and why, and who had to pause. */
import type { GroupMember, HandledEvent } from './group-member.ts';

/** A member was killed or stopped while it held partitions. */
export interface Loss {
  readonly member: GroupMember;
  readonly held: ReadonlySet<number>;
  /** What the group had committed at that time, by partition. */
  readonly committed: ReadonlyMap<number, number>;
}

/** One thing that happened to the group, from then until everybody held what is meant for it again. */
export interface Step {
  readonly what: string;
  readonly fromMs: number;
  readonly toMs: number;
  /** By partition. */
  readonly before: ReadonlyMap<number, GroupMember>;
  readonly after: ReadonlyMap<number, GroupMember>;
}

export interface StepReport {
  readonly what: string;
  readonly tookMs: number;
  /** Partitions with the same owner before and after. */
  readonly untouched: number;
  /** Times that one of those was given up, lost or assigned. */
  readonly untouchedRebalances: number;
  /** Longest time that a record of one of those waited although the one before it was done. */
  readonly untouchedPauseMs: number;
  /** The same of all others. */
  readonly movedPauseMs: number;
}

/** Records that nobody handled, of partitions that end there. */
export function missing(members: readonly GroupMember[], ends: ReadonlyMap<number, number>): string[] {
  const seen = new Set(members.flatMap(({ handled }) => handled.map(nameOf)));
  return [...ends].flatMap(([partition, end]) =>
    Array.from({ length: end }, (_, offset) => `${partition}@${offset}`).filter((name) => !seen.has(name)),
  );
}

export interface Duplicates {
  readonly count: number;
  /** Of `count`, those that this loss explains, in the order of the losses. */
  readonly byLoss: readonly number[];
  /** Those that no loss explains: handled by the lost member, of a partition it held, not committed at that time. */
  readonly unexplained: readonly string[];
}

export function duplicates(members: readonly GroupMember[], losses: readonly Loss[]): Duplicates {
  const handlers = new Map<string, GroupMember[]>();
  for (const member of members) {
    for (const event of member.handled) {
      handlers.set(nameOf(event), [...(handlers.get(nameOf(event)) ?? []), member]);
    }
  }
  const twice = [...handlers].filter(([, by]) => by.length > 1);
  const explains = ({ member, held, committed }: Loss, name: string, by: readonly GroupMember[]): boolean => {
    const [partition, offset] = name.split('@').map(Number) as [number, number];
    return by.includes(member) && held.has(partition) && offset >= (committed.get(partition) ?? 0);
  };
  const unexplained = twice.filter(([name, by]) => !losses.some((loss) => explains(loss, name, by)));
  return {
    count: twice.reduce((sum, [, by]) => sum + by.length - 1, 0),
    byLoss: losses.map((loss) => twice.filter(([name, by]) => explains(loss, name, by)).length),
    unexplained: unexplained.map(([name, by]) => `${name} by ${by.map((member) => member.name).join(', ')}`),
  };
}

/** Places where a member went on elsewhere than one after what it had handled last, with no move of that partition in between. */
export function jumps({ name, handled, moves }: GroupMember): string[] {
  const found: string[] = [];
  const last = new Map<number, HandledEvent>();
  for (const event of handled) {
    const before = last.get(event.partition);
    last.set(event.partition, event);
    if (before === undefined || event.offset === before.offset + 1) continue;
    const moved = moves.some(
      ({ atMs, partitions }) =>
        atMs >= before.atMs && atMs <= event.atMs && partitions.includes(event.partition),
    );
    if (!moved) found.push(`${name}: ${nameOf(before)} then ${nameOf(event)}`);
  }
  return found;
}

/** Pauses may begin a little earlier and end a little later than the step. */
const AROUND_MS = 1_000;

export function report(step: Step, members: readonly GroupMember[]): StepReport {
  const { what, fromMs, toMs, before, after } = step;
  const untouched = [...before.keys()].filter((partition) => after.get(partition) === before.get(partition));
  const moved = [...before.keys()].filter((partition) => !untouched.includes(partition));
  const handled = members
    .flatMap((member) => member.handled)
    .filter(({ atMs }) => atMs >= fromMs - AROUND_MS && atMs <= toMs + AROUND_MS);
  const pauseOf = (partition: number): number =>
    longestPause(handled.filter((event) => event.partition === partition));
  return {
    what,
    tookMs: toMs - fromMs,
    untouched: untouched.length,
    untouchedRebalances: untouched.reduce(
      (sum, partition) => sum + rebalancesOf(partition, step, members),
      0,
    ),
    untouchedPauseMs: Math.max(0, ...untouched.map(pauseOf)),
    movedPauseMs: Math.max(0, ...moved.map(pauseOf)),
  };
}

/** Whatever its owner was told of it, and that anybody else got it. A resumed member's late news of what it lost is neither. */
function rebalancesOf(partition: number, step: Step, members: readonly GroupMember[]): number {
  const counts = members.map((member) =>
    member.moves.filter(
      ({ kind, atMs, partitions }) =>
        atMs >= step.fromMs &&
        atMs <= step.toMs &&
        partitions.includes(partition) &&
        (member === step.before.get(partition) || kind === 'assigned'),
    ),
  );
  return counts.flat().length;
}

/** A record can be handled from when it was sent and the one before it was done. */
function longestPause(events: HandledEvent[]): number {
  events.sort((one, other) => one.atMs - other.atMs);
  return events.reduce((longest, event, index) => {
    const possibleMs = Math.max(event.availableMs, events[index - 1]?.atMs ?? event.availableMs);
    return index === 0 ? longest : Math.max(longest, event.atMs - possibleMs);
  }, 0);
}

function nameOf({ partition, offset }: HandledEvent): string {
  return `${partition}@${offset}`;
}
