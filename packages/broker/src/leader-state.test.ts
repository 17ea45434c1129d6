/** The leader's decisions: scripted rules first, then properties over random histories. */

import type { PartitionImage } from '@millrace/metadata';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type IsrProposal, LeaderState } from './leader-state.ts';

const LAG_MS = 100;

function imageOf(overrides: Partial<PartitionImage> = {}): PartitionImage {
  return {
    topicId: 'topic',
    partition: 0,
    replicas: [1, 2, 3],
    isr: [1, 2, 3],
    elr: [],
    lastKnownElr: [],
    offline: [],
    leader: 1,
    leaderEpoch: 5,
    partitionEpoch: 10,
    recovering: false,
    ...overrides,
  };
}

interface Setting {
  readonly image?: Partial<PartitionImage>;
  readonly epochStartOffset?: number;
  readonly flushedOffset?: () => number;
  readonly highWatermark?: number;
  readonly minInSyncReplicas?: number;
  readonly eligible?: ReadonlyMap<number, number>;
}

function leader(setting: Setting = {}): LeaderState {
  const eligible =
    setting.eligible ??
    new Map([
      [2, 20],
      [3, 30],
    ]);
  return new LeaderState({
    self: 1,
    selfBrokerEpoch: () => 10,
    image: imageOf(setting.image),
    epochStartOffset: setting.epochStartOffset ?? 0,
    flushedOffset: setting.flushedOffset ?? (() => Number.POSITIVE_INFINITY),
    highWatermark: setting.highWatermark ?? 0,
    minInSyncReplicas: setting.minInSyncReplicas ?? 2,
    lagTimeMaxMs: LAG_MS,
    isEligible: (id, epoch) => eligible.get(id) === epoch,
    nowMs: 0,
  });
}

const at = (end: number) => ({ flushedOffset: end, logEndOffset: end });

function moved(
  state: LeaderState,
  id: number,
  offset: number,
  logEnd: number,
  nowMs: number,
  epoch = id * 10,
) {
  state.followerMoved(
    id,
    { acknowledgedOffset: offset, logStartOffset: 0, brokerEpoch: epoch },
    logEnd,
    nowMs,
  );
}

const members = (proposal: IsrProposal | undefined) => proposal?.isr.map(({ brokerId }) => brokerId);

describe('the high watermark', () => {
  test('is the lowest of what the in-sync replicas acknowledged', () => {
    const state = leader();
    moved(state, 2, 7, 10, 1);
    expect(state.advanceHighWatermark(at(10), 1)).toBe(false);
    moved(state, 3, 4, 10, 1);
    expect(state.advanceHighWatermark(at(10), 1)).toBe(true);
    expect(state.highWatermark).toBe(4);
  });

  test('waits for the disk of the leader itself', () => {
    const state = leader();
    moved(state, 2, 10, 10, 1);
    moved(state, 3, 10, 10, 1);
    state.advanceHighWatermark({ flushedOffset: 6, logEndOffset: 10 }, 1);
    expect(state.highWatermark).toBe(6);
  });

  test('stands still while the in-sync set is smaller than min.insync.replicas', () => {
    const state = leader({ image: { isr: [1] } });
    expect(state.advanceHighWatermark(at(10), 1)).toBe(false);
    expect(state.hasEnoughReplicas).toBe(false);
  });

  test('asks for no more replicas than the partition has', () => {
    const state = leader({ image: { replicas: [1], isr: [1] } });
    expect(state.advanceHighWatermark(at(10), 1)).toBe(true);
  });

  test('waits for a member that is proposed but not yet confirmed (S21)', () => {
    const state = leader({ image: { isr: [1, 2] } });
    moved(state, 2, 10, 10, 1);
    moved(state, 3, 0, 0, 1);
    expect(members(state.proposeExpansion(3, 0, 1))).toEqual([1, 2, 3]);
    state.advanceHighWatermark(at(10), 1);
    expect(state.highWatermark).toBe(0);
    expect(state.maximalIsr).toEqual([1, 2, 3]);
  });

  test('still waits for a member whose removal is not confirmed', () => {
    const state = leader();
    moved(state, 2, 10, 10, 1);
    moved(state, 3, 3, 10, 1);
    moved(state, 2, 10, 10, 300);
    expect(members(state.proposeShrink(10, 300))).toEqual([1, 2]);
    state.advanceHighWatermark(at(10), 300);
    expect(state.highWatermark).toBe(3);
  });
});

