/**
 * A metadata quorum alone, under a seed: production consensus on simulated disks and a network of datagrams, clients that
 * write and read registers, voters that come and go; first every fault of the plan, then healing and what must follow.
 */
import { below, MillraceError, type SeededRandom, unit } from '@millrace/core';
import { quorumConfig } from '@millrace/metadata-quorum';
import { SeededDiskFaults } from '../disk/disk-faults.ts';
import { checkLinearizability } from '../history/linearizability.ts';
import { leaderAfterHealing } from '../invariants/57-leader-after-healing.ts';
import { NetworkFaults } from '../network/network-faults.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { SimRaftDirectory } from '../network/sim-raft-transport.ts';
import { exponential } from '../world/exponential.ts';
import { FaultPlan, type FaultPlanOptions } from '../world/fault-plan.ts';
import { mustComeTrue, reach } from '../world/liveness.ts';
import { ProcessFaults } from '../world/process-faults.ts';
import { World } from '../world/world.ts';
import { QuorumCourt } from './quorum-court.ts';
import { NOT_IN_A_QUORUM } from './quorum-faults.ts';
import { QUORUM_INVARIANTS } from './quorum-invariants.ts';
import { QuorumMember } from './quorum-member.ts';
import type { QuorumInvariant } from './quorum-observation.ts';
import { encodeWrite } from './register-machine.ts';
import { type RegisterCall, type RegisterInput, registerModel } from './register-model.ts';
import { VoterChurn } from './voter-churn.ts';

/** Short times and small numbers: what is rare in production is common here. */
const SIM_QUORUM_CONFIG = quorumConfig.parse({
  'controller.quorum.election.timeout.ms': '300',
  'controller.quorum.fetch.timeout.ms': '600',
  'controller.quorum.heartbeat.interval.ms': '60',
  'metadata.log.max.record.bytes.between.snapshots': '160',
  'metadata.log.retained.records': '4',
  'controller.quorum.append.max.bytes': '1024',
  'controller.quorum.append.max.inflight': '4',
});
const ELECTION_MS = 300;
const FETCH_MS = 600;

/** Invariant 60: what was asked before is answered by then. */
const ANSWERED_WITHIN_MS = 10_000;
const REGISTERS = 4;
const CLIENTS = 3;
const CLIENT_PAUSE_MEAN_MS = 120;
const CLIENT_TIMEOUT_MS = 3_000;
const PROOF_AGAIN_MS = 300;

export interface QuorumRunOptions extends FaultPlanOptions {
  /** Of the phase with faults. Default 30,000. */
  readonly faultsMs?: number;
  /** At first. Default: drawn, 1 to 7. */
  readonly voters?: number;
  /** Who watches beside the invariants. */
  readonly watchers?: readonly QuorumInvariant[];
}

export interface QuorumRun {
  readonly faults: string;
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly committed: number;
  readonly answered: number;
  readonly voterChanges: number;
  /** Registers whose history was too tangled to tell whether it is linearizable. */
  readonly undecided: number;
}

export class QuorumSimulation {
  readonly world: World;
  readonly network: SimNetwork;
  readonly court: QuorumCourt;
  readonly plan: FaultPlan;
  readonly members: readonly QuorumMember[];
  readonly churn: VoterChurn;
  readonly #histories: RegisterCall[][] = Array.from({ length: REGISTERS }, () => []);
  readonly #options: QuorumRunOptions;
  #isCalm = false;
  #open = 0;
  #nextValue = 1;

