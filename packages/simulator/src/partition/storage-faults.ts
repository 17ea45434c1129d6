/**
 * The disks' troubles as a plan says, until healed: errors and slowness all the time; full disks, damage at rest, blank
 * and old disks now and then. Damage goes only where enough good copies are left for any system to survive it.
 */
import { below, type SeededRandom, unit } from '@millrace/core';
import { NO_FAULTS, SeededDiskFaults } from '../disk/disk-faults.ts';
import { extentOf, FaultAtlas } from '../disk/fault-atlas.ts';
import type { SimDisk } from '../disk/sim-disk.ts';
import { exponential } from '../world/exponential.ts';
import type { FaultPlan } from '../world/fault-plan.ts';
import { type FaultPace, FaultSchedule } from '../world/fault-schedule.ts';
import type { PartitionWorld } from './partition-world.ts';
import type { SimBroker } from './sim-broker.ts';

const PACE: FaultPace = { leastMs: 2_000, mostMs: 15_000 };
const FULL_MEAN_MS = 1_500;

export class StorageFaults {
  readonly #host: PartitionWorld;
  readonly #plan: FaultPlan;
  readonly #schedule: FaultSchedule;
  readonly #atlas: FaultAtlas;
  /** Disks as they once were, by broker. */
  readonly #copies = new Map<SimBroker, SimDisk>();

  constructor(host: PartitionWorld, plan: FaultPlan) {
    this.#host = host;
    this.#plan = plan;
    this.#schedule = new FaultSchedule(host.world, plan, PACE);
    this.#atlas = new FaultAtlas((extent) => this.#copiesOf(extent));
  }

  start(): void {
    const { plan } = { plan: this.#plan };
    const slow = plan.has('slow-disk');
    const rates = {
      readErrorRate: plan.rate('read-error', 0.0005, 0.02),
      writeErrorRate: plan.rate('write-error', 0.0002, 0.005),
      syncErrorRate: plan.rate('sync-error', 0.0005, 0.01),
      stuckRate: slow ? plan.rate('slow-disk', 0, 0.001) : 0,
      delayMeanMs: slow ? plan.rate('slow-disk', 0.5, 30) : 0.3,
      slowRate: slow ? 0.01 : 0,
      slowMs: 1500,
    };
    for (const { disk } of this.#host.brokers) {
      disk.faults = new SeededDiskFaults(this.#host.world.streams.disk.fork(), rates);
    }
    this.#schedule.repeat('disk-full', (random) => this.#fill(random));
    this.#schedule.repeat('bit-rot', (random) => this.#flip(random));
    this.#schedule.repeat('misdirected-write', (random) => this.#misdirect(random));
    this.#schedule.repeat('restored-disk', (random) => this.#restore(random));
    this.#schedule.repeat('wiped-disk', (random) => this.#wipe(random));
  }

  heal(): void {
    this.#schedule.stop();
    for (const { disk } of this.#host.brokers) {
      disk.faults = NO_FAULTS;
      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    }
  }

  #pick(random: SeededRandom): SimBroker {
    return this.#host.brokers[below(random, this.#host.brokers.length)]!;
  }

  #fill(random: SeededRandom): void {
    const victim = this.#pick(random);
    const { disk } = victim;
    disk.capacityBytes = disk.usedBytes + below(random, 20_000);
    this.#host.world.note(victim.process.name, 'disk full at', disk.capacityBytes);
    this.#schedule.after(exponential(random, FULL_MEAN_MS), () => {
      disk.capacityBytes = Number.MAX_SAFE_INTEGER;
    });
  }

  #flip(random: SeededRandom): void {
    const { disk, process, id } = this.#pick(random);
    const found = disk.somewhere(random, (path) => isLogFile(path));
    if (found === undefined || isOutsideChecksum(disk.get(found.path)!, found)) return;
    if (!this.#mayDamage(id, found.path)) return;
    disk.bitFlip(found.path, found.position, below(random, 8));
    this.#host.world.note(process.name, 'bit flipped', found.path, found.position);
  }

  #misdirect(random: SeededRandom): void {
    const { disk, process, id } = this.#pick(random);
    const to = disk.somewhere(random, isLogFile);
    // Of the same file: no checksum of a batch could tell a batch that belongs at the same offset of another log.
    const from = disk.somewhere(random, (path) => path === to?.path);
    if (from === undefined || to === undefined || !this.#mayDamage(id, to.path)) return;
    const sector = (at: { path: string; position: number }) => ({
      path: at.path,
      position: at.position - (at.position % 512),
    });
    disk.misdirect(sector(from), sector(to));
    this.#host.world.note(process.name, 'misdirected to', to.path, to.position);
  }

  /** Replicas that the others can do without: somebody else in the ISR has all of it, undamaged. */
  #mayDamage(id: number, path: string): boolean {
    const extent = extentOf(path);
    const partition = [...this.#host.partitions()].find(({ topicId, partition: index }) => {
      const name = this.#host.image.topics.get(topicId)!.name;
      return `${name}-${index}` === extent;
    });
    if (partition === undefined || this.#host.mayHaveLost(`${partition.topicId}-${partition.partition}`))
      return false;
    const isSpared = partition.isr.some((other) => other !== id && this.#host.broker(other).process.isAlive);
    return isSpared && this.#atlas.claim(String(id), extent);
  }

  #copiesOf(extent: string): string[] {
    for (const { topicId, partition, isr } of this.#host.partitions()) {
      if (`${this.#host.image.topics.get(topicId)!.name}-${partition}` === extent) return isr.map(String);
    }
    return [];
  }

  /** An older copy of the disk comes back, while nobody relies on what it held. */
  #restore(random: SeededRandom): void {
    const victim = this.#pick(random);
    const copy = this.#copies.get(victim);
    if (copy === undefined) {
      this.#copies.set(victim, victim.disk.copy());
      return;
    }
    if (!this.#isSpared(victim)) return;
    victim.disk.restore(copy);
    this.#copies.delete(victim);
    this.#host.world.note(victim.process.name, 'an old disk came back');
  }

  #wipe(random: SeededRandom): void {
    const victim = this.#pick(random);
    if (!this.#isSpared(victim) || unit(random) < 0.3) return;
    victim.disk.wipe();
    this.#copies.delete(victim);
    this.#host.world.note(victim.process.name, 'the disk is new');
  }

  /** Down, and neither in an ISR nor in an ELR: its records are elsewhere. */
  #isSpared({ id, process }: SimBroker): boolean {
    if (process.isAlive) return false;
    for (const { isr, elr, lastKnownElr, replicas } of this.#host.partitions()) {
      if (isr.includes(id) || elr.includes(id) || lastKnownElr.includes(id)) return false;
      if (replicas.length === 1 && replicas.includes(id)) return false;
    }
    return true;
  }
}

/** Not snapshots of producers: they are the only copy of what deleted batches told, and a replica cannot fetch them. */
function isLogFile(path: string): boolean {
  return /-\d+\/\d+\.(log|index|timeindex)$/.test(path);
}

/** Base offset and leader epoch of a batch: the format leaves them out of its checksum, so that a leader may write them. */
function isOutsideChecksum(bytes: Buffer, { path, position }: { path: string; position: number }): boolean {
  if (!path.endsWith('.log')) return false;
  let at = 0;
  for (;;) {
    const sizeBytes = at + 12 <= bytes.length ? 12 + bytes.readInt32BE(at + 8) : 0;
    if (sizeBytes < 61) return false;
    const inBatch = position - at;
    if (inBatch < sizeBytes) return inBatch < 8 || (inBatch >= 12 && inBatch < 16);
    at += sizeBytes;
  }
}
