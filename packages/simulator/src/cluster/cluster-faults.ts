/** Crashes, pauses, clocks, networks and disks of a cluster's nodes as the plan says, within the budget; orderly restarts besides. */
import { below, type SeededRandom, type Timer } from '@millrace/core';
import { PlannedPowerLosses } from '../disk/planned-power-losses.ts';
import { NetworkFaults } from '../network/network-faults.ts';
import type { SimNetwork } from '../network/sim-network.ts';
import type { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { exponential } from '../world/exponential.ts';
import type { FaultPlan } from '../world/fault-plan.ts';
import { ProcessFaults } from '../world/process-faults.ts';
import type { Death, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { type ClusterNode, NodeFatal } from './cluster-node.ts';
import { DiskTroubles } from './disk-troubles.ts';
import type { FaultBudget } from './fault-budget.ts';

export interface ClusterFaultTargets {
  readonly nodes: readonly ClusterNode[];
  readonly clients: readonly string[];
  readonly network: SimNetwork;
  readonly rpc: SimRpcNetwork;
}

/** A node that ended by itself is started again after about this long, as by a supervisor. */
const SUPERVISOR_MS = 1_500;
const ORDERLY_RESTART_MEAN_MS = 15_000;
const CLOSE_LIMIT_MS = 15_000;
/** For replicas to come back before the next restart. */
const OPERATOR_WAITS_MS = 30_000;

export class ClusterFaults {
  readonly disks: DiskTroubles;
  readonly counts = { crashes: 0, restarts: 0, orderly: 0, deaths: 0 };
  readonly #world: World;
  readonly #nodes: readonly ClusterNode[];
  readonly #budget: FaultBudget;
  readonly #random: SeededRandom;
  readonly #network: NetworkFaults;
  readonly #processes: ProcessFaults;
  readonly #timers = new Set<Timer>();
  #isCalm = true;

  constructor(world: World, plan: FaultPlan, targets: ClusterFaultTargets, budget: FaultBudget) {
    const { nodes, clients, network, rpc } = targets;
    this.#world = world;
    this.#nodes = nodes;
    this.#budget = budget;
    this.#random = world.streams.crash.fork();
    this.disks = new DiskTroubles(world, plan, nodes, budget);
    const powerLosses = new PlannedPowerLosses(plan);
    for (const node of nodes) node.powerLosses = powerLosses;
    this.#network = new NetworkFaults(network, plan, [...nodes.map(({ name }) => name), ...clients], rpc);
    this.#processes = new ProcessFaults(world, plan, {
      processes: nodes.map(({ process }) => process),
      kill: (process, death) => this.#crash(this.#nodeOf(process), death),
      restart: (process) => this.restart(this.#nodeOf(process)),
    });
    world.mayFail = (process, error) => this.#mayFail(process, error);
  }

  start(): void {
    this.#isCalm = false;
    this.disks.start();
    this.#network.start();
    this.#processes.start();
    this.#restartOrderly();
  }

  /** Ends every fault and starts what is dead. Who was hurt by its disk is for `restartHurt`. */
  heal(): void {
    this.#isCalm = true;
    for (const timer of this.#timers) timer.cancel();
    this.#timers.clear();
    this.disks.heal();
    this.#network.heal();
    this.#processes.heal();
  }

  restart(node: ClusterNode): void {
    if (node.process.isAlive) return;
    if (!this.#isCalm) this.disks.betweenLives(node, this.#random);
    this.counts.restarts += 1;
    node.start();
  }

  /**
   * What failed on a disk stays failed until a restart: an operator makes it, not of all copies in page caches at once.
   * What others hold counts from `settledMs` on only: a controller that comes back to a majority may yet fence brokers
   * that it has not heard of for long, and take them out of the in-sync sets, though they are in them now.
   */
  async restartHurt(settledMs: number): Promise<void> {
    for (const node of this.#nodes) {
      if (!node.isHurt) continue;
      const isSafe = (): boolean =>
        this.#budget.mayDie(node) ||
        (this.#world.nowMs >= settledMs && this.#budget.mayRestart(node, this.#nodes));
      if (!isSafe()) await this.#world.run(isSafe, settledMs - this.#world.nowMs + OPERATOR_WAITS_MS);
      this.#budget.died(node);
      if (node.process.isAlive) node.kill('process');
      this.restart(node);
    }
  }

  #crash(node: ClusterNode, death: Death): void {
    if (!this.#budget.mayDie(node)) return;
    this.#budget.died(node);
    this.counts.crashes += 1;
    node.kill(death);
  }

  /** Only what a disk fault explains. */
  #mayFail(process: SimProcess, error: unknown): boolean {
    const node = this.#nodes.find((each) => each.process === process);
    if (node === undefined) return false;
    const wasHurt = node.isHurt;
    node.died();
    this.#budget.died(node);
    this.counts.deaths += 1;
    const isOperating =
      error instanceof NodeFatal || (error instanceof Error && error.name === 'MillraceError');
    if (!isOperating || !wasHurt) return false;
    this.#after(exponential(this.#random, SUPERVISOR_MS), () => this.restart(node));
    return true;
  }

  #restartOrderly(): void {
    this.#after(exponential(this.#random, ORDERLY_RESTART_MEAN_MS), () => {
      this.#closeAndStart(this.#nodes[below(this.#random, this.#nodes.length)]!);
      this.#restartOrderly();
    });
  }

  #closeAndStart(node: ClusterNode): void {
    const { process } = node;
    const { life } = process;
    const pauseMs = exponential(this.#random, SUPERVISOR_MS);
    // Should it die on the way, that is a crash like any other.
    if (life === undefined || !node.isUp || process.isPaused || !this.#budget.mayDie(node)) return;
    this.counts.orderly += 1;
    life.note('orderly restart');
    this.#world.schedule(0, () => void node.close(), life);
    this.#whenOver(node, life.number, this.#world.nowMs + CLOSE_LIMIT_MS, pauseMs);
  }

  /** What began before the healing ends after it. */
  #whenOver(node: ClusterNode, life: number, limitMs: number, pauseMs: number): void {
    this.#world.schedule(100, () => {
      const isOver = node.process.life?.number !== life;
      if (isOver) {
        if (!node.process.isAlive) this.#world.schedule(pauseMs, () => this.restart(node));
      } else if (this.#world.nowMs > limitMs && this.#budget.mayDie(node)) {
        this.#crash(node, 'process');
        this.#world.schedule(pauseMs, () => this.restart(node));
      } else {
        this.#whenOver(node, life, limitMs, pauseMs);
      }
    });
  }

  #after(delayMs: number, run: () => void): void {
    const timer = this.#world.schedule(delayMs, () => {
      this.#timers.delete(timer);
      run();
    });
    this.#timers.add(timer);
  }

  #nodeOf(process: SimProcess): ClusterNode {
    return this.#nodes.find((node) => node.process === process)!;
  }
}
