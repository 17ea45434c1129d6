/**
 * The recent history of one group, for `group explain`: what happened, to whom and why, and how long members waited
 * for their partitions. Bounded, in memory only: a new coordinator begins a new one. Decisions never read it.
 */
import type {
  DescribedAssignment,
  GroupEvent,
  GroupEventKind,
  GroupHistory,
  MemberPause,
} from './group-api.ts';

/** An event as its group tells it; what is left out is unknown or nobody's. */
export interface GroupEventNote {
  readonly kind: GroupEventKind;
  /** Epoch or generation after the event. */
  readonly epoch: number;
  /** In words, for people. Cut where a client made it long. */
  readonly cause: string;
  readonly memberId?: string | undefined;
  readonly clientId?: string | undefined;
  readonly groupInstanceId?: string | undefined;
  readonly gained?: readonly DescribedAssignment[] | undefined;
  readonly lost?: readonly DescribedAssignment[] | undefined;
  readonly withoutMs?: number | undefined;
}

/** Part of a cause may come from a client; it is kept short, because every group keeps so many of them. */
const CAUSE_MAX_CHARS = 400;

const NOTHING: readonly DescribedAssignment[] = [];

export class GroupHistoryLog {
  readonly #maxEvents: number;
  /** A ring: the oldest stands at `#oldest` once it is full. */
  readonly #events: GroupEvent[] = [];
  #oldest = 0;
  #dropped = 0;
  readonly #pauses = new Map<string, MemberPause>();
  /** Members that left, oldest first: their pauses are kept while there is room. */
  readonly #gone = new Set<string>();

  /** @param maxEvents `group.history.max.events`; as many pauses of members that left are kept. */
  constructor(maxEvents: number) {
    this.#maxEvents = maxEvents;
  }

  /** @param atMs milliseconds since the Unix epoch: people compare it with other logs. */
  note(note: GroupEventNote, atMs: number): void {
    if (this.#maxEvents === 0) {
      this.#dropped++;
      return;
    }
    const event = eventOf(note, atMs);
    if (this.#events.length < this.#maxEvents) {
      this.#events.push(event);
      return;
    }
    this.#events[this.#oldest] = event;
    this.#oldest = (this.#oldest + 1) % this.#maxEvents;
    this.#dropped++;
  }

  /** A member has got partitions that it waited for. */
  waited(memberId: string, clientId: string, waitMs: number): void {
    const before = this.#pauses.get(memberId);
    this.#gone.delete(memberId);
    this.#pauses.set(memberId, {
      memberId,
      clientId,
      rebalances: (before?.rebalances ?? 0) + 1,
      waitedMs: (before?.waitedMs ?? 0) + waitMs,
      longestWaitMs: Math.max(before?.longestWaitMs ?? 0, waitMs),
    });
  }

  /** A member is not one any more: its pauses may be forgotten when others need the room. */
  memberGone(memberId: string): void {
    if (!this.#pauses.has(memberId)) return;
    this.#gone.add(memberId);
    if (this.#gone.size <= this.#maxEvents) return;
    const [first] = this.#gone;
    this.#gone.delete(first!);
    this.#pauses.delete(first!);
  }

  describe(): Pick<GroupHistory, 'events' | 'droppedEvents' | 'members'> {
    return {
      events: [...this.#events.slice(this.#oldest), ...this.#events.slice(0, this.#oldest)],
      droppedEvents: this.#dropped,
      members: [...this.#pauses.values()],
    };
  }
}

function eventOf(note: GroupEventNote, atMs: number): GroupEvent {
  return {
    atMs,
    kind: note.kind,
    epoch: note.epoch,
    memberId: note.memberId ?? '',
    clientId: note.clientId ?? '',
    groupInstanceId: note.groupInstanceId ?? '',
    cause: note.cause.length <= CAUSE_MAX_CHARS ? note.cause : `${note.cause.slice(0, CAUSE_MAX_CHARS - 1)}…`,
    gained: note.gained ?? NOTHING,
    lost: note.lost ?? NOTHING,
    withoutMs: note.withoutMs ?? -1,
  };
}

/** `1 partition`, `2 partitions`. */
export function partitionsCounted(count: number): string {
  return count === 1 ? '1 partition' : `${count} partitions`;
}

/** A span of time as causes tell it: `0.4 s`, `45.0 s`, `5.0 min`. */
export function spanText(ms: number): string {
  return ms < 120_000 ? `${(ms / 1000).toFixed(1)} s` : `${(ms / 60_000).toFixed(1)} min`;
}
