/** One topic as a producer uses it: its partitions' lanes, and the sends that wait to enter them. */
import { noSuchPartition } from '../cluster/failure.ts';
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
  /** Until then a partition that is not known does not exist: the cluster was asked. Monotonic. */
  deniedUntilMs = Number.NEGATIVE_INFINITY;
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

  /** Whether what is known settles where the record goes; a partition may have been added since. */
  canPlace({ partition }: PreparedRecord, nowMs: () => number): boolean {
    if (this.metadata === undefined) return false;
    return (
      partition === undefined || partition < this.metadata.partitions.length || nowMs() < this.deniedUntilMs
    );
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
      throw noSuchPartition(this.topic, partition, partitionCount);
    }
    const lane = this.#accumulator.createLane(this.topic, partition);
    this.#lanes[partition] = lane;
    return lane;
  }
}
