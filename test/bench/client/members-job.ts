/**
 * Members of many consumer groups in one process: they join at the same moment, take over at once what is meant for them,
 * and send heartbeats as often as they are told; afterwards at a steady rate. They read nothing: this is about the
 * coordinator.
 */
import { randomUUID } from 'node:crypto';
import { type ConsumerGroupHeartbeatResponse, groupService, type RpcChannel } from '@millrace/protocol';
import { Histogram } from '../histogram.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { connectToCoordinator, REQUEST_HEADER } from './coordinator-link.ts';
import type { MembersJob, MembersResult } from './job.ts';
import type { JobContext } from './job-context.ts';

const CONNECTIONS = 10;
const RETRY_MS = 100;
const POLL_MS = 10;
const STABLE_MAX_MS = 90_000;
const UNKNOWN_MEMBER_ID = 25;
const FENCED_MEMBER_EPOCH = 110;

type Held = NonNullable<ConsumerGroupHeartbeatResponse['assignment']>;

class Member {
  readonly groupId: string;
  readonly #channel: RpcChannel;
  readonly #topics: readonly string[];
  readonly #memberId = randomUUID();
  #held: Held | undefined;
  #isHeldNew = true;
  epoch = 0;
  intervalMs = RETRY_MS;
  isBeating = false;

  constructor(groupId: string, channel: RpcChannel, topics: readonly string[]) {
    this.groupId = groupId;
    this.#channel = channel;
    this.#topics = topics;
  }

  get heldCount(): number {
    return this.#held?.topics.reduce((sum, { partitions }) => sum + partitions.length, 0) ?? 0;
  }

  /** One heartbeat. @returns whether there is news to tell at once. */
  async beat(): Promise<boolean> {
    this.isBeating = true;
    const held = this.#held ?? { topics: [] };
    const joining = { rebalanceTimeoutMs: 60_000, subscribedTopics: { names: [...this.#topics] }, held };
    const telling = this.#isHeldNew ? { held } : {};
    this.#isHeldNew = false;
    const answer = await this.#channel
      .unary(groupService.consumerGroupHeartbeat, {
        header: REQUEST_HEADER,
        groupId: this.groupId,
        memberId: this.#memberId,
        memberEpoch: this.epoch,
        reason: '',
        ...(this.epoch === 0 ? joining : telling),
      })
      .catch(() => undefined);
    this.isBeating = false;
    return this.#take(answer);
  }

  /** Heartbeats as it is told, until it is stopped. */
  async run(isStopped: () => boolean, onBeat: () => void): Promise<void> {
    while (!isStopped()) {
      const hasNews = await this.beat();
      onBeat();
      if (!hasNews) await sleepMs(this.intervalMs);
    }
  }

  #take(answer: ConsumerGroupHeartbeatResponse | undefined): boolean {
    if (answer === undefined || answer.failure !== undefined) {
      const code = answer?.failure?.code;
      if (code === UNKNOWN_MEMBER_ID || code === FENCED_MEMBER_EPOCH) {
        this.epoch = 0;
        this.#held = undefined;
      }
      this.#isHeldNew = true;
      this.intervalMs = RETRY_MS;
      return false;
    }
    this.epoch = answer.memberEpoch;
    this.intervalMs = answer.heartbeatIntervalMs;
    if (answer.assignment === undefined) return false;
    this.#held = answer.assignment;
    this.#isHeldNew = true;
    return true;
  }
}

/** Everybody of each group is at one epoch, and all partitions are held, equally many by each. */
function isStable(members: readonly Member[], job: MembersJob): boolean {
  const epochs = new Map<string, number>();
  return members.every(({ groupId, epoch, heldCount }) => {
    const first = epochs.get(groupId) ?? epoch;
    epochs.set(groupId, first);
    return epoch > 0 && epoch === first && heldCount === job.partitions / job.membersPerGroup;
  });
}

export async function runMembers(job: MembersJob, context: JobContext): Promise<MembersResult> {
  const groupIds = Array.from({ length: job.groups }, (_, index) => `group-${index}`);
  const channels = await connectToCoordinator(job.bootstrap, groupIds, CONNECTIONS);
  const members = Array.from(
    { length: job.groups * job.membersPerGroup },
    (_, index) => new Member(groupIds[index % job.groups]!, channels[index % CONNECTIONS]!, job.topics),
  );
  let joinBeats = 0;
  let isOver = false;
  const startedMs = performance.now();
  const joining = members.map((member) =>
    member.run(
      () => isOver,
      () => {
        joinBeats++;
      },
    ),
  );
  while (!isStable(members, job)) {
    if (performance.now() - startedMs > STABLE_MAX_MS) {
      const open = members.filter(({ heldCount }) => heldCount !== job.partitions / job.membersPerGroup);
      throw new Error(`not stable within ${STABLE_MAX_MS} ms: ${open.length} members lack partitions`);
    }
    await sleepMs(POLL_MS);
  }
  const stableMs = performance.now() - startedMs;
  const stableBeats = joinBeats;
  isOver = true;
  await Promise.all(joining);
  const result = await beatSteadily(members, job, context);
  for (const channel of channels) channel.close();
  return { stableMs, stableBeats, ...result };
}

/** At `heartbeatsPerS` together, whatever the answers take; who has not been answered is left out. */
async function beatSteadily(
  members: readonly Member[],
  job: MembersJob,
  context: JobContext,
): Promise<Pick<MembersResult, 'heartbeats' | 'elapsedMs' | 'latency'>> {
  const latency = new Histogram();
  let [next, heartbeats] = [0, 0];
  const beat = async (member: Member): Promise<void> => {
    const sentMs = performance.now();
    await member.beat();
    heartbeats++;
    latency.record(performance.now() - sentMs);
  };
  context.begin();
  const startedMs = performance.now();
  for (let nowMs = startedMs; nowMs - startedMs < job.measureMs; nowMs = performance.now()) {
    for (; next < ((nowMs - startedMs) / 1000) * job.heartbeatsPerS; next++) {
      const member = members[next % members.length]!;
      if (!member.isBeating) void beat(member);
    }
    await sleepMs(1);
  }
  context.measured();
  return { heartbeats, elapsedMs: performance.now() - startedMs, latency: latency.summary() };
}