describe('joining the in-sync set', () => {
  test('needs the start of the leader epoch, not only a stale watermark (S22)', () => {
    const state = leader({ image: { isr: [1, 2] }, epochStartOffset: 8, highWatermark: 3 });
    moved(state, 3, 5, 5, 1);
    expect(state.proposeExpansion(3, 10, 1)).toBeUndefined();
    moved(state, 3, 8, 8, 2);
    expect(members(state.proposeExpansion(3, 10, 2))).toEqual([1, 2, 3]);
  });

  test('is refused to who lags, even where the watermark stands still for want of replicas', () => {
    const state = leader({ image: { isr: [1] } });
    moved(state, 3, 0, 0, 1);
    moved(state, 3, 0, 10, 2);
    expect(state.proposeExpansions(10, 50)).toBeDefined();
    const other = leader({ image: { isr: [1] } });
    moved(other, 3, 0, 0, 1);
    moved(other, 3, 0, 10, 2);
    expect(other.proposeExpansions(10, LAG_MS * 2)).toBeUndefined();
  });

  test('needs a fetch in this leader epoch', () => {
    const state = leader({ image: { isr: [1, 2] } });
    expect(state.proposeExpansion(3, 10, 1)).toBeUndefined();
    expect(state.proposeExpansions(10, 1)).toBeUndefined();
  });

  test('is refused to a fenced broker and to an older life of a broker (S24, S25)', () => {
    const state = leader({ image: { isr: [1, 2] }, eligible: new Map([[3, 31]]) });
    moved(state, 3, 10, 10, 1, 30);
    expect(state.proposeExpansion(3, 10, 1)).toBeUndefined();
    moved(state, 3, 10, 10, 2, 31);
    expect(state.proposeExpansion(3, 10, 2)?.isr).toContainEqual({ brokerId: 3, brokerEpoch: 31 });
  });

  test('is proposed once at a time, and again some time after a refusal', () => {
    const state = leader({ image: { isr: [1, 2] } });
    moved(state, 3, 10, 10, 1);
    const proposal = state.proposeExpansion(3, 10, 1)!;
    expect(state.proposeExpansions(10, 1)).toBeUndefined();
    const refusal = { failure: 'INELIGIBLE_REPLICA', leaderEpoch: 5, partitionEpoch: 10, isr: [] } as const;
    expect(state.answered(proposal, refusal, 2)).toBe('rolledBack');
    expect(state.maximalIsr).toEqual([1, 2]);
    expect(state.proposeExpansion(3, 10, 3)).toBeUndefined();
    state.brokerChanged(3);
    expect(members(state.proposeExpansion(3, 10, 4))).toEqual([1, 2, 3]);
  });
});

describe('leaving the in-sync set', () => {
  test('takes a lag longer than the limit', () => {
    const state = leader();
    moved(state, 2, 10, 10, 50);
    moved(state, 3, 9, 10, 50);
    expect(state.proposeShrink(10, LAG_MS)).toBeUndefined();
    expect(members(state.proposeShrink(10, LAG_MS + 1))).toEqual([1, 2]);
  });

  test('is spared to a follower that keeps up with what it was last shown', () => {
    const state = leader();
    moved(state, 2, 100, 100, 90);
    for (let now = 10; now <= 500; now += 10) {
      moved(state, 2, now * 2, now * 2, now);
      // Always one step behind the leader, yet moving.
      moved(state, 3, now - 10, now, now);
    }
    expect(state.proposeShrink(1000, 510)).toBeUndefined();
  });

  test('is spared to a follower that holds everything, however long it is silent', () => {
    const state = leader();
    moved(state, 2, 10, 10, 1);
    moved(state, 3, 10, 10, 1);
    expect(state.proposeShrink(10, 100_000)).toBeUndefined();
    expect(state.proposeShrink(12, 100_000 + LAG_MS)).toBeUndefined();
  });
});

