/** Topics that the cluster keeps for itself: their records are written by coordinators only. Only names; no decision. */

/** Committed offsets and the members of groups. */
export const OFFSETS_TOPIC = '__consumer_offsets';

/** What Kafka's tools call the log of the metadata quorum. It is no topic, and none may have its name. */
export const METADATA_TOPIC = '__cluster_metadata';

const INTERNAL_TOPICS: ReadonlySet<string> = new Set([OFFSETS_TOPIC]);

/** Users may read it, but neither write to it, grow it nor delete it. */
export function isInternalTopic(name: string): boolean {
  return INTERNAL_TOPICS.has(name);
}
