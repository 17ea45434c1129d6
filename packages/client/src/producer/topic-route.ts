/** One topic as a producer uses it: its partitions' lanes, and the sends that wait to enter them. */
import { MillraceError } from '@millrace/core';
import type { TopicMetadata } from '../cluster/metadata-state.ts';
import type { AccumulatorState, Lane } from './accumulator-state.ts';
import type { Partitioner } from './partitioner.ts';
import { type PreparedRecord, SendWaiting } from './send-waiting.ts';

export class TopicRoute {
  readonly topic: string;
  readonly waiting = new SendWaiting();
  /** Undefined until the cluster has said. */
  metadata: TopicMetadata | undefined;
  isResolving = false;
  readonly #partitioner: Partitioner;
  readonly #accumulator: AccumulatorState;
  readonly #lanes: (Lane | undefined)[] = [];
  readonly #isAvailable = (partition: number): boolean =>
    (this.metadata?.partitions[partition]?.leaderId ?? -1) >= 0;

  constructor(topic: string, partitioner: Partitioner, accumulator: AccumulatorState) {
    this.topic = topic;
    this.#partitioner = partitioner;
    this.#accumulator = accumulator;
  }

  /** Where a record goes. Only with metadata. @throws {MillraceError} UNKNOWN_TOPIC_OR_PARTITION. */
  laneFor({ key, value, partition }: PreparedRecord): Lane {
    const partitionCount = this.metadata!.partitions.length;
    const chosen =
      partition ??
      this.#partitioner.partition({
        topic: this.topic,
        key,
        value,
        partitionCount,
        isAvailable: this.#isAvailable,
      });
    const lane = this.#lanes[chosen];
    return lane ?? this.#createLane(chosen, partitionCount);
  }

  #createLane(partition: number, partitionCount: number): Lane {
    if (!(Number.isInteger(partition) && partition >= 0 && partition < partitionCount)) {
      const text = `topic ${this.topic} has partitions 0 to ${partitionCount - 1}, not ${partition}`;
      throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', text);
    }
    const lane = this.#accumulator.createLane(this.topic, partition);
    this.#lanes[partition] = lane;
    return lane;
  }
}
