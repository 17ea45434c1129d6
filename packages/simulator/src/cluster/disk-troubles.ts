/**
 * The disks' troubles as a plan says, until healed: operations that fail, stall or take long, full disks, damage at rest,
 * blank disks and old copies put back. Asks the budget before anything that could cost an acknowledged record.
 */
import { below, type SeededRandom, unit } from '@millrace/core';
import {
  type DiskFault,
  type DiskFaultRates,
  type DiskFaults,
  type DiskOperation,
  NO_RATES,
  SeededDiskFaults,
} from '../disk/disk-faults.ts';
import type { SimDisk } from '../disk/sim-disk.ts';
import { exponential } from '../world/exponential.ts';
import type { FaultPlan } from '../world/fault-plan.ts';
import { type FaultPace, FaultSchedule } from '../world/fault-schedule.ts';
import type { World } from '../world/world.ts';
import type { ClusterNode } from './cluster-node.ts';
import type { FaultBudget } from './fault-budget.ts';

const PACE: FaultPace = { leastMs: 4_000, mostMs: 30_000 };
const FULL_MEAN_MS = 4_000;
const CALM_RATES: DiskFaultRates = NO_RATES;

export class DiskTroubles {
  readonly #world: World;
  readonly #plan: FaultPlan;
  readonly #nodes: readonly ClusterNode[];
  readonly #budget: FaultBudget;
  readonly #schedule: FaultSchedule;
  readonly #images = new Map<ClusterNode, SimDisk>();
  /** What happened, for the report. */
  readonly counts = { wiped: 0, restored: 0, damaged: 0, failed: 0 };

  constructor(world: World, plan: FaultPlan, nodes: readonly ClusterNode[], budget: FaultBudget) {
    this.#world = world;
    this.#plan = plan;
    this.#schedule = new FaultSchedule(world, plan, PACE);
    this.#nodes = nodes;
    this.#budget = budget;
  }

  start(): void {
    const rates = this.#rates();
    for (const node of this.#nodes) {
      const random = this.#world.streams.disk.fork();
      const faults = new BudgetedFaults(new SeededDiskFaults(random, rates), () => this.#mayFail(node));
      node.disk.faults = faults;
      node.raftDisk.faults = new BudgetedFaults(
        new SeededDiskFaults(random, { ...rates, readErrorRate: 0, stuckRate: 0 }),
        () => this.#mayFail(node),
      );
    }
    this.#schedule.repeat('disk-full', (random) => this.#fill(random));
    this.#schedule.repeat('bit-rot', (random) => this.#rot(random));
    this.#schedule.repeat('misdirected-write', (random) => this.#misdirect(random));
    this.#schedule.repeat('restored-disk', (random) => this.#keepImage(random));
  }

  heal(): void {
    this.#schedule.stop();
    for (const { disk, raftDisk } of this.#nodes) {
      disk.faults = new SeededDiskFaults(this.#world.streams.disk, CALM_RATES);
      raftDisk.faults = disk.faults;
      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    }
  }

  /** Between two lives of a node: its disk may be another one now. */
  betweenLives(node: ClusterNode, random: SeededRandom): void {
    const [wipe, restore] = [unit(random), unit(random)];
    if (wipe < this.#plan.rate('wiped-disk', 0.05, 0.4) && this.#budget.mayLoseDisk(node)) {
      this.#world.note(node.name, 'wiped-disk');
      this.#budget.lostDisk(node);
      this.#images.delete(node);
      node.disk.wipe();
      node.raftDisk.wipe();
      this.counts.wiped += 1;
      return;
    }
    const image = this.#images.get(node);
    if (image === undefined || restore > this.#plan.rate('restored-disk', 0.3, 0.9)) return;
    if (!this.#budget.mayRestore(node, this.#nodes)) return;
    this.#world.note(node.name, 'restored-disk');
    node.disk.restore(image);
    this.counts.restored += 1;
  }

  /** A failing operation may end the node or take its replicas offline until it starts again. */
  #mayFail(node: ClusterNode): boolean {
    if (!node.process.isAlive || !this.#budget.mayFail(node)) return false;
    node.isHurt = true;
    this.#budget.failed(node);
    this.counts.failed += 1;
    this.#world.note(node.name, 'disk-fault');
    return true;
  }

  #rates(): DiskFaultRates {
    const plan = this.#plan;
    return {
      readErrorRate: plan.rate('read-error', 0.00005, 0.002),
      writeErrorRate: plan.rate('write-error', 0.00005, 0.001),
      syncErrorRate: plan.rate('sync-error', 0.00005, 0.001),
      stuckRate: plan.rate('slow-disk', 0, 0.0002),
      delayMeanMs: plan.rate('slow-disk', 1, 40),
      slowRate: plan.rate('slow-disk', 0.0005, 0.01),
      slowMs: 1_500,
    };
  }

  #pick(random: SeededRandom): ClusterNode {
    return this.#nodes[below(random, this.#nodes.length)]!;
  }

  #fill(random: SeededRandom): void {
    const node = this.#pick(random);
    const roomBytes = below(random, 4_096);
    const durationMs = exponential(random, FULL_MEAN_MS);
    if (!this.#mayFail(node)) return;
    this.#world.note(node.name, 'disk-full', roomBytes);
    node.disk.capacityBytes = node.disk.usedBytes + roomBytes;
    this.#schedule.after(durationMs, () => {
      node.disk.capacityBytes = Number.MAX_SAFE_INTEGER;
      // Whatever life it is in by now may have met the full disk.
      this.#budget.failed(node);
    });
  }

  #rot(random: SeededRandom): void {
    const node = this.#pick(random);
    const place = node.disk.somewhere(random, isPartitionFile);
    const bit = below(random, 8);
    if (place === undefined || !this.#claim(node, place.path)) return;
    node.disk.bitFlip(place.path, place.position, bit);
  }

  #misdirect(random: SeededRandom): void {
    const node = this.#pick(random);
    const from = node.disk.somewhere(random, isPartitionFile);
    const to = node.disk.somewhere(random, isPartitionFile);
    if (from === undefined || to === undefined || !this.#claim(node, to.path)) return;
    node.disk.misdirect(from, to);
  }

  #claim(node: ClusterNode, path: string): boolean {
    const folder = path.split('/').at(-2)!;
    const at = folder.lastIndexOf('-');
    const [topic, index] = [folder.slice(0, at), Number(folder.slice(at + 1))];
    if (!this.#budget.mayDamage(node, topic, index)) return false;
    this.#budget.damaged(node, topic, index);
    node.isHurt = true;
    node.isDamaged = true;
    this.counts.damaged += 1;
    this.#world.note(node.name, 'damage', path);
    return true;
  }

  #keepImage(random: SeededRandom): void {
    const node = this.#pick(random);
    this.#images.set(node, node.disk.copy());
  }
}

/** Folders of deleted topics have other names. */
function isPartitionFile(path: string): boolean {
  return /^[a-z_]+-\d+$/.test(path.split('/').at(-2) ?? '');
}

/** Faults that happen only if they may. Delays always may. */
class BudgetedFaults implements DiskFaults {
  readonly #faults: SeededDiskFaults;
  readonly #may: () => boolean;

  constructor(faults: SeededDiskFaults, may: () => boolean) {
    this.#faults = faults;
    this.#may = may;
  }

  fault(operation: DiskOperation, path: string, bytes: number): DiskFault | 'stuck' | undefined {
    const fault = this.#faults.fault(operation, path, bytes);
    return fault === undefined || this.#may() ? fault : undefined;
  }

  delayMs(): number {
    return this.#faults.delayMs();
  }
}
