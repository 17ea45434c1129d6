/**
 * A cluster in memory behind the `Transport` port: brokers that can be stopped, silenced and told to fail, and
 * partitions whose leaders move. For this package's tests only. Messages pass through their real codecs.
 */
import { type Clock, ERRORS, type ErrorCode, MillraceError } from '@millrace/core';
import type {
  Failure,
  FetchRequest,
  FetchResponse,
  PartitionFetch,
  PartitionFetched,
  PartitionProduce,
  PartitionProduced,
  ProduceRequest,
  ProduceResponse,
  RpcMethod,
} from '@millrace/protocol';
import type { Connection, Transport } from '../cluster/transport.ts';
import { FakeConnection } from './fake-connection.ts';
import { FakeCoordinator } from './fake-coordinator.ts';
import { FakePartition } from './fake-partition.ts';
import { answerUnary } from './fake-unary.ts';

/** What happens to one batch. `lose` appends and breaks the stream before the answer; `hang` never answers. */
export type ProduceFault =
  | { readonly kind: 'refuse'; readonly code: ErrorCode }
  | { readonly kind: 'appendAndFail'; readonly code: ErrorCode }
  | { readonly kind: 'break' }
  | { readonly kind: 'lose' }
  | { readonly kind: 'hang' }
  | { readonly kind: 'appendAndHang' };

export interface ProduceArrival {
  readonly brokerId: number;
  readonly topic: string;
  readonly partition: number;
  /** Counts batches that arrived at the cluster, from 1. */
  readonly nth: number;
  readonly records: Buffer;
}

export interface FakeTopic {
  name: string;
  id: string;
  partitions: FakePartition[];
}

export interface FakeClusterOptions {
  readonly clock: Clock;
  readonly brokers?: number;
  readonly latencyMs?: number;
}

export class FakeCluster implements Transport {
  readonly clock: Clock;
  readonly latencyMs: number;
  readonly brokerIds: number[];
  readonly down = new Set<number>();
  /** Accept everything, answer nothing. */
  readonly silent = new Set<number>();
  readonly topics = new Map<string, FakeTopic>();
  readonly groups = new Map<string, FakeCoordinator>();
  readonly connections = new Set<FakeConnection>();
  /** Unary calls by name, with the broker asked. */
  readonly calls: { method: string; brokerId: number; request: unknown }[] = [];
  readonly produceRequests: ProduceRequest[] = [];
  readonly fetchRequests: { brokerId: number; request: FetchRequest }[] = [];
  onProduce: (arrival: ProduceArrival) => ProduceFault | undefined = () => undefined;
  onFetch: (partition: PartitionFetch, topic: string) => ErrorCode | Partial<PartitionFetched> | undefined =
    () => undefined;
  onUnary: (method: string, brokerId: number) => ErrorCode | undefined = () => undefined;
  /** Controllers by node id, and whether they vote. */
  readonly controllers = new Map<number, boolean>([[1, true]]);
  /** As `onUnary`, but what was asked is done: only the answer is lost. */
  afterUnary: (method: string, brokerId: number) => ErrorCode | undefined = () => undefined;
  /** What brokers tell about leaders; the truth unless a test makes it stale. */
  reportedLeader: (topic: string, partition: FakePartition) => { leaderId: number; leaderEpoch: number } = (
    _topic,
    partition,
  ) => partition;
  nextProducerId = 1000;
  /** A larger request ends the stream that it is on, as gRPC has it. */
  requestBytesMax = Number.POSITIVE_INFINITY;
  controllerId = 1;
  #arrivals = 0;
  #topicCount = 0;
  readonly #waitingFetches = new Set<() => void>();

  constructor({ clock, brokers = 3, latencyMs = 0 }: FakeClusterOptions) {
    this.clock = clock;
    this.latencyMs = latencyMs;
    this.brokerIds = Array.from({ length: brokers }, (_, i) => i + 1);
  }

  get bootstrap(): string {
    return this.brokerIds.map((id) => `broker-${id}:9191`).join(',');
  }

