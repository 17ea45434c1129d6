/**
 * Carries proposed ISRs to the controller: one request at a time for the whole broker, everything that came up
 * meanwhile in the next one. Decides nothing about who is in sync.
 */

import { type Clock, type Logger, type NodeId, type Timer, toMillraceError } from '@millrace/core';
import type {
  AlteredPartition,
  AlterPartitionsResponse,
  ControllerChannel,
  PartitionAlteration,
} from './controller-channel.ts';
import type { Defer } from './defer.ts';
import { type IsrOutcome, type IsrProposal, REFUSAL_MS } from './leader-state.ts';
import type { Partition } from './partition.ts';

export interface IsrKeeperOptions {
  readonly nodeId: NodeId;
  readonly controllers: Pick<ControllerChannel, 'alterPartitions'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly defer: Defer;
  readonly brokerEpoch: () => number;
  readonly timeoutMs: number;
}

/** Unknown outcomes are asked again after this pause. */
const RETRY_MS = 100;
/** Keeps one request far below any frame limit; the rest goes in the next. */
const PARTITIONS_MAX = 2000;

export class IsrKeeper {
  readonly #options: IsrKeeperOptions;
  #queue = new Map<Partition, IsrProposal>();
  #isAsking = false;
  #isClosed = false;
  #retry: Timer | undefined;
  readonly #refused = new Set<Partition>();
  #look: Timer | undefined;

  constructor(options: IsrKeeperOptions) {
    this.#options = options;
  }

  propose(partition: Partition, proposal: IsrProposal): void {
    this.#queue.set(partition, proposal);
    this.#askSoon();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#look?.cancel();
    this.#queue.clear();
  }

  #askSoon(): void {
    // After a request without an answer the next one waits until the pause is over.
    const isPaused = this.#retry !== undefined;
    if (this.#isAsking || isPaused || this.#isClosed || this.#queue.size === 0) return;
    this.#isAsking = true;
    this.#options.defer(() => void this.#ask());
  }

  async #ask(): Promise<void> {
    const asked = [...this.#queue].slice(0, PARTITIONS_MAX);
    for (const [partition] of asked) this.#queue.delete(partition);
    // What lost its leadership meanwhile is answered already.
    const proposals = asked.filter(
      ([partition, proposal]) => partition.leader?.pending === proposal && !this.#isClosed,
    );
    if (proposals.length > 0) {
      const answered = await this.#send(proposals);
      if (answered === undefined) this.#askAgain(proposals);
      else this.#settle(proposals, answered);
    }
    this.#isAsking = false;
    this.#askSoon();
  }

  async #send(proposals: [Partition, IsrProposal][]): Promise<AlterPartitionsResponse | undefined> {
    const { controllers, nodeId, brokerEpoch, timeoutMs, logger } = this.#options;
    try {
      return await controllers.alterPartitions({
        timeoutMs,
        brokerId: nodeId,
        brokerEpoch: brokerEpoch(),
        partitions: proposals.map(([partition, proposal]) => alterationOf(partition, proposal)),
      });
    } catch (error) {
      const { code, message: reason } = toMillraceError(error);
      logger.warn(
        { event: 'alter_partitions_failed', count: proposals.length, code, reason },
        'the controller did not answer about in-sync replicas; asking again',
      );
      return undefined;
    }
  }

  #settle(proposals: [Partition, IsrProposal][], { partitions }: AlterPartitionsResponse): void {
    const answers = new Map(partitions.map((answer) => [`${answer.topicId}/${answer.partition}`, answer]));
    const again: [Partition, IsrProposal][] = [];
    const refused: Partition[] = [];
    const counts: Partial<Record<IsrOutcome, number>> = {};
    for (const [partition, proposal] of proposals) {
      const answer = answers.get(`${partition.topicId}/${partition.index}`);
      const outcome = answer === undefined ? 'retry' : this.#settleOne(partition, proposal, answer);
      counts[outcome] = (counts[outcome] ?? 0) + 1;
      if (outcome === 'retry') again.push([partition, proposal]);
      if (outcome === 'rolledBack') refused.push(partition);
    }
    this.#options.logger.info(
      { event: 'isr_changes_answered', count: proposals.length, ...counts },
      'the controller answered changes of in-sync replicas',
    );
    if (again.length > 0) this.#askAgain(again);
    if (refused.length > 0) this.#lookAgain(refused);
  }

  #settleOne(partition: Partition, proposal: IsrProposal, answer: AlteredPartition): IsrOutcome {
    const outcome = partition.isrAnswered(proposal, { ...answer, failure: answer.failure?.code });
    this.#options.logger.debug(
      {
        event: 'isr_change_answered',
        partition: partition.name,
        proposed: proposal.isr.map((member) => member.brokerId),
        outcome,
        ...(answer.failure && { code: answer.failure.code }),
      },
      'the controller answered a change of in-sync replicas',
    );
    return outcome;
  }

  /** One member that may not join fails those proposed with it, and on an idle partition they do not move again. */
  #lookAgain(refused: readonly Partition[]): void {
    if (this.#isClosed) return;
    for (const partition of refused) this.#refused.add(partition);
    this.#look ??= this.#options.clock.schedule(REFUSAL_MS, () => {
      this.#look = undefined;
      const partitions = [...this.#refused];
      this.#refused.clear();
      for (const partition of partitions) partition.checkIsr();
    });
  }

  #askAgain(proposals: [Partition, IsrProposal][]): void {
    if (this.#isClosed) return;
    // What was proposed since then replaces what is asked again.
    for (const [partition, proposal] of proposals) {
      if (!this.#queue.has(partition)) this.#queue.set(partition, proposal);
    }
    this.#retry?.cancel();
    this.#retry = this.#options.clock.schedule(RETRY_MS, () => {
      this.#retry = undefined;
      this.#askSoon();
    });
  }
}

function alterationOf(partition: Partition, proposal: IsrProposal): PartitionAlteration {
  return {
    topicId: partition.topicId,
    partition: partition.index,
    leaderEpoch: proposal.leaderEpoch,
    partitionEpoch: proposal.partitionEpoch,
    newIsr: proposal.isr,
    recovering: false,
  };
}
