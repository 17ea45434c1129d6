/**
 * One seed of the partition world: faults while clients work, then none, then everything must come right within bounds of
 * virtual time. Decides nothing about faults or promises itself.
 */
import type { NodeId } from '@millrace/core';
import { PlannedPowerLosses } from '../disk/planned-power-losses.ts';
import { ClientHistory } from '../history/client-history.ts';
import { clientHistoriesAreSound } from '../invariants/39-client-histories-are-sound.ts';
import { PARTITION_INVARIANTS } from '../invariants/partition-invariants.ts';
import { linkSettings, NetworkFaults } from '../network/network-faults.ts';
import { FaultPlan, type FaultPlanOptions } from '../world/fault-plan.ts';
import { ProcessFaults } from '../world/process-faults.ts';
import { verdictOf } from '../world/verdict.ts';
import { CONTROLLER } from './model-controller.ts';
import type { PartitionModel } from './partition-model.ts';
import type { PartitionInvariant } from './partition-observation.ts';
import { drawPartitionPlan, type PartitionPlan } from './partition-plan.ts';
import { PartitionWorld } from './partition-world.ts';
import type { SimBroker } from './sim-broker.ts';
import { StorageFaults } from './storage-faults.ts';

export interface PartitionSimulationOptions extends FaultPlanOptions {
  /** Virtual time with faults. Default: 10 to 25 seconds, by the seed. */
  readonly faultsMs?: number;
  /** At most so many producers and so many consumers. */
  readonly clientsMax?: number;
  readonly traceDepth?: number;
  readonly onWorld?: (world: PartitionWorld) => void;
  /** Judges beside the usual ones. */
  readonly more?: readonly PartitionInvariant[];
}

export interface PartitionOutcome {
  readonly seed: number;
  readonly faults: string;
  /** Of the trace. */
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly committed: number;
  readonly lives: number;
  readonly elections: number;
  readonly losses: number;
}

const HEALED_MAX_MS = 60_000;
const CHECKPOINT_MS = 2_000;
/** Invariant 58: beside the session timeout. */
const LEADER_MAX_MS = 2_000;
/** Invariant 59. */
const ISR_MAX_MS = 30_000;

/** @throws {SimulationFailure} */
export async function simulatePartition(
  seed: number,
  options: PartitionSimulationOptions = {},
): Promise<PartitionOutcome> {
  const host = new PartitionWorld({
    seed,
    plan: (random) => atMost(options.clientsMax, drawPartitionPlan(random)),
    invariants: [...(options.more ?? []), ...PARTITION_INVARIANTS],
    ...(options.traceDepth !== undefined && { traceDepth: options.traceDepth }),
  });
  options.onWorld?.(host);
  const { world } = host;
  const plan = FaultPlan.draw(world.streams.plan, options);
  world.note('', 'faults', plan.toString());
  await host.start();
  host.startClients();
  const faults = beginFaults(host, plan);
  const lengthMs = options.faultsMs ?? 10_000 + (seed % 16) * 1_000;
  const endMs = world.nowMs + lengthMs;
  while (world.nowMs < endMs) {
    await world.run(Math.min(endMs, world.nowMs + CHECKPOINT_MS));
    host.observatory.checkpoint();
  }
  const stuck = host.brokers.filter((broker) => host.isStuck(broker));
  for (const broker of host.brokers) if (broker.offlineCount > 0) host.loseSoleCopies(broker, 'process');
  for (const fault of faults) fault.heal();
  heal(host, stuck);
  const healedMs = world.nowMs;
  await recover(host);
  world.note('', 'recovered in', Math.round(world.nowMs - healedMs));
  host.observatory.checkpoint();
  judgeHistory(host);
  return outcomeOf(host, plan);
}

function atMost(clientsMax: number | undefined, plan: PartitionPlan): PartitionPlan {
  if (clientsMax === undefined) return plan;
  const producers = plan.producers.slice(0, clientsMax);
  return { ...plan, producers, consumers: Math.min(plan.consumers, clientsMax) };
}

