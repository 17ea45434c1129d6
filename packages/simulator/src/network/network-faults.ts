/** The network's troubles as a plan says, until healed: bad links all the time, clogs, partitions and resets now and then. */
import { below, type SeededRandom, shuffled } from '@millrace/core';
import { exponential } from '../world/exponential.ts';
import type { FaultPlan } from '../world/fault-plan.ts';
import { type FaultPace, FaultSchedule } from '../world/fault-schedule.ts';
import { CALM_LINK, type LinkSettings } from './link.ts';
import type { Blockage, Direction, SimNetwork } from './sim-network.ts';
import type { SimRpcNetwork, SimRpcOptions } from './sim-rpc-network.ts';

const PACE: FaultPace = { leastMs: 1_000, mostMs: 8_000 };
const CLOG_MEAN_MS = 1_500;
const PARTITION_MEAN_MS = 4_000;

/** What the links of a plan are like. */
export function linkSettings(plan: FaultPlan): LinkSettings {
  return {
    delayMinMs: Math.max(CALM_LINK.delayMinMs, plan.rate('delay', 1, 30)),
    delayMeanMs: Math.max(CALM_LINK.delayMeanMs, plan.rate('delay', 5, 100)),
    loss: plan.rate('loss', 0.001, 0.3),
    duplication: plan.rate('duplication', 0.001, 0.5),
    reordering: plan.rate('reordering', 0.001, 0.3),
    bytesPerMs: Number.POSITIVE_INFINITY,
  };
}

/** Small windows in half of the worlds, so that back-pressure is not rare. */
export function rpcOptions(random: SeededRandom): SimRpcOptions {
  if (below(random, 2) === 0) return {};
  return { windowBytes: 2 ** (10 + below(random, 10)), sendBufferBytes: 2 ** (10 + below(random, 11)) };
}

export class NetworkFaults {
  readonly #network: SimNetwork;
  readonly #rpc: SimRpcNetwork | undefined;
  readonly #plan: FaultPlan;
  readonly #names: readonly string[];
  readonly #schedule: FaultSchedule;

  /** @param names the processes between which faults come. @param rpc whose connections are reset. */
  constructor(network: SimNetwork, plan: FaultPlan, names: readonly string[], rpc?: SimRpcNetwork) {
    this.#network = network;
    this.#plan = plan;
    this.#schedule = new FaultSchedule(network.world, plan, PACE);
    this.#names = names;
    this.#rpc = rpc;
  }

  start(): void {
    this.#network.setAll(linkSettings(this.#plan));
    this.#schedule.repeat('clog', (random) => this.#clog(random));
    this.#schedule.repeat('partition', (random) => this.#partition(random));
    this.#schedule.repeat('asymmetric-partition', (random) => this.#isolate(random));
    this.#schedule.repeat('partial-partition', (random) => this.#cutPair(random));
    this.#schedule.repeat('stream-reset', (random) => this.#rpc?.resetOne(random));
  }

  /** Ends every fault and every blockage. */
  heal(): void {
    this.#schedule.stop();
    this.#network.heal();
  }

  #lift(blockage: Blockage, afterMs: number): void {
    this.#schedule.after(afterMs, () => blockage.heal());
  }

  #clog(random: SeededRandom): void {
    const [from, to] = shuffled(random, this.#names);
    if (from === undefined || to === undefined) return;
    this.#lift(this.#network.block([[from, to]], 'clog'), exponential(random, CLOG_MEAN_MS));
  }

  /** Two groups of any size, one of them perhaps a single member. */
  #partition(random: SeededRandom): void {
    const names = shuffled(random, this.#names);
    if (names.length < 2) return;
    const size = below(random, 2) === 0 ? 1 : 1 + below(random, names.length - 1);
    const groups = [names.slice(0, size), names.slice(size)];
    this.#lift(this.#network.partition(groups), exponential(random, PARTITION_MEAN_MS));
  }

  /** One that hears and is not heard, or the other way round. */
  #isolate(random: SeededRandom): void {
    const name = this.#names[below(random, this.#names.length)];
    const way = below(random, 2) === 0 ? 'in' : 'out';
    if (name === undefined) return;
    this.#lift(this.#network.isolate(name, this.#names, way), exponential(random, PARTITION_MEAN_MS));
  }

  /** Two that do not reach each other while others reach both. */
  #cutPair(random: SeededRandom): void {
    const [a, b] = shuffled(random, this.#names);
    if (a === undefined || b === undefined) return;
    const directions: Direction[] = [
      [a, b],
      [b, a],
    ];
    this.#lift(this.#network.block(directions), exponential(random, PARTITION_MEAN_MS));
  }
}
