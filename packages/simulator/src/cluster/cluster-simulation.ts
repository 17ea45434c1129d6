/**
 * A whole cluster under a seed: production nodes on simulated disks and networks, the SDK's clients, every fault of the
 * plan within the budget; then healing, what must follow from it, and the judgement of all that clients saw.
 */
import { randomUuid } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import { withClassic } from '../groups/classic-groups.ts';
import { GroupCrew } from '../groups/group-crew.ts';
import { drawGroups, type GroupsPlan, withGroups } from '../groups/group-plan.ts';
import { GroupWatch } from '../groups/group-watch.ts';
import { groupsMustSettle, judgeGroups } from '../groups/groups-end.ts';
import { everyCallEnds } from '../invariants/53-every-call-ends.ts';
import { rpcOptions } from '../network/network-faults.ts';
import { SimNetwork } from '../network/sim-network.ts';
import { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { FaultPlan, type FaultPlanOptions } from '../world/fault-plan.ts';
import { reach } from '../world/liveness.ts';
import { verdictOf } from '../world/verdict.ts';
import { World } from '../world/world.ts';
import { ClientCrew } from './client-crew.ts';
import { ClusterFaults } from './cluster-faults.ts';
import { type ClusterLayout, drawLayout } from './cluster-layout.ts';
import { ClusterNode } from './cluster-node.ts';
import { DecisionCourt, describeDecision } from './decision-court.ts';
import { FaultBudget } from './fault-budget.ts';
import { judgeHistories, readEverything } from './final-judgement.ts';
import { MetadataWitness } from './metadata-witness.ts';
import { endInOrder } from './orderly-end.ts';
import { QuorumWatch } from './quorum-watch.ts';
import { mustRecover } from './recovery.ts';
import { ReplicaWatch } from './replica-watch.ts';

export const CLUSTER_FAULTS_MS = 60_000;
const FORMATION_LIMIT_MS = 60_000;
const CHECKPOINT_MS = 500;

export interface ClusterRunOptions extends FaultPlanOptions {
  /** Of the phase with faults. Default 60,000. */
  readonly faultsMs?: number;
  readonly clientsMax?: number;
  /** Undefined: as the seed has it. */
  readonly hasGroups?: boolean;
  /** Members of the classic protocol, in a seed with groups. Undefined: as the seed has it. */
  readonly hasClassic?: boolean;
}

export interface ClusterRun {
  readonly faults: string;
  readonly hash: string;
  readonly virtualMs: number;
  readonly events: number;
  readonly acknowledged: number;
  readonly counts: Readonly<Record<string, number>>;
}

export class ClusterSimulation {
  readonly world: World;
  readonly layout: ClusterLayout;
  readonly plan: FaultPlan;
  readonly network: SimNetwork;
  readonly rpc: SimRpcNetwork;
  readonly nodes: readonly ClusterNode[];
  readonly witness: MetadataWitness;
  readonly budget: FaultBudget;
  readonly crew: ClientCrew;
  /** Undefined in a seed without groups. */
  readonly groups: GroupCrew | undefined;
  readonly faults: ClusterFaults;
  readonly replicas: ReplicaWatch;
  readonly #options: ClusterRunOptions;

  constructor(seed: number, options: ClusterRunOptions = {}) {
    this.#options = options;
    const world = new World({ seed });
    this.world = world;
    const { streams } = world;
    this.plan = FaultPlan.draw(streams.plan, options);
    const layout = drawLayout(streams.workload);
    const drawn = drawGroups(seed, layout, options.hasGroups);
    const groups = drawn && withClassic(seed, drawn, options.hasClassic);
    this.layout = withGroups(layout, groups);
    this.network = new SimNetwork(world);
    this.rpc = new SimRpcNetwork(this.network, rpcOptions(streams.network));
    const clusterId = randomUuid(streams.workload);
    const violated = (text: string): never => world.fail(text);
    this.nodes = this.layout.nodes.map(
      (plan) => new ClusterNode(world, this.rpc, this.layout, plan, clusterId),
    );
    const court = new DecisionCourt(this.layout, () => this.witness.image, violated);
    this.witness = new MetadataWitness({
      decided: (decided) => {
        world.note('', 'decided', describeDecision(decided));
        court.decided(decided);
      },
      brokersDecided: (image) => court.brokersDecided(image),
      violated,
    });
    this.budget = new FaultBudget(this.layout, () => this.witness.image);
    this.crew = new ClientCrew(world, this.rpc, this.layout);
    this.groups = groups && this.#groupCrew(groups, violated);
    this.replicas = new ReplicaWatch(this.nodes, violated);
    const byName = new Map(this.nodes.map((node) => [node.name, node]));
    const quorum = new QuorumWatch(violated);
    for (const node of this.nodes) node.watchQuorum = quorum.observed.bind(quorum);
    world.afterEvent((life) => {
      const node = life && byName.get(life.process.name);
      if (node === undefined) return;
      this.witness.look(node);
      quorum.look(node);
    });
    const { nodes, network, rpc, crew } = this;
    this.faults = new ClusterFaults(
      world,
      this.plan,
      { nodes, network, rpc, clients: [...crew.plannedNames, ...(this.groups?.plannedNames ?? [])] },
      this.budget,
    );
  }

  #groupCrew(plan: GroupsPlan, violated: (text: string) => never): GroupCrew {
    const { world, crew, nodes } = this;
    const { offsetsPartitions } = plan;
    const image = (): MetadataImage => this.witness.image;
    const watch = new GroupWatch({ offsetsPartitions, nodes: () => nodes, image, violated });
    for (const node of nodes) {
      node.watchGroups = (id) => watch.factoryOf(id);
      node.hasKafkaDoor = plan.classicRandom !== undefined;
    }
    return new GroupCrew(world, crew, plan, watch);
  }

  /** @throws {SimulationFailure} */
  async run(): Promise<ClusterRun> {
    const { world, nodes, crew, faults } = this;
    for (const node of nodes) node.start();
    await this.#reach(() => nodes.every(({ isUp }) => isUp), FORMATION_LIMIT_MS, 'the cluster does not form');
    await this.#createTopics();
    crew.start(this.#options.clientsMax);
    this.groups?.start();
    faults.start();
    this.#checkpoints();
    await world.run(world.nowMs + (this.#options.faultsMs ?? CLUSTER_FAULTS_MS));

    crew.isDone = true;
    faults.heal();
    this.groups?.heal();
    await mustRecover(this);
    await groupsMustSettle(this);
    await readEverything(this);
    judgeHistories(this);
    await judgeGroups(this);
    await endInOrder(this);
    return this.#result();
  }

  /** @throws {SimulationFailure} with `violation` if the condition does not hold in time. */
  async #reach(condition: () => boolean, limitMs: number, violation: string): Promise<void> {
    await reach(this.world, condition, limitMs, violation);
  }

  async #createTopics(): Promise<void> {
    const { world, crew, layout } = this;
    const process = world.process('founder');
    let isDone = false;
    process.start(async (life) => {
      const millrace = crew.millrace(life);
      const topics = layout.topics.map(({ name, partitions, replicas, configs }) => {
        return { name, partitions, replicationFactor: replicas, configs };
      });
      const admin = millrace.admin();
      await admin.createTopics(topics);
      for (const { name, configs } of layout.internalTopics ?? []) {
        // Whoever asks for a coordinator makes it.
        await admin.groupOffsets('founder');
        const changes = Object.entries(configs).map(([key, value]) => ({
          resource: { kind: 'topic' as const, name },
          name: key,
          value,
        }));
        await admin.alterConfigs(changes);
      }
      await millrace.close();
      isDone = true;
    });
    await this.#reach(() => isDone, FORMATION_LIMIT_MS, 'topics cannot be created without faults');
    process.kill();
  }

  #checkpoints(): void {
    this.world.schedule(CHECKPOINT_MS, () => {
      this.witness.compare(this.nodes);
      this.replicas.look(this.witness.image);
      everyCallEnds.judge(this.rpc.openCalls(), false, verdictOf(this.world, everyCallEnds));
      this.#checkpoints();
    });
  }

  #result(): ClusterRun {
    const { world, crew, faults } = this;
    return {
      faults: this.plan.toString(),
      hash: world.trace.hash,
      virtualMs: world.nowMs,
      events: world.eventCount,
      acknowledged: crew.history.acknowledged,
      counts: {
        ...crew.counts,
        'metadata calls': crew.metadata.size,
        'undecided histories': crew.metadata.undecided,
        ...faults.counts,
        ...faults.disks.counts,
        ...this.groups?.counts,
        ...this.groups?.watch.counts,
        ...(this.groups?.plan.classicRandom && this.groups.watch.truth.moves),
      },
    };
  }
}