  constructor(seed: number, options: QuorumRunOptions = {}) {
    this.#options = options;
    this.world = new World({ seed });
    const { streams } = this.world;
    const without = [...NOT_IN_A_QUORUM, ...(options.without ?? [])];
    this.plan = FaultPlan.draw(streams.plan, { ...options, without });
    this.network = new SimNetwork(this.world);
    const { watchers = [] } = options;
    this.court = new QuorumCourt([...QUORUM_INVARIANTS, ...watchers], (violation) =>
      this.world.fail(violation),
    );
    const drawn = [1, 3, 3, 3, 5, 5, 7][below(streams.workload, 7)]!;
    const voterCount = options.voters ?? drawn;
    const spareCount = below(streams.workload, 3);
    const ids = Array.from({ length: voterCount + spareCount }, (_, index) => index + 1);
    const directory = new SimRaftDirectory(this.network, { nameOf });
    this.members = ids.map(
      (id) =>
        new QuorumMember({
          world: this.world,
          id,
          voters: ids.slice(0, voterCount),
          network: directory,
          court: this.court,
          config: SIM_QUORUM_CONFIG,
        }),
    );
    this.churn = new VoterChurn(this.world, this.plan, this.members, voterCount, this.court.model);
    this.world.afterEvent((life) => {
      if (life !== undefined) this.#memberOf(life.process.name)?.observe();
    });
    this.world.mayFail = () => false;
  }

  /** @throws {SimulationFailure} */
  async run(): Promise<QuorumRun> {
    const { world, plan } = this;
    const network = new NetworkFaults(
      this.network,
      plan,
      this.members.map(({ id }) => nameOf(id)),
    );
    const processes = new ProcessFaults(world, plan, {
      processes: this.members.map(({ process }) => process),
      kill: (process, death) => this.#memberOf(process.name)!.kill(death),
      restart: (process) => this.#memberOf(process.name)!.start(),
    });
    for (const member of this.members) member.start();
    // The first formation needs every voter once, so faults begin behind it.
    await world.run(() => this.#leader() !== undefined, 10_000);
    this.#faultyDisks();
    network.start();
    processes.start();
    this.churn.start();
    for (let client = 0; client < CLIENTS; client++) this.#startClient(client);
    await world.run(world.nowMs + (this.#options.faultsMs ?? 30_000));

    this.#isCalm = true;
    this.churn.stop();
    for (const { disk } of this.members) disk.faults = new SeededDiskFaults(world.streams.disk, CALM_DISK);
    network.heal();
    processes.heal();
    await this.#mustRecover();
    const undecided = this.#judgeHistories();
    return {
      faults: plan.toString(),
      hash: world.trace.hash,
      virtualMs: world.nowMs,
      events: world.eventCount,
      committed: this.court.model.committed.length,
      answered: this.#histories.reduce(
        (count, calls) => count + calls.filter(({ output }) => output !== undefined).length,
        0,
      ),
      voterChanges: this.churn.changes,
      undecided,
    };
  }

  #faultyDisks(): void {
    const { plan, world } = this;
    for (const { disk } of this.members) {
      disk.faults = new SeededDiskFaults(world.streams.disk.fork(), {
        ...CALM_DISK,
        syncErrorRate: plan.rate('sync-error', 0.0002, 0.003) + plan.rate('disk-full', 0.0002, 0.002),
        delayMeanMs: 0.3 + plan.rate('slow-disk', 1, 60),
        slowRate: plan.rate('slow-disk', 0.001, 0.01),
        slowMs: 1_500,
      });
    }
  }

  async #mustRecover(): Promise<void> {
    const { world } = this;
    await mustComeTrue(world, leaderAfterHealing, {
      fetchTimeoutMs: FETCH_MS,
      electionTimeoutMs: ELECTION_MS,
      connectMs: Math.max(0, this.network.lastArrivalMs - world.nowMs),
      isLed: () => this.#leader() !== undefined,
    });
    let isCommitted = false;
    const prove = (): void => {
      if (isCommitted) return;
      const value = this.#nextValue++;
      this.#histories[0]!.push(unanswered('end', { write: value }, world.nowMs));
      this.#leader()
        ?.propose(encodeWrite({ register: 0, value }))
        .then(
          () => {
            isCommitted = true;
          },
          () => {},
        );
      world.schedule(PROOF_AGAIN_MS, prove);
    };
    prove();
    await reach(
      world,
      () => isCommitted && this.#open === 0 && this.#isConverged(),
      ANSWERED_WITHIN_MS,
      'invariant 60 all-clients-finish: the quorum does not settle',
    );
  }

