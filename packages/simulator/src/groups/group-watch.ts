/** Looks on while groups live: has every coordinator observed, knows what committed, and brings it all before the judges. */
import { groupPartitionOf } from '@millrace/broker';
import {
  type GroupCoordinator,
  type GroupCoordinatorOptions,
  GroupCoordinatorState,
  type GroupOutcome,
  type GroupRecord,
  type GroupRequestName,
  type GroupRequests,
  type OffsetFetchRequest,
  type OffsetFetchResponse,
} from '@millrace/groups';
import { type MetadataImage, OFFSETS_TOPIC } from '@millrace/metadata';
import type { ClusterNode } from '../cluster/cluster-node.ts';
import { GROUP_INVARIANTS } from '../invariants/group-invariants.ts';
import { CommittedGroups } from './committed-groups.ts';
import type {
  CommitAck,
  GroupEnd,
  GroupJudge,
  GroupStep,
  GroupWorldView,
  Holder,
} from './group-observation.ts';
import { type CoordinatorObserver, ObservedCoordinator } from './observed-coordinator.ts';

export interface GroupWatchOptions {
  readonly offsetsPartitions: number;
  readonly nodes: () => readonly ClusterNode[];
  readonly image: () => MetadataImage;
  readonly violated: (text: string) => never;
}

export class GroupWatch implements CoordinatorObserver, GroupWorldView {
  readonly truth = new CommittedGroups();
  readonly #options: GroupWatchOptions;
  readonly #judges: readonly GroupJudge[];
  /** Of each node the coordinators of its present life, oldest first. */
  readonly #coordinators = new Map<number, ObservedCoordinator[]>();
  readonly #logEnds = new Map<string, number>();
  readonly counts = { commits: 0, 'coordinator loads': 0 };

  constructor(options: GroupWatchOptions) {
    this.#options = options;
    this.#judges = GROUP_INVARIANTS.map(({ number, name, judge }) =>
      judge(this, (text) => options.violated(`invariant ${number} ${name}: ${text}`)),
    );
  }

  /** What a node's life makes its coordinators with. */
  factoryOf(nodeId: number): (options: GroupCoordinatorOptions) => GroupCoordinator {
    const coordinators: ObservedCoordinator[] = [];
    this.#coordinators.set(nodeId, coordinators);
    return (options) => {
      const observed = new ObservedCoordinator(nodeId, new GroupCoordinatorState(options), this);
      coordinators.push(observed);
      this.counts['coordinator loads'] += 1;
      return observed;
    };
  }

  // ---- of coordinators ----------------------------------------------------------------------------------------------

  stepped<N extends GroupRequestName>(
    observed: ObservedCoordinator,
    name: N,
    request: GroupRequests[N]['request'],
    outcome: GroupOutcome,
  ): void {
    const step = { name, request, outcome } as GroupStep;
    for (const judge of this.#judges) judge.stepped?.(observed, step);
  }

  changed(observed: ObservedCoordinator, groupIds: ReadonlySet<string>): void {
    for (const judge of this.#judges) judge.changed?.(observed, groupIds);
  }

  advanced(
    observed: ObservedCoordinator,
    offset: number,
    fresh: readonly (readonly [number, GroupRecord])[],
  ): void {
    for (const judge of this.#judges) judge.advanced?.(observed, offset);
    const index = observed.index;
    if (index === undefined) return;
    for (const [at, record] of fresh) {
      if (!this.truth.add(index, at, record)) continue;
      if (record.kind === 'offset' && record.value !== undefined) this.counts.commits += 1;
      for (const judge of this.#judges) judge.committed?.({ index, offset: at, record });
    }
  }

  shown(observed: ObservedCoordinator, request: OffsetFetchRequest, response: OffsetFetchResponse): void {
    if (response.failure !== undefined) return;
    for (const judge of this.#judges) judge.shown?.(observed, request, response);
  }

  highWatermarkOf(observed: ObservedCoordinator): number | undefined {
    return this.#replicaOf(observed)?.highWatermark;
  }

  isOver(observed: ObservedCoordinator): boolean {
    const life = this.#coordinators.get(observed.nodeId) ?? [];
    const newest = life.findLast(({ index }) => index === observed.index);
    const replica = this.#replicaOf(observed);
    return newest !== observed || (replica !== undefined && replica.leader === undefined);
  }

  topicIdOf(topic: string): string | undefined {
    return this.#options.image().topicIds.get(topic);
  }

  indexOf(groupId: string): number {
    return groupPartitionOf(groupId, this.#options.offsetsPartitions);
  }

  // ---- of members ---------------------------------------------------------------------------------------------------

  given(holder: Holder, partitions: readonly string[], others: readonly Holder[]): void {
    for (const judge of this.#judges) judge.given?.(holder, partitions, others);
  }

  processed(groupId: string, partition: string, offset: number): void {
    for (const judge of this.#judges) judge.processed?.(groupId, partition, offset);
  }

  acknowledged(commit: CommitAck): void {
    for (const judge of this.#judges) judge.acknowledged?.(commit);
  }

  ended(end: GroupEnd): void {
    for (const judge of this.#judges) judge.ended?.(end);
  }

  // ---- of the world -------------------------------------------------------------------------------------------------

  nameOf(topicId: string): string | undefined {
    return this.#options.image().topics.get(topicId)?.name;
  }

  logEndOf(topic: string, partition: number): number | undefined {
    const key = `${topic}-${partition}`;
    const ends = this.#replicas(topic, partition).map((replica) =>
      replica?.isOpen ? replica.log.logEndOffset : undefined,
    );
    const known = ends.filter((end) => end !== undefined);
    const highest = Math.max(this.#logEnds.get(key) ?? 0, ...known);
    this.#logEnds.set(key, highest);
    return known.length === ends.length ? highest : undefined;
  }

  #replicas(topic: string, index: number) {
    const image = this.#options.image();
    const topicId = image.topicIds.get(topic);
    const partition = topicId === undefined ? undefined : image.topics.get(topicId)?.partitions[index];
    if (topicId === undefined || partition === undefined) return [];
    return this.#options
      .nodes()
      .filter(({ plan }) => partition.replicas.includes(plan.id))
      .map(({ node, process }) =>
        process.isAlive ? node?.broker?.partitions.get(topicId, index) : undefined,
      );
  }

  #replicaOf({ nodeId, index }: ObservedCoordinator) {
    const topicId = this.#options.image().topicIds.get(OFFSETS_TOPIC);
    if (topicId === undefined || index === undefined) return undefined;
    const node = this.#options.nodes().find(({ plan }) => plan.id === nodeId);
    return node?.node?.broker?.partitions.get(topicId, index);
  }
}
