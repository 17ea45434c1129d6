/**
 * What an assignor is: from members, what each subscribes to and what was meant for it so far, to what is meant for it
 * now. A pure function: equal input gives equal output on every coordinator.
 */

import type { TopicView } from '../group-record.ts';
import type { PartitionSet } from '../topic-partitions.ts';

export interface AssignorMember {
  readonly memberId: string;
  readonly groupInstanceId: string | undefined;
  readonly rackId: string | undefined;
  /** The topics it subscribes to that exist, by name, each once. Members that subscribe alike may share the array. */
  readonly topics: readonly TopicView[];
  /** What was meant for it before. May hold what no longer exists. */
  readonly current: PartitionSet;
}

/**
 * Gives every partition of every subscribed topic to exactly one of its subscribers.
 *
 * @returns an entry for every member; the very `current` where nothing changes for it.
 */
export type Assignor = (members: readonly AssignorMember[]) => ReadonlyMap<string, PartitionSet>;
