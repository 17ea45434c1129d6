/** The two sizes of records, as rows name and show them. */

export const RECORD_SIZES = [
  { bytes: 100, text: '100 B' },
  { bytes: 1024, text: '1 KiB' },
] as const;

export type RecordSize = (typeof RECORD_SIZES)[number];

export const replicasText = (nodes: 1 | 3): string =>
  nodes === 1 ? '1 replica, acks=1' : '3 replicas, acks=all';
