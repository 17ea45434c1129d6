/**
 * A member that speaks the protocol of groups itself, as programs of other makers do: it lets go of partitions without a
 * look at its commits, and sends those on a connection of their own, where they may be late. What they say is the
 * coordinator's to judge (rule P27). Keeps to the protocol otherwise.
 */
import { type Address, type Connection, networkTransport } from '@millrace/client';
import {
  below,
  errorCodeOf,
  MillraceError,
  randomUuid,
  type SeededRandom,
  sleep,
  unit,
} from '@millrace/core';
import {
  type CommitOffsetsRequest,
  type CommitOffsetsResponse,
  type ConsumerGroupHeartbeatRequest,
  type Failure,
  groupService,
  type RpcStream,
  type TopicPartitions,
} from '@millrace/protocol';
import type { WritableHolder } from '../classic/classic-holder.ts';
import { codeOf } from '../cluster/client-crew.ts';
import { PORT } from '../cluster/cluster-layout.ts';
import { exponential } from '../world/exponential.ts';
import type { SimLife, SimProcess } from '../world/sim-process.ts';
import type { CommitCrew } from './commit-crew.ts';
import { TOPIC } from './commit-plan.ts';

const CALL_MS = 5_000;
const BEAT_MEAN_MS = 80;
const STAY_MEAN_MS = 2_500;
const AWAY_MEAN_MS = 400;
/** Of looks at what it has, those that end in many commits at once. */
const BURST_SHARE = 0.01;
const BURST = 12;
/** Three of them fit into one batch of a crowded log, and four do not. */
const BULKY = 'x'.repeat(1_200);

interface CommitUnderWay {
  readonly memberId: string;
  readonly partition: number;
  readonly offset: number;
}

/** One membership, from its join to its end. */
interface Stay {
  readonly memberId: string;
  readonly address: Address;
  epoch: number;
  topicId: string;
  assigned: ReadonlySet<number>;
  /** What it has taken over, with the next offset to read. */
  readonly owned: Map<number, number>;
  isOver: boolean;
}

/** Who is told what it takes over, beside others of its group. */
export interface HolderCourt {
  /** Never the same twice, so that a member is known by it. */
  nextClientId(name: string): string;
  begun(holder: WritableHolder): void;
  given(holder: WritableHolder, partitions: readonly string[]): void;
}

export class WireMember {
  readonly name: string;
  readonly groupId: string;
  /** Where its commits come from. */
  readonly commitsFrom: SimProcess;
  readonly #crew: CommitCrew;
  readonly #random: SeededRandom;
  readonly #process: SimProcess;
  readonly #court: HolderCourt | undefined;
  #clientId: string;
  readonly #underWay = new Map<number, CommitUnderWay>();
  #serial = 0;
  #heartbeats: ((address: Address) => Connection) | undefined;
  #commits: ((address: Address) => Connection) | undefined;
  #stream: RpcStream<CommitOffsetsRequest> | undefined;

  constructor(
    crew: CommitCrew,
    groupId: string,
    name: string,
    random: SeededRandom,
    court: HolderCourt | undefined = undefined,
  ) {
    this.#crew = crew;
    this.groupId = groupId;
    this.name = name;
    this.#clientId = name;
    this.#court = court;
    this.#random = random;
    this.#process = crew.world.process(name);
    this.commitsFrom = crew.world.process(`${name}-commits`);
  }

