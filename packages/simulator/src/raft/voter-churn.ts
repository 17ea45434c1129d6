/**
 * Voters come, go, hand over and lose their disks while the quorum works, as a person would change them: one at a time, by
 * asking the leader. A disk is lost only while the others are a majority of their own, and the next one waits until the lost
 * one is replaced.
 */
import { below, MillraceError, type SeededRandom } from '@millrace/core';
import type { Voter } from '@millrace/raft';
import { exponential } from '../world/exponential.ts';
import type { FaultPlan } from '../world/fault-plan.ts';
import type { World } from '../world/world.ts';
import type { QuorumMember } from './quorum-member.ts';
import type { QuorumModel } from './quorum-model.ts';

const CHANGE_MEAN_MS = 1_500;
const RUSH_MEAN_MS = 5;
const RUSHED_ONE_IN = 4;
const TRANSFER_MEAN_MS = 3_000;
const READS_AT_TRANSFER = 10;
const READ_AT_TRANSFER_MEAN_MS = 25;
const LOSS_MEAN_MS = 8_000;
const REPAIR_MEAN_MS = 2_000;

export class VoterChurn {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #members: readonly QuorumMember[];
  readonly #target: number;
  readonly #model: QuorumModel;
  readonly #random: SeededRandom;
  /** Directories that are gone for good and may still be voters. */
  readonly #lost: { readonly id: number; readonly directoryId: string }[] = [];
  /** They stay out until they get a new disk. */
  readonly #rotten = new Set<QuorumMember>();
  #isRunning = false;
  /** Committed so far. */
  changes = 0;

  constructor(
    world: World,
    plan: FaultPlan,
    members: readonly QuorumMember[],
    target: number,
    model: QuorumModel,
  ) {
    this.#world = world;
    this.#plan = plan;
    this.#members = members;
    this.#target = target;
    this.#model = model;
    this.#random = world.streams.workload.fork();
  }