  createTopic(name: string, partitions = 1): FakeTopic {
    const topic = {
      name,
      id: `topic-id-${++this.#topicCount}`.padEnd(22, '0'),
      partitions: Array.from(
        { length: partitions },
        (_, i) => new FakePartition(i, this.brokerIds[i % this.brokerIds.length]!),
      ),
    };
    this.topics.set(name, topic);
    return topic;
  }

  /** The group, coordinated by the first broker until a test says otherwise. */
  group(groupId: string): FakeCoordinator {
    const known = this.groups.get(groupId);
    if (known !== undefined) return known;
    const group = new FakeCoordinator(this, groupId, this.brokerIds[0]!);
    this.groups.set(groupId, group);
    return group;
  }

  addPartitions(name: string, totalCount: number): void {
    const { partitions } = this.topics.get(name)!;
    for (let i = partitions.length; i < totalCount; i++) {
      partitions.push(new FakePartition(i, this.brokerIds[i % this.brokerIds.length]!));
    }
  }

  partition(topic: string, partition = 0): FakePartition {
    return this.topics.get(topic)!.partitions[partition]!;
  }

  topicById(id: string): FakeTopic | undefined {
    return [...this.topics.values()].find((topic) => topic.id === id);
  }

  connect({ host }: { host: string }): Connection {
    const connection = new FakeConnection(this, Number(host.replace('broker-', '')));
    this.connections.add(connection);
    return connection;
  }

  stop(brokerId: number): void {
    this.down.add(brokerId);
    this.breakStreams(brokerId);
  }

  breakStreams(brokerId: number): void {
    for (const connection of this.connections) {
      if (connection.brokerId === brokerId) connection.breakStreams(new MillraceError('NETWORK_EXCEPTION'));
    }
  }

  /** Moves a partition's leader; readers that wait learn it at once. */
  move(topic: string, partition: number, leaderId: number): void {
    this.partition(topic, partition).moveTo(leaderId);
    this.wakeFetches();
  }

