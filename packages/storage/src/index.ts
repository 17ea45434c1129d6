/** Partition logs on disk: segments, indexes, recovery, group commit. */
export {};