  start(): void {
    this.#isRunning = true;
    this.#again(CHANGE_MEAN_MS, () => this.#change(this.#leader()));
    for (const member of this.#members) member.onLeading = () => this.#rush(member);
    this.#again(TRANSFER_MEAN_MS, () => this.#transfer());
    if (this.#plan.has('wiped-disk')) this.#again(LOSS_MEAN_MS, () => this.#loseDisk('wiped'));
    if (this.#plan.has('bit-rot')) this.#again(LOSS_MEAN_MS, () => this.#loseDisk('rotten'));
  }

  /** No changes any more; rotten disks are replaced. */
  stop(): void {
    this.#isRunning = false;
    for (const member of this.#rotten) this.#repair(member);
  }

  #repair(member: QuorumMember): void {
    if (!this.#rotten.delete(member)) return;
    member.kill('machine');
    member.wipe();
    member.start();
  }

  #again(meanMs: number, act: () => void): void {
    this.#world.schedule(exponential(this.#random, meanMs), () => {
      if (!this.#isRunning) return;
      act();
      this.#again(meanMs, act);
    });
  }

  #leader(): QuorumMember | undefined {
    return this.#members.find(({ quorum, process }) => !process.isPaused && quorum?.isLeader() === true);
  }

  /** Asks a leader that has hardly begun. */
  #rush(member: QuorumMember): void {
    if (!this.#isRunning || below(this.#random, RUSHED_ONE_IN) !== 0) return;
    this.#world.schedule(exponential(this.#random, RUSH_MEAN_MS), () => this.#change(member));
  }

  /** First what was lost is replaced; otherwise somebody comes or goes. */
  #change(leader: QuorumMember | undefined): void {
    // A process that stands still hears nobody.
    if (leader === undefined || leader.process.isPaused) return;
    const { quorum } = leader;
    if (quorum?.position().role !== 'leader') return;
    const voters = quorum.voters();
    const isVoter = (id: number, directoryId: string): boolean =>
      voters.some((voter) => voter.id === id && voter.directoryId === directoryId);
    const gone = this.#lost.find(({ id, directoryId }) => isVoter(id, directoryId));
    const { observers } = quorum.status();
    const joiner = observers[below(this.#random, Math.max(1, observers.length))];
    const leaver = gone ?? voters[below(this.#random, voters.length)]!;
    // The next directory of a node is let in before the lost one goes, if it is there; else the lost one goes first.
    const replacement = gone && observers.find(({ id }) => id === gone.id);
    const addition = replacement ?? (gone ? undefined : joiner);
    const grows = addition !== undefined && (replacement !== undefined || voters.length <= this.#target);
    try {
      const { committed } = grows
        ? quorum.changeVoters({
            kind: 'add',
            voter: { id: addition.id, directoryId: addition.directoryId, address: '' },
          })
        : quorum.changeVoters({ kind: 'remove', voter: leaver });
      committed.then(
        () => {
          this.changes += 1;
        },
        () => {},
      );
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
    }
  }

  #transfer(): void {
    const leader = this.#leader();
    const voters = leader?.quorum?.voters() ?? [];
    if (leader === undefined) return;
    const to = voters[below(this.#random, Math.max(1, voters.length))];
    leader.quorum?.transferLeadership(below(this.#random, 2) === 0 ? undefined : to?.id).catch(() => {});
    // Who hands over, and may be the last to hear that somebody took over, is asked now.
    for (let i = 0; i < READS_AT_TRANSFER; i++) {
      this.#world.schedule(exponential(this.#random, READ_AT_TRANSFER_MEAN_MS), () => {
        leader.read(0).catch((error: unknown) => {
          if (!(error instanceof MillraceError)) throw error;
        });
      });
    }
  }

  #loseDisk(how: 'wiped' | 'rotten'): void {
    const leader = this.#leader();
    const voters = leader?.quorum?.voters() ?? [];
    if (voters.length === 0) return;
    const { id, directoryId } = voters[below(this.#random, voters.length)]!;
    const member = this.#members[id - 1]!;
    if (!member.process.isAlive || member.directoryId !== directoryId || !this.#mayLose(directoryId)) return;
    this.#world.note(member.process.name, 'disk lost', how);
    this.#lost.push({ id, directoryId });
    member.kill('machine');
    if (how === 'wiped') {
      member.wipe();
      member.start();
      return;
    }
    // It must notice by itself, and stay out of everything until somebody gives it a new disk.
    member.disk.damage();
    member.start();
    this.#rotten.add(member);
    this.#world.schedule(exponential(this.#random, REPAIR_MEAN_MS), () => this.#repair(member));
  }

  /** Whichever voters somebody believes in, decided or not: the others among them are a majority, and none of them is lost. */
  #mayLose(directoryId: string): boolean {
    const gone = new Set([directoryId, ...this.#lost.map((lost) => lost.directoryId)]);
    const bears = (voters: readonly Voter[]): boolean => {
      const lost = voters.filter((voter) => gone.has(voter.directoryId)).length;
      return lost === 0 || (lost === 1 && voters.length >= 3);
    };
    if (!this.#somebodyRemembers(gone)) return false;
    for (const [holder, { durable, asked }] of this.#model.directories) {
      if (holder !== directoryId && gone.has(holder)) continue;
      if (!bears(durable.voters) || !bears(asked.voters)) return false;
    }
    // A set may be in force in memory, and on its way to others, before it is on its way to a disk.
    for (const member of this.#model.members) {
      if (member.directoryId !== directoryId && gone.has(member.directoryId)) continue;
      if (!bears(member.voters())) return false;
    }
    return true;
  }

  /** Nothing tells blank disks at every configured node from a cluster that was never formed, whoever votes by now. */
  #somebodyRemembers(gone: ReadonlySet<string>): boolean {
    return this.#members.slice(0, this.#target).some(({ directoryId }) => {
      const directory = this.#model.directories.get(directoryId);
      return !gone.has(directoryId) && (directory?.durable.voters.length ?? 0) > 0;
    });
  }
}