describe('after an unclean election', () => {
  test('neither the recovery nor a change of members is proposed before the disk holds what the leader began with', () => {
    let flushed = 40;
    const image = { isr: [1], recovering: true };
    const state = leader({ image, epochStartOffset: 76, flushedOffset: () => flushed });
    moved(state, 2, 76, 76, 1);
    expect(state.proposeRecovered()).toBeUndefined();
    expect(state.proposeExpansion(2, 76, 1)).toBeUndefined();
    expect(state.proposeExpansions(76, 1)).toBeUndefined();
    flushed = 76;
    expect(members(state.proposeRecovered())).toEqual([1]);
  });

  test('the recovery is proposed until the controller has heard of it, and no longer', () => {
    const state = leader({ image: { isr: [1], recovering: true } });
    const proposal = state.proposeRecovered()!;
    expect(members(proposal)).toEqual([1]);
    state.answered(
      proposal,
      { failure: 'INELIGIBLE_REPLICA', leaderEpoch: 5, partitionEpoch: -1, isr: [] },
      1,
    );
    const again = state.proposeRecovered()!;
    expect(members(again)).toEqual([1]);
    state.answered(again, { failure: undefined, leaderEpoch: 5, partitionEpoch: 11, isr: [1] }, 2);
    expect(state.proposeRecovered()).toBeUndefined();
  });
});

describe('the answer of the controller', () => {
  test('is adopted when it is as new as what is known', () => {
    const state = leader({ image: { isr: [1, 2] } });
    moved(state, 3, 10, 10, 1);
    const proposal = state.proposeExpansion(3, 10, 1)!;
    const answer = { failure: undefined, leaderEpoch: 5, partitionEpoch: 11, isr: [1, 2, 3] };
    expect(state.answered(proposal, answer, 2)).toBe('adopted');
    expect(state.isr).toEqual([1, 2, 3]);
    expect(state.pending).toBeUndefined();
  });

  test('is void when metadata overtook it', () => {
    const state = leader({ image: { isr: [1, 2] } });
    moved(state, 3, 10, 10, 1);
    const proposal = state.proposeExpansion(3, 10, 1)!;
    state.metadataChanged(imageOf({ isr: [1], partitionEpoch: 12 }), 2);
    const answer = { failure: undefined, leaderEpoch: 5, partitionEpoch: 11, isr: [1, 2, 3] };
    expect(state.answered(proposal, answer, 3)).toBe('awaitMetadata');
    expect(state.isr).toEqual([1]);
  });

  test('leaves the maximal set as it is when its outcome is unknown', () => {
    const state = leader({ image: { isr: [1, 2] } });
    moved(state, 3, 10, 10, 1);
    const proposal = state.proposeExpansion(3, 10, 1)!;
    const answer = { failure: 'REQUEST_TIMED_OUT', leaderEpoch: -1, partitionEpoch: -1, isr: [] } as const;
    expect(state.answered(proposal, answer, 2)).toBe('retry');
    expect(state.maximalIsr).toEqual([1, 2, 3]);
  });
});

type Step =
  | { readonly kind: 'append'; readonly count: number }
  | { readonly kind: 'flush' }
  | { readonly kind: 'fetch'; readonly id: 2 | 3; readonly back: number }
  | { readonly kind: 'check'; readonly waitMs: number }
  | { readonly kind: 'answer'; readonly applied: boolean; readonly heard: boolean }
  | { readonly kind: 'metadata' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('append' as const), count: fc.integer({ min: 1, max: 5 }) }),
  fc.record({ kind: fc.constant('flush' as const) }),
  fc.record({
    kind: fc.constant('fetch' as const),
    id: fc.constantFrom(2 as const, 3 as const),
    back: fc.integer({ min: 0, max: 6 }),
  }),
  fc.record({ kind: fc.constant('check' as const), waitMs: fc.integer({ min: 1, max: 150 }) }),
  fc.record({ kind: fc.constant('answer' as const), applied: fc.boolean(), heard: fc.boolean() }),
  fc.record({ kind: fc.constant('metadata' as const) }),
);

