/** A program that embeds a cluster: how long from its first line to a record on three replicas. */

export interface EmbeddedStart {
  readonly loadedMs: number;
  /** From here on counted from the call of `startCluster`. */
  readonly startedMs: number;
  readonly acknowledgedMs: number;
  /** The same for a second cluster, as the next test of a suite sees it. */
  readonly againMs: number;
}

async function startAndSend(): Promise<{ startedMs: number; acknowledgedMs: number }> {
  const { startCluster } = await import('@millrace/server');
  const { Millrace } = await import('@millrace/client');
  const calledMs = performance.now();
  await using cluster = await startCluster({ nodes: 3, storage: 'memory' });
  const startedMs = performance.now() - calledMs;
  await using millrace = new Millrace({ bootstrap: cluster.bootstrap });
  await millrace.admin().createTopic({ name: 'bench', partitions: 1, replicationFactor: 3 });
  await millrace.producer({ acks: 'all' }).send({ topic: 'bench', value: 'first' });
  return { startedMs, acknowledgedMs: performance.now() - calledMs };
}

const beganMs = performance.now();
await import('@millrace/server');
await import('@millrace/client');
const loadedMs = performance.now() - beganMs;
const first = await startAndSend();
const again = await startAndSend();
const start: EmbeddedStart = { loadedMs, ...first, againMs: again.acknowledgedMs };
process.send!(start, () => process.exit(0));
