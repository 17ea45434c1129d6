/**
 * A coordinator with a log in memory: records go through their bytes, answers wait for their commit, and a failover
 * replays what had committed. Plays the driver's part; judges nothing.
 */
import { invariant, SeededRandom } from '@millrace/core';
import { GroupCoordinatorState } from '../coordinator-state.ts';
import { type GroupConfig, groupConfig } from '../group-config.ts';
import type { GroupAnswer, GroupOutcome, GroupRequestName, GroupRequests } from '../group-coordinator.ts';
import type { GroupRecord, TopicsView } from '../group-record.ts';
import { decodeGroupRecord, encodeGroupRecord, type GroupRecordBytes } from '../group-record-codec.ts';

/** Wall time runs beside the other clock, from another origin. */
const WALL_ORIGIN_MS = 1_700_000_000_000;
const TICKS_MAX = 10_000;

interface Held extends GroupAnswer {
  readonly endOffset: number;
}

export interface CoordinatorWatch {
  readonly records?: (records: readonly GroupRecord[], baseOffset: number) => void;
  readonly answer?: (answer: GroupAnswer) => void;
}

export class TestCoordinator {
  nowMs = 0;
  isHeld = false;
  machine: GroupCoordinatorState;
  readonly #config: GroupConfig;
  readonly #random = new SeededRandom(1);
  readonly #watch: CoordinatorWatch;
  readonly #log: GroupRecordBytes[] = [];
  #committed = 0;
  #held: Held[] = [];
  #topics: TopicsView;

  constructor(topics: TopicsView, config: Partial<GroupConfig> = {}, watch: CoordinatorWatch = {}) {
    this.#topics = topics;
    this.#config = { ...groupConfig.parse({}), ...config };
    this.#watch = watch;
    this.machine = this.#newMachine();
    this.#take(this.machine.loaded(this.nowMs));
  }

  get logLength(): number {
    return this.#log.length;
  }

  /** As it would be read back. */
  records(): (GroupRecord | undefined)[] {
    return this.#log.map(({ key, value }) => decodeGroupRecord(key, value));
  }

  step<N extends GroupRequestName>(name: N, token: number, request: GroupRequests[N]['request']): void {
    this.#take(this.machine.step(name, token, request, this.nowMs));
  }

  /** Time passes, and ticks come when they are due. */
  pass(ms: number): void {
    const untilMs = this.nowMs + ms;
    for (let ticks = 0; this.machine.nextTickMs() <= untilMs; ticks++) {
      invariant(ticks < TICKS_MAX, 'ticks come to an end', { nextTickMs: this.machine.nextTickMs() });
      this.nowMs = Math.max(this.nowMs, this.machine.nextTickMs());
      this.#take(this.machine.tick(this.nowMs));
    }
    this.nowMs = untilMs;
  }

  changeTopics(topics: TopicsView): void {
    this.#topics = topics;
    this.#take(this.machine.topicsChanged(topics, this.nowMs));
  }

  /** The log commits up to its end, or up to `offset`. */
  commit(offset = this.#log.length): void {
    this.#committed = Math.max(this.#committed, Math.min(offset, this.#log.length));
    this.machine.committed(this.#committed);
    const ready = this.#held.filter(({ endOffset }) => endOffset <= this.#committed);
    this.#held = this.#held.filter(({ endOffset }) => endOffset > this.#committed);
    for (const answer of ready) this.#watch.answer?.(answer);
  }

  /** Another broker leads: what has not committed is lost, whoever waits hears nothing. */
  failOver(topics: TopicsView = this.#topics): void {
    this.#topics = topics;
    this.#log.length = this.#committed;
    this.#held = [];
    this.machine = this.#newMachine();
    for (const [offset, { key, value }] of this.#log.entries()) {
      const record = decodeGroupRecord(key, value);
      invariant(record !== undefined, 'we read what we write', { offset });
      this.machine.replay(offset, record);
    }
    this.machine.committed(this.#committed);
    this.#take(this.machine.loaded(this.nowMs));
  }

  #take({ records, answers }: GroupOutcome): void {
    const baseOffset = this.#log.length;
    if (records.length > 0) {
      for (const record of records) this.#log.push(encodeGroupRecord(record));
      this.machine.appended(records, baseOffset);
      this.#watch.records?.(records, baseOffset);
    }
    for (const answer of answers) this.#held.push({ ...answer, endOffset: this.#log.length });
    if (!this.isHeld) this.commit();
  }

  #newMachine(): GroupCoordinatorState {
    return new GroupCoordinatorState({
      config: this.#config,
      random: this.#random,
      wallMs: () => WALL_ORIGIN_MS + this.nowMs,
      topics: this.#topics,
    });
  }
}
