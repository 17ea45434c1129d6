/** Partition replicas: produce, fetch, replication, in-sync sets. */
export {};