  wakeFetches(): void {
    for (const wake of [...this.#waitingFetches]) wake();
  }

  unary(brokerId: number, method: RpcMethod<unknown, unknown>, request: unknown): unknown {
    const name = method.path.slice(method.path.lastIndexOf('/') + 1);
    this.calls.push({ method: name, brokerId, request });
    const code = this.onUnary(name, brokerId);
    if (code !== undefined) throw new MillraceError(code);
    const answer = answerUnary(this, name, request, brokerId);
    const lost = this.afterUnary(name, brokerId);
    if (lost !== undefined) throw new MillraceError(lost);
    return answer;
  }

  /** Undefined: no answer. @throws to break the stream. */
  produce(brokerId: number, request: ProduceRequest): ProduceResponse | undefined {
    this.produceRequests.push(request);
    const partitions: PartitionProduced[] = [];
    let isSilent = false;
    let isBroken = false;
    for (const part of request.partitions) {
      const answer = this.#produceOne(brokerId, part);
      if (answer === 'hang') isSilent = true;
      else if (answer === 'break') isBroken = true;
      else partitions.push(answer);
    }
    this.wakeFetches();
    if (isBroken) throw new MillraceError('NETWORK_EXCEPTION', 'the connection broke');
    if (isSilent || request.acks === 0) return undefined;
    return { correlationId: request.header.correlationId, partitions };
  }

  fetch(brokerId: number, request: FetchRequest, answer: (response: FetchResponse) => void): void {
    this.fetchRequests.push({ brokerId, request });
    const tryNow = (isLast: boolean): boolean => {
      const partitions = request.partitions.flatMap((part) => this.#fetchOne(brokerId, part));
      const size = partitions.reduce((total, { records }) => total + records.length, 0);
      const isReady = partitions.some(
        ({ failure, divergingEpoch }) => failure !== undefined || divergingEpoch >= 0,
      );
      if (!isLast && !isReady && size < Math.max(1, request.minBytes)) return false;
      answer({ correlationId: request.header.correlationId, partitions });
      return true;
    };
    if (tryNow(false)) return;
    const wake = (): void => {
      if (tryNow(false)) end();
    };
    const timer = this.clock.schedule(request.maxWaitMs, () => {
      this.#waitingFetches.delete(wake);
      tryNow(true);
    });
    const end = (): void => {
      timer.cancel();
      this.#waitingFetches.delete(wake);
    };
    this.#waitingFetches.add(wake);
  }

  #produceOne(brokerId: number, part: PartitionProduce): PartitionProduced | 'hang' | 'break' {
    const topic = this.topicById(part.topicId);
    const partition = topic?.partitions[part.partition];
    const base = {
      topicId: part.topicId,
      partition: part.partition,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      currentLeaderId: -1,
      currentLeaderEpoch: -1,
    };
    if (topic === undefined || partition === undefined)
      return { ...base, failure: failureOf('UNKNOWN_TOPIC_ID') };
    if (partition.leaderId !== brokerId) {
      const hint = { currentLeaderId: partition.leaderId, currentLeaderEpoch: partition.leaderEpoch };
      return { ...base, ...hint, failure: failureOf('NOT_LEADER_OR_FOLLOWER') };
    }
    const nth = ++this.#arrivals;
    const fault = this.onProduce({
      brokerId,
      topic: topic.name,
      partition: partition.number,
      nth,
      records: Buffer.from(part.records),
    });
    if (fault?.kind === 'refuse') return { ...base, failure: failureOf(fault.code) };
    if (fault?.kind === 'hang' || fault?.kind === 'break') return fault.kind;
    const appended = partition.append(part.records);
    if (fault?.kind === 'appendAndHang') return 'hang';
    if (fault?.kind === 'lose') return 'break';
    if (fault?.kind === 'appendAndFail') return { ...base, failure: failureOf(fault.code) };
    if ('code' in appended) return { ...base, failure: failureOf(appended.code) };
    return { ...base, baseOffset: appended.baseOffset };
  }

  #fetchOne(brokerId: number, part: PartitionFetch): PartitionFetched[] {
    const topic = this.topicById(part.topicId);
    const partition = topic?.partitions[part.partition];
    const base = {
      topicId: part.topicId,
      partition: part.partition,
      highWatermark: partition?.endOffset ?? -1,
      lastStableOffset: partition?.endOffset ?? -1,
      logStartOffset: partition?.startOffset ?? 0,
      divergingEpoch: -1,
      divergingEndOffset: -1,
      currentLeaderId: -1,
      currentLeaderEpoch: -1,
      records: Buffer.alloc(0),
    };
    if (topic === undefined || partition === undefined)
      return [{ ...base, failure: failureOf('UNKNOWN_TOPIC_ID') }];
    const fault = this.onFetch(part, topic.name);
    if (typeof fault === 'string') return [{ ...base, failure: failureOf(fault) }];
    if (fault !== undefined) return [{ ...base, ...fault }];
    if (partition.leaderId !== brokerId) {
      const hint = { currentLeaderId: partition.leaderId, currentLeaderEpoch: partition.leaderEpoch };
      return [{ ...base, ...hint, failure: failureOf('NOT_LEADER_OR_FOLLOWER') }];
    }
    if (part.lastFetchedEpoch >= 0) {
      const { epoch, endOffset } = partition.endOffsetForEpoch(part.lastFetchedEpoch);
      if (endOffset < part.fetchOffset)
        return [{ ...base, divergingEpoch: epoch, divergingEndOffset: endOffset }];
    }
    if (part.fetchOffset < partition.startOffset || part.fetchOffset > partition.endOffset) {
      return [{ ...base, failure: failureOf('OFFSET_OUT_OF_RANGE') }];
    }
    const records = partition.read(part.fetchOffset, part.partitionMaxBytes);
    return records.length === 0 ? [] : [{ ...base, records }];
  }
}

export function failureOf(code: ErrorCode, message = ''): Failure {
  return { code: ERRORS[code].wire, message };
}