  start(): void {
    this.commitsFrom.start((life) => {
      this.#commits = this.#dialer(life);
    });
    this.#process.start((life) => {
      this.#heartbeats = this.#dialer(life);
      return this.#live(life);
    });
  }

  stop(): void {
    this.#process.kill();
    this.commitsFrom.kill();
  }

  #dialer(life: SimLife): (address: Address) => Connection {
    const transport = networkTransport(this.#crew.rpc.of(life));
    const known = new Map<string, Connection>();
    return (address) => {
      const connection = known.get(address.host) ?? transport.connect(address);
      known.set(address.host, connection);
      return connection;
    };
  }

  async #live(life: SimLife): Promise<void> {
    while (!this.#crew.isCalm) {
      try {
        await this.#stay(life);
      } catch (error) {
        life.note('stay over', codeOf(error));
      }
      await sleep(life.clock, exponential(this.#random, AWAY_MEAN_MS));
    }
  }

  /** @throws {MillraceError} what ends the membership. */
  async #stay(life: SimLife): Promise<void> {
    const stay: Stay = {
      memberId: randomUuid(this.#random),
      address: await this.#coordinator(life),
      epoch: 0,
      topicId: '',
      assigned: new Set(),
      owned: new Map(),
      isOver: false,
    };
    try {
      await this.#be(stay, life);
    } finally {
      stay.isOver = true;
    }
  }

  async #be(stay: Stay, life: SimLife): Promise<void> {
    const holder = this.#holderOf(stay);
    if (holder !== undefined) this.#court?.begun(holder);
    const untilMs = life.clock.nowMs() + exponential(this.#random, STAY_MEAN_MS);
    while (life.clock.nowMs() < untilMs) {
      await this.#beat(stay);
      await this.#takeOver(stay, holder);
      this.#work(stay);
      await sleep(life.clock, exponential(this.#random, BEAT_MEAN_MS));
    }
    // Or it says nothing, and its session ends by itself.
    if (unit(this.#random) < 0.8) await this.#call(stay, { memberEpoch: -1 });
  }

  async #coordinator(life: SimLife): Promise<Address> {
    const { brokers } = this.#crew;
    const host = brokers[below(this.#random, brokers.length)]!;
    const connection = this.#heartbeats!({ host, port: PORT });
    const request = { header: this.#header(), groupIds: [this.groupId] };
    const { coordinators } = await connection.unary(groupService.findCoordinators, request, {
      timeoutMs: CALL_MS,
    });
    const { failure, node } = coordinators[0]!;
    if (failure !== undefined || node === undefined) throw errorOf(failure);
    life.note('coordinator', node.host);
    return { host: node.host, port: node.port };
  }

  async #beat(stay: Stay): Promise<void> {
    const { epoch, topicId, owned } = stay;
    const topics = owned.size === 0 ? [] : [{ topicId, partitions: [...owned.keys()] }];
    const joining = {
      subscribedTopics: { names: [TOPIC] },
      rebalanceTimeoutMs: this.#crew.plan.rebalanceTimeoutMs,
    };
    const { memberEpoch, assignment } = await this.#call(stay, {
      memberEpoch: epoch,
      held: { topics },
      ...(epoch === 0 && joining),
    });
    stay.epoch = memberEpoch;
    if (assignment === undefined) return;
    const [of] = assignment.topics as readonly (TopicPartitions | undefined)[];
    stay.topicId = of?.topicId ?? topicId;
    stay.assigned = new Set(of?.partitions);
    for (const partition of owned.keys()) if (!stay.assigned.has(partition)) owned.delete(partition);
  }

  async #call(stay: Stay, body: Partial<ConsumerGroupHeartbeatRequest> & { readonly memberEpoch: number }) {
    const { memberId, address } = stay;
    const request = { header: this.#header(), groupId: this.groupId, memberId, reason: '', ...body };
    const connection = this.#heartbeats!(address);
    const limits = { timeoutMs: CALL_MS };
    const response = await connection.unary(groupService.consumerGroupHeartbeat, request, limits);
    if (response.failure !== undefined) throw errorOf(response.failure);
    return response;
  }

  /** Goes on where the group is. What cannot be found out now is tried after the next heartbeat. */
  async #takeOver(
    { memberId, epoch, address, assigned, owned }: Stay,
    holder: WritableHolder | undefined,
  ): Promise<void> {
    const fresh = [...assigned].filter((partition) => !owned.has(partition));
    if (fresh.length === 0) return;
    const request = {
      header: this.#header(),
      groupId: this.groupId,
      memberId,
      memberEpoch: epoch,
      all: false,
      partitions: fresh.map((partition) => ({ topic: TOPIC, partition })),
    };
    const found = await this.#heartbeats!(address).unary(groupService.fetchOffsets, request, {
      timeoutMs: CALL_MS,
    });
    if (found.failure !== undefined) return;
    for (const { partition, offset } of found.offsets) owned.set(partition, Math.max(0, offset));
    if (holder !== undefined) this.#court?.given(holder, fresh.map(keyOf));
  }

  /** Undefined where nobody asks what it holds. */
  #holderOf(stay: Stay): WritableHolder | undefined {
    if (this.#court === undefined) return undefined;
    this.#clientId = this.#court.nextClientId(this.name);
    return {
      groupId: this.groupId,
      clientId: this.#clientId,
      since: new Map(),
      get isOver() {
        return stay.isOver;
      },
      believes: (partition) =>
        !stay.isOver && [...stay.owned.keys()].some((each) => keyOf(each) === partition),
    };
  }

  /** Reads on in some of its partitions, and commits that; sometimes far too often. */
  #work(stay: Stay): void {
    const { plan } = this.#crew;
    for (const partition of stay.owned.keys()) {
      const isBurst = plan.troubles.has('crowds') && unit(this.#random) < BURST_SHARE;
      for (let i = isBurst ? BURST : below(this.#random, 2); i > 0; i--) {
        const end = this.#crew.watch.logEndOf(TOPIC, partition) ?? 0;
        const last = stay.owned.get(partition)!;
        const next = Math.max(last, Math.min(last + 1 + below(this.#random, 3), end));
        stay.owned.set(partition, next);
        if (isBurst || next > last) this.#commit(stay, partition, next, isBurst ? BULKY : '');
      }
    }
  }

  /** Nobody waits for the answer, and nothing is sent twice. */
  #commit({ memberId, epoch, address }: Stay, partition: number, offset: number, metadata: string): void {
    const header = this.#header();
    this.#underWay.set(header.correlationId, { memberId, partition, offset });
    this.#crew.counts['wire commits'] += 1;
    if (this.#stream === undefined || this.#stream.closed) {
      this.#stream = this.#commits!(address).duplex(groupService.commitOffsets, {
        onMessage: (response) => this.#answered(response),
        onClosed: () => {},
      });
    }
    this.#stream.send({
      header,
      groupId: this.groupId,
      memberId,
      memberEpoch: epoch,
      offsets: [{ topic: TOPIC, partition, offset, leaderEpoch: -1, metadata }],
    });
  }

  #answered({ correlationId, failure, offsets }: CommitOffsetsResponse): void {
    const commit = this.#underWay.get(correlationId)!;
    this.#underWay.delete(correlationId);
    const refusal = failure ?? offsets[0]?.failure;
    if (refusal !== undefined) {
      this.#crew.refused(errorOf(refusal).code);
      return;
    }
    const { memberId, partition, offset } = commit;
    this.#crew.acknowledged({
      groupId: this.groupId,
      clientId: memberId,
      partition: keyOf(partition),
      offset,
    });
  }

  #header() {
    this.#serial += 1;
    return {
      correlationId: this.#serial,
      timeoutMs: CALL_MS,
      clientId: this.#clientId,
      clusterId: '',
      quorumId: '',
    };
  }
}

function errorOf(failure: Failure | undefined): MillraceError {
  return new MillraceError(failure === undefined ? 'COORDINATOR_NOT_AVAILABLE' : errorCodeOf(failure.code));
}

function keyOf(partition: number): string {
  return `${TOPIC}-${partition}`;
}
