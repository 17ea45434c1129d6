/** Commits of one offset each by many groups, over streams to their one coordinator: as fast as they are answered, or on a schedule. */
import { type CommitOffsetsRequest, groupService, type RpcChannel, type RpcStream } from '@millrace/protocol';
import { Histogram } from '../histogram.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { connectToCoordinator, REQUEST_HEADER } from './coordinator-link.ts';
import type { CommitJob, CommitResult } from './job.ts';
import type { JobContext } from './job-context.ts';

const CONNECTIONS = 10;
/** On each connection. */
const IN_FLIGHT = 50;

class Committer {
  readonly #stream: RpcStream<CommitOffsetsRequest>;
  readonly #onAnswer: (committer: Committer, sentMs: number, isGood: boolean) => void;
  readonly #sentMs = new Map<number, number>();
  #next = 1;

  constructor(
    channel: RpcChannel,
    onAnswer: (committer: Committer, sentMs: number, isGood: boolean) => void,
  ) {
    this.#onAnswer = onAnswer;
    this.#stream = channel.duplex(groupService.commitOffsets, {
      onMessage: ({ correlationId, failure, offsets }) => {
        const sentMs = this.#sentMs.get(correlationId)!;
        this.#sentMs.delete(correlationId);
        this.#onAnswer(this, sentMs, failure === undefined && offsets.every((outcome) => !outcome.failure));
      },
      onClosed: () => {},
    });
  }

  commit(groupId: string, topic: string, partition: number, dueMs: number): void {
    const correlationId = this.#next++;
    this.#sentMs.set(correlationId, dueMs);
    this.#stream.send({
      header: { ...REQUEST_HEADER, correlationId },
      groupId,
      memberId: '',
      memberEpoch: -1,
      offsets: [{ topic, partition, offset: correlationId, leaderEpoch: -1, metadata: '' }],
    });
  }
}

export async function runCommits(job: CommitJob, context: JobContext): Promise<CommitResult> {
  const groupIds = Array.from({ length: job.groups }, (_, index) => `committer-${index}`);
  const channels = await connectToCoordinator(job.bootstrap, groupIds, CONNECTIONS);
  const latency = new Histogram();
  let [isMeasured, commits, failed, next] = [false, 0, 0, 0];
  const commit = (committer: Committer, dueMs: number): void => {
    const number = next++;
    committer.commit(groupIds[number % job.groups]!, job.topic, number % job.partitions, dueMs);
  };
  const onAnswer = (committer: Committer, sentMs: number, isGood: boolean): void => {
    const nowMs = performance.now();
    if (job.commitsPerS === undefined) commit(committer, nowMs);
    if (!isMeasured) return;
    if (isGood) commits++;
    else failed++;
    latency.record(nowMs - sentMs);
  };
  const committers = channels.map((channel) => new Committer(channel, onAnswer));
  const startedMs = performance.now();
  if (job.commitsPerS === undefined) {
    for (const committer of committers) {
      for (let index = 0; index < IN_FLIGHT; index++) commit(committer, startedMs);
    }
  }
  let measuredMs = 0;
  const endMs = startedMs + job.warmupMs + job.measureMs;
  for (let nowMs = startedMs; nowMs < endMs; nowMs = performance.now()) {
    if (!isMeasured && nowMs - startedMs >= job.warmupMs) {
      isMeasured = true;
      measuredMs = nowMs;
      context.begin();
    }
    if (job.commitsPerS !== undefined) {
      for (let dueMs = startedMs; dueMs <= nowMs; ) {
        dueMs = startedMs + (next / job.commitsPerS) * 1000;
        if (dueMs <= nowMs) commit(committers[next % committers.length]!, dueMs);
      }
    }
    await sleepMs(1);
  }
  const elapsedMs = performance.now() - measuredMs;
  isMeasured = false;
  context.measured();
  for (const channel of channels) channel.close();
  return { commits, failed, elapsedMs, latency: latency.summary() };
}