function beginFaults(host: PartitionWorld, plan: FaultPlan): { heal(): void }[] {
  const { world, network, brokers, controller } = host;
  const networkFaults = new NetworkFaults(network, plan, host.names);
  const processes = [world.process(CONTROLLER), ...brokers.map(({ process }) => process)];
  const processFaults = new ProcessFaults(world, plan, {
    processes,
    kill: (process, death) => {
      const broker = brokers.find((other) => other.process === process);
      if (broker === undefined) process.kill(death);
      else host.crash(broker, death);
    },
    restart: (process) => {
      const broker = brokers.find((other) => other.process === process);
      if (broker === undefined) controller.start();
      else broker.start();
    },
  });
  const storageFaults = new StorageFaults(host, plan);
  const powerLosses = new PlannedPowerLosses(plan);
  for (const broker of brokers) broker.powerLosses = powerLosses;
  controller.troubles = {
    lostAnswers: plan.rate('loss', 0.01, 0.2),
    answerMaxMs: plan.rate('delay', 100, 3000),
    lagMaxMs: plan.rate('delay', 100, 3000) + plan.rate('reordering', 0, 1000),
    fenceMeanMs: plan.has('partition') ? 3000 : 0,
  };
  networkFaults.start();
  network.setAll({ ...linkSettings(plan), loss: Math.min(0.02, linkSettings(plan).loss) });
  processFaults.start();
  storageFaults.start();
  if (plan.has('stream-reset')) host.resetStreams(plan.random('stream-reset'));
  return [networkFaults, processFaults, storageFaults];
}

/** What a person would do after such a night: every broker with a replica offline, or without a journal, is started again. */
function heal(host: PartitionWorld, stuck: readonly SimBroker[]): void {
  host.controller.troubles = { lostAnswers: 0, answerMaxMs: 0, lagMaxMs: 0, fenceMeanMs: 0 };
  host.stopResets();
  for (const broker of host.brokers) {
    if (broker.offlineCount === 0 && !broker.hasFailedJournal && !stuck.includes(broker)) continue;
    broker.kill('process');
    broker.start();
  }
  host.stopProducing();
  for (const consumer of host.consumers) consumer.hurry();
}

async function recover(host: PartitionWorld): Promise<void> {
  const { world } = host;
  const healedMs = world.nowMs;
  const leaderDueMs = healedMs + host.plan.controller.sessionTimeoutMs + LEADER_MAX_MS;
  const isHopeless = (key: string): boolean => {
    const partition = host.observatory.partitions.get(key);
    return partition === undefined || partition.isDeleted || isBeyondHelp(host, partition);
  };
  const isDone = (): boolean => {
    if (!host.isActive) return false;
    for (const partition of host.observatory.partitions.values()) {
      if (!partition.isDeleted && !isRecovered(host, partition)) return false;
    }
    return host.producers.every((producer) => producer.isIdle(isHopeless));
  };
  let nextLookMs = 0;
  const isDoneOrLate = (): boolean => {
    if (world.nowMs < nextLookMs) return false;
    nextLookMs = world.nowMs + 50;
    if (world.nowMs > leaderDueMs + host.bootAllowanceMs) judgeLeaders(host);
    return isDone() || world.nowMs - healedMs > ISR_MAX_MS;
  };
  await world.run(isDoneOrLate, HEALED_MAX_MS);
  if (!isDone()) world.fail(`invariant 59 replicas-are-in-sync: ${unfinished(host)}`);
}

function judgeLeaders(host: PartitionWorld): void {
  for (const partition of host.observatory.partitions.values()) {
    if (partition.isDeleted || isBeyondHelp(host, partition)) continue;
    if (partition.image.leader === -1) {
      host.world.fail(`invariant 58 partitions-have-leaders: ${describe(partition)} has no leader`);
    }
  }
}

function isRecovered(host: PartitionWorld, partition: PartitionModel): boolean {
  if (isBeyondHelp(host, partition)) return true;
  const { image } = partition;
  if (image.leader === -1 || image.isr.length < image.replicas.length || image.recovering) return false;
  const leader = partition.replicas.get(image.leader);
  if (leader?.leaderEpoch !== image.leaderEpoch || leader.highWatermark !== leader.log.end) return false;
  return host.consumers.every((consumer) => consumer.positionOf(partition.key) === leader.highWatermark);
}

/**
 * Invariant 62: nobody who may lead has the records, and the topic forbids to go on without them. P13: who stopped
 * uncleanly may lead only if nobody is eligible. So it may not if all who are have damaged logs: beside the crash, each
 * of their disks was lost, and only an operator can tell whether those logs can be mended.
 */