/** A model of one epoch: the controller's view, the followers' logs, and the leader under test. */
class Model {
  readonly state = leader({ minInSyncReplicas: 2 });
  committed = imageOf();
  end = 0;
  flushed = 0;
  nowMs = 0;
  readonly acknowledged = new Map([
    [1, 0],
    [2, 0],
    [3, 0],
  ]);
  proposal: IsrProposal | undefined;

  run(event: Step): void {
    const { state } = this;
    const before = state.highWatermark;
    const couldMove = state.isr.length >= 2;
    this.nowMs += 1;
    switch (event.kind) {
      case 'append':
        this.end += event.count;
        break;
      case 'flush':
        this.flushed = this.end;
        this.acknowledged.set(1, this.end);
        break;
      case 'fetch': {
        const reached = Math.max(this.acknowledged.get(event.id)!, this.end - event.back);
        this.acknowledged.set(event.id, reached);
        moved(state, event.id, reached, this.end, this.nowMs);
        this.proposal ??= state.proposeExpansion(event.id, this.end, this.nowMs);
        break;
      }
      case 'check':
        this.nowMs += event.waitMs;
        this.proposal ??=
          state.proposeShrink(this.end, this.nowMs) ?? state.proposeExpansions(this.end, this.nowMs);
        break;
      case 'answer':
        this.#answer(event.applied, event.heard);
        break;
      case 'metadata':
        if (state.metadataChanged(this.committed, this.nowMs)) this.proposal = undefined;
        break;
    }
    state.advanceHighWatermark({ flushedOffset: this.flushed, logEndOffset: this.end }, this.nowMs);
    expect(state.highWatermark).toBeGreaterThanOrEqual(before);
    if (!couldMove && state.isr.length < 2) expect(state.highWatermark, 'invariant 26').toBe(before);
    this.#check();
  }

  #answer(applied: boolean, heard: boolean): void {
    const { proposal } = this;
    if (proposal === undefined) return;
    if (applied && proposal.partitionEpoch === this.committed.partitionEpoch) {
      this.committed = {
        ...this.committed,
        isr: proposal.isr.map(({ brokerId }) => brokerId),
        partitionEpoch: this.committed.partitionEpoch + 1,
      };
      if (!heard) return;
      const { leaderEpoch, partitionEpoch, isr } = this.committed;
      this.state.answered(proposal, { failure: undefined, leaderEpoch, partitionEpoch, isr }, this.nowMs);
      this.proposal = undefined;
    } else if (heard && proposal.partitionEpoch === this.committed.partitionEpoch) {
      const refusal = { failure: 'INELIGIBLE_REPLICA', leaderEpoch: 5, partitionEpoch: -1, isr: [] } as const;
      this.state.answered(proposal, refusal, this.nowMs);
      this.proposal = undefined;
    }
  }

  #check(): void {
    const { state } = this;
    const { isr } = this.committed;
    // 24: every member that the controller knows of holds everything below the watermark.
    for (const id of isr) {
      expect(this.acknowledged.get(id), `invariant 24 of ${id}`).toBeGreaterThanOrEqual(state.highWatermark);
    }
    // 25: the maximal set covers the committed one.
    for (const id of isr) expect(state.maximalIsr, 'invariant 25').toContain(id);
  }
}

test('whatever happens, no in-sync member lacks a committed record (invariants 24 to 26)', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 80 }), (steps) => {
      const model = new Model();
      for (const event of steps) model.run(event);
    }),
    { numRuns: 500 },
  );
});
