/**
 * Commits of offsets against time: production brokers, one coordinator, members of both kinds that come and go quickly, and
 * troubles that let a commit arrive, or be answered, when its partition is somebody else's. Judged by invariants 46 to 48.
 */
import { randomUuid, sleep } from '@millrace/core';
import { OFFSETS_TOPIC } from '@millrace/metadata';
import { ClusterNode } from '../cluster/cluster-node.ts';
import type { ClusterRun } from '../cluster/cluster-simulation.ts';
import { MetadataWitness } from '../cluster/metadata-witness.ts';
import { GroupWatch } from '../groups/group-watch.ts';
import type { Direction } from '../network/sim-network.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { exponential } from '../world/exponential.ts';
import { reach } from '../world/liveness.ts';
import type { SimLife } from '../world/sim-process.ts';
import { World } from '../world/world.ts';
import { ClassicCrew } from './classic-crew.ts';
import { CLASSIC_GROUPS, drawClassic } from './classic-plan.ts';
import { CommitCrew, GROUPS } from './commit-crew.ts';
import { type CommitPlan, CROWDED_BATCH_BYTES, drawCommitPlan, TOPIC } from './commit-plan.ts';

export const COMMIT_TROUBLES_MS = 20_000;
const LIMIT_MS = 60_000;
const RECORD_EVERY_MS = 25;
const LATE = { gapMeanMs: 300, spanMeanMs: 400 };
/** When partitions are given up. Some outlast what a commit waits for, and what a revocation does. */
const STALL = { gapMeanMs: 0.3, spanMeanMs: 2_500 };
/** Sessions end, and what was under way is answered. */
const CALM_MS = 8_000;

export interface CommitRunOptions {
  /** Of the phase with troubles. Default 20,000. */
  readonly troublesMs?: number | undefined;
  /** Members of the classic protocol; undefined: as the seed has it. */
  readonly hasClassic?: boolean | undefined;
}

interface TroubleTimes {
  readonly gapMeanMs: number;
  readonly spanMeanMs: number;
}

export class CommitSimulation {
  readonly world: World;
  readonly plan: CommitPlan;
  readonly crew: CommitCrew;
  readonly #network: SimNetwork;
  readonly #nodes: readonly ClusterNode[];
  readonly #witness: MetadataWitness;
  readonly #watch: GroupWatch;
  readonly #troublesMs: number;
  readonly #classic: ClassicCrew | undefined;
  #areTroublesOver = false;
  #isStalled = false;