function isBeyondHelp(host: PartitionWorld, { image, config }: PartitionModel): boolean {
  if (image.leader !== -1) return false;
  const hasLog = (id: NodeId): boolean => !image.offline.includes(id);
  const isDamaged = (id: NodeId): boolean =>
    host.broker(id).broker?.partitions.get(image.topicId, image.partition)?.offline?.code === 'LOG_DAMAGED';
  const isWaitedFor = image.elr.length > 0 && image.elr.every(isDamaged);
  const lastKnown = config.durability === 'page-cache' && !isWaitedFor ? image.lastKnownElr.slice(0, 1) : [];
  const candidates = host.allowsUnclean(image) ? image.replicas : [...image.isr, ...image.elr, ...lastKnown];
  return !candidates.some(hasLog);
}

function describe({ topic, key, image }: PartitionModel): string {
  const { leader, leaderEpoch, isr, elr, lastKnownElr, offline, replicas, recovering } = image;
  return `${topic} ${key} ${JSON.stringify({ leader, leaderEpoch, isr, elr, lastKnownElr, offline, replicas, recovering })}`;
}

function unfinished(host: PartitionWorld): string {
  const fenced = host.brokers
    .filter(({ id }) => host.image.brokers.get(id)?.fenced !== false)
    .map(({ id }) => id);
  if (fenced.length > 0) return `brokers ${fenced.join(', ')} are fenced`;
  for (const partition of host.observatory.partitions.values()) {
    if (partition.isDeleted || isRecovered(host, partition)) continue;
    const leader = partition.replicas.get(partition.image.leader);
    const consumers = host.consumers.map((consumer) => consumer.positionOf(partition.key));
    return `${describe(partition)} watermark ${leader?.highWatermark} of ${leader?.log.end}, consumers at ${consumers}`;
  }
  return 'producers wait';
}

function judgeHistory(host: PartitionWorld): void {
  const lawful = new ClientHistory();
  const isJudged = (key: string): boolean => {
    const partition = host.observatory.partitions.get(key);
    return !host.mayHaveLost(key) && partition !== undefined && !isBeyondHelp(host, partition);
  };
  const isRepeated = repeatedValues(host);
  lawful.sent.push(
    ...host.history.sent.filter(({ partition, value }) => isJudged(partition) && !isRepeated.has(value)),
  );
  for (const polled of host.history.polled) {
    if (!isJudged(polled.partition)) continue;
    const records = polled.records.filter(({ value }) => !isRepeated.has(value));
    lawful.polled.push({ ...polled, records });
  }
  for (const { key, logStartMax } of host.observatory.partitions.values())
    lawful.moveLogStart(key, logStartMax);
  clientHistoriesAreSound.judge(
    { history: lawful, isLawful: () => false },
    verdictOf(host.world, clientHistoriesAreSound),
  );
}

/** Of records that no leader could know to be there twice: see invariant 39. */
function repeatedValues({ history, observatory }: PartitionWorld): ReadonlySet<string> {
  const values = new Set<string>();
  const isRepeat = (key: string, offset: number): boolean =>
    observatory.partitions.get(key)?.repeated.has(offset) === true;
  for (const { partition, value, offset } of history.sent) if (isRepeat(partition, offset)) values.add(value);
  for (const { partition, records } of history.polled) {
    for (const { offset, value } of records) if (isRepeat(partition, offset)) values.add(value);
  }
  return values;
}

function outcomeOf(host: PartitionWorld, plan: FaultPlan): PartitionOutcome {
  const { world, history, brokers, observatory } = host;
  const models = [...observatory.partitions.values()];
  return {
    seed: world.seed,
    faults: plan.toString(),
    hash: world.trace.hash,
    virtualMs: Math.round(world.nowMs),
    events: world.eventCount,
    acknowledged: history.acknowledged,
    committed: models.reduce((sum, { committed }) => sum + committed.end, 0),
    lives: brokers.reduce((sum, { process }) => sum + process.lives, 0),
    elections: models.reduce((sum, { image }) => sum + image.leaderEpoch, 0),
    losses: models.reduce((sum, { losses }) => sum + losses, 0),
  };
}