  /** Every voter has applied what is committed. */
  #isConverged(): boolean {
    const voters = this.#leader()?.quorum?.voters() ?? [];
    const end = this.court.model.committed.length;
    return voters.every(({ id, directoryId }) => {
      const member = this.members[id - 1]!;
      return member.directoryId !== directoryId || (member.quorum?.position().appliedOffset ?? 0) >= end;
    });
  }

  #leader(): QuorumMember | undefined {
    return this.members.find(({ quorum, process }) => !process.isPaused && quorum?.isLeader() === true);
  }

  #memberOf(name: string): QuorumMember | undefined {
    return this.members[Number(name.slice(1)) - 1];
  }

  #startClient(number: number): void {
    const { world } = this;
    const random = world.streams.workload.fork();
    world.process(`client-${number}`).start(async (life) => {
      while (!this.#isCalm) {
        await new Promise<void>((resolve) => {
          world.schedule(exponential(random, CLIENT_PAUSE_MEAN_MS), resolve, life);
        });
        await this.#call(`client-${number}`, random);
      }
    });
  }

  /** One call to some member; usually the one that leads. */
  async #call(process: string, random: SeededRandom): Promise<void> {
    const { world, members } = this;
    const leader = unit(random) < 0.8 ? this.#leader() : undefined;
    const member = leader ?? members[below(random, members.length)]!;
    const register = below(random, REGISTERS);
    const input = unit(random) < 0.6 ? { write: this.#nextValue++ } : ('read' as const);
    if (member.quorum === undefined) return;
    const calledAtMs = world.nowMs;
    this.#open += 1;
    let isDone = false;
    const call =
      input === 'read'
        ? member.read(register)
        : member.propose(encodeWrite({ register, value: input.write }));
    await new Promise<void>((resolve) => {
      const done = (output: number | undefined, isKnown: boolean): void => {
        if (isDone) return;
        isDone = true;
        this.#open -= 1;
        const answeredAtMs = output === undefined ? Number.POSITIVE_INFINITY : world.nowMs;
        // A read that failed says nothing; a write that failed may yet come.
        if (isKnown || input !== 'read') {
          this.#histories[register]!.push({ process, input, output, calledAtMs, answeredAtMs });
        }
        resolve();
      };
      call.then(
        (value) => done(typeof value === 'number' ? value : 0, true),
        (error: unknown) => {
          if (!(error instanceof MillraceError)) throw error;
          done(undefined, false);
        },
      );
      world.schedule(CLIENT_TIMEOUT_MS, () => done(undefined, false));
    });
  }

  /** Invariant 18: each register's history could be that of one register. @returns of how many it cannot be told. */
  #judgeHistories(): number {
    let undecided = 0;
    for (const [register, history] of this.#histories.entries()) {
      // A write without an answer that nobody read may as well not have happened.
      const read = new Set(history.map(({ input, output }) => (input === 'read' ? output : undefined)));
      const calls = history.filter(
        ({ input, output }) => input === 'read' || output !== undefined || read.has(input.write),
      );
      const result = checkLinearizability(registerModel, calls, { configurationsMax: 20_000 });
      if (result.verdict === 'undecided') undecided += 1;
      if (result.verdict !== 'violated') continue;
      const stuck = result.stuck
        .map(({ input, output }) => `${JSON.stringify(input)} -> ${output}`)
        .join(', ');
      this.world.fail(`invariant 18 metadata-history-is-linearizable: register ${register} at ${stuck}`);
    }
    return undecided;
  }
}

const CALM_DISK = {
  readErrorRate: 0,
  writeErrorRate: 0,
  syncErrorRate: 0,
  stuckRate: 0,
  delayMeanMs: 0.3,
  slowRate: 0,
  slowMs: 0,
};

function nameOf(id: number): string {
  return `c${id}`;
}

function unanswered(process: string, input: RegisterInput, calledAtMs: number): RegisterCall {
  return { process, input, output: undefined, calledAtMs, answeredAtMs: Number.POSITIVE_INFINITY };
}

/** One seed. @throws {SimulationFailure} */
export function runQuorumSeed(seed: number, options: QuorumRunOptions = {}): Promise<QuorumRun> {
  return new QuorumSimulation(seed, options).run();
}