  constructor(seed: number, { troublesMs = COMMIT_TROUBLES_MS, hasClassic }: CommitRunOptions = {}) {
    const world = new World({ seed });
    this.world = world;
    this.#troublesMs = troublesMs;
    const random = world.streams.workload;
    this.plan = drawCommitPlan(world.streams.plan, drawClassic(seed, hasClassic));
    const { layout } = this.plan;
    this.#network = new SimNetwork(world);
    const rpc = new SimRpcNetwork(this.#network);
    const clusterId = randomUuid(random);
    const violated = (text: string): never => world.fail(text);
    this.#nodes = layout.nodes.map((plan) => new ClusterNode(world, rpc, layout, plan, clusterId));
    this.#witness = new MetadataWitness({ decided: () => {}, brokersDecided: () => {}, violated });
    this.#watch = new GroupWatch({
      offsetsPartitions: 1,
      nodes: () => this.#nodes,
      image: () => this.#witness.image,
      violated,
    });
    for (const node of this.#nodes) node.watchGroups = (id) => this.#watch.factoryOf(id);
    const byName = new Map(this.#nodes.map((node) => [node.name, node]));
    world.afterEvent((life) => {
      const node = life && byName.get(life.process.name);
      if (node !== undefined) this.#witness.look(node);
    });
    this.crew = new CommitCrew(world, rpc, this.plan, this.#watch, random.fork());
    const { classic } = this.plan;
    if (classic === undefined) return;
    for (const node of this.#nodes) node.hasKafkaDoor = true;
    this.#classic = new ClassicCrew(this.crew, classic);
  }

  /** @throws {SimulationFailure} */
  async run(): Promise<ClusterRun> {
    const { world, crew } = this;
    for (const node of this.#nodes) node.start();
    await reach(world, () => this.#nodes.every(({ isUp }) => isUp), LIMIT_MS, 'the cluster does not form');
    await this.#act('founder', (life) => this.#found(life));
    const producer = world.process('producer').start((life) => this.#produce(life));
    crew.start();
    this.#classic?.start();
    if (this.plan.troubles.has('late')) this.#late();
    if (this.plan.troubles.has('stalls')) crew.onRevoke = () => this.#stall();
    await world.run(world.nowMs + this.#troublesMs);

    this.#areTroublesOver = true;
    crew.isCalm = true;
    this.#network.heal();
    await world.run(world.nowMs + CALM_MS);
    await this.#act('reader', (life) => this.#judge(life));
    crew.stop();
    this.#classic?.stop();
    producer.process.kill();
    return {
      faults: [...this.plan.troubles].join(','),
      hash: world.trace.hash,
      virtualMs: world.nowMs,
      events: world.eventCount,
      acknowledged: crew.counts['acknowledged commits'],
      counts: {
        ...crew.counts,
        ...this.#watch.counts,
        ...(this.#classic && { ...this.#classic.counts, ...this.#watch.truth.moves }),
      },
    };
  }

  async #found(life: SimLife): Promise<void> {
    const { layout, troubles } = this.plan;
    const millrace = this.crew.millrace(life);
    const admin = millrace.admin();
    await admin.createTopics(
      layout.topics.map(({ name, partitions, replicas, configs }) => {
        return { name, partitions, replicationFactor: replicas, configs };
      }),
    );
    // Whoever asks for a coordinator makes it.
    await admin.groupOffsets('founder');
    if (troubles.has('crowds')) {
      const resource = { kind: 'topic' as const, name: OFFSETS_TOPIC };
      await admin.alterConfigs([{ resource, name: 'max.message.bytes', value: `${CROWDED_BATCH_BYTES}` }]);
    }
    await millrace.close();
  }

  async #produce(life: SimLife): Promise<void> {
    const producer = this.crew.millrace(life).producer();
    for (let n = 0; !this.#areTroublesOver; n++) {
      await sleep(life.clock, RECORD_EVERY_MS);
      // A stall of the coordinator may be one of this partition as well.
      producer.send({ topic: TOPIC, partition: n % this.plan.partitions, value: `${n}` }).catch(() => {});
    }
  }

  // ---- troubles -----------------------------------------------------------------------------------------------------

  /** Commits of members that speak the protocol themselves stand still, and their heartbeats do not. */
  #late(): void {
    const members = this.crew.wireMembers.map(({ commitsFrom }) => commitsFrom);
    for (const commitsFrom of [...members, ...(this.#classic?.commitsFrom ?? [])]) {
      const again = (): void =>
        this.#block(
          LATE,
          () => this.crew.brokers.map((broker) => [commitsFrom.name, broker] as const),
          again,
        );
      again();
    }
  }

  /** The coordinator's followers hear nothing, so that it answers nobody. */
  #stall(): void {
    if (this.#isStalled) return;
    this.#isStalled = true;
    const where = (): Direction[] => {
      const coordinator = this.#coordinator();
      const others = this.crew.brokers.filter((name) => name !== coordinator);
      return others.flatMap((name) => [[coordinator, name] as const, [name, coordinator] as const]);
    };
    this.#block(STALL, where, () => {
      this.#isStalled = false;
    });
  }

  #coordinator(): string {
    const { topicIds, topics } = this.#witness.image;
    const leader = topics.get(topicIds.get(OFFSETS_TOPIC)!)!.partitions[0]!.leader;
    return this.#nodes.find(({ plan }) => plan.id === leader)!.name;
  }

  #block(times: TroubleTimes, where: () => Direction[], healed: () => void): void {
    const { world } = this;
    const random = world.streams.network;
    world.schedule(exponential(random, times.gapMeanMs), () => {
      if (this.#areTroublesOver) return;
      const blockage = this.#network.block(where(), 'clog');
      world.schedule(exponential(random, times.spanMeanMs), () => {
        blockage.heal();
        healed();
      });
    });
  }

  // ---- the end ------------------------------------------------------------------------------------------------------

  async #judge(life: SimLife): Promise<void> {
    const millrace = this.crew.millrace(life);
    const asked = Array.from({ length: this.plan.partitions }, (_, partition) => ({
      topic: TOPIC,
      partition,
    }));
    for (const groupId of [...GROUPS, ...(this.#classic === undefined ? [] : CLASSIC_GROUPS)]) {
      const found = await millrace.admin().groupOffsets(groupId, asked);
      const committed = new Map(
        found.map(({ partition, offset }) => [`${TOPIC}-${partition}`, Number(offset ?? -1n)] as const),
      );
      this.#watch.ended({ groupId, committed, readable: new Map() });
    }
    await millrace.close();
  }

  async #act(name: string, act: (life: SimLife) => Promise<void>): Promise<void> {
    let isDone = false;
    const process = this.world.process(name);
    process.start(async (life) => {
      await act(life);
      isDone = true;
    });
    await reach(this.world, () => isDone, LIMIT_MS, `the ${name} gets no answer`);
    process.kill();
  }
}
