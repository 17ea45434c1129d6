/**
 * The metadata quorum changes its members while the cluster works: it grows from one controller to five and back to
 * three, a voter's disk is lost and replaced, a leader is killed and another one is removed. Real processes; nothing
 * that was acknowledged may be missing, neither records nor topics.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Millrace, MillraceError } from '@millrace/client';
import { expect, onTestFinished, test } from 'vitest';
import { freePorts, NodeProcess, runCommand } from './cluster-processes.ts';

const TOPIC = 'load';
const TIMEOUT_MS = 180_000;

interface Replica {
  readonly id: number;
  readonly directoryId: string;
}

interface QuorumValue {
  readonly leaderId: number | null;
  readonly currentVoters: readonly Replica[];
  readonly currentObservers: readonly Replica[];
}

/** Node 1 forms the quorum alone; the others know only where it listens. */
class GrowingCluster {
  readonly nodes: NodeProcess[];
  readonly #folder: string;

  constructor(ports: readonly number[], folder: string) {
    this.#folder = folder;
    this.nodes = ports.map((port, index) => {
      const id = index + 1;
      const quorum: Record<string, string> =
        id === 1
          ? { 'controller.quorum.voters': `1@127.0.0.1:${port}` }
          : { 'controller.quorum.bootstrap.servers': `127.0.0.1:${ports[0]},127.0.0.1:${ports[1]}` };
      return new NodeProcess(id, port, join(folder, `node-${id}`), {
        'node.id': String(id),
        listeners: `GRPC://127.0.0.1:${port}`,
        'min.insync.replicas': '2',
        ...quorum,
      });
    });
  }

  get bootstrap(): string {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  node(id: number): NodeProcess {
    return this.nodes[id - 1]!;
  }

  async millrace(...args: readonly string[]): Promise<string> {
    const result = await runCommand(['--bootstrap-server', this.bootstrap, ...args]);
    if (result.exitCode !== 0) throw new Error(`millrace ${args.join(' ')}: ${result.stderr}`);
    return result.stdout;
  }

  async quorum(): Promise<QuorumValue> {
    return JSON.parse(await this.millrace('-o', 'json', 'quorum', 'status')) as QuorumValue;
  }

  async voterIds(): Promise<number[]> {
    return (await this.quorum()).currentVoters.map(({ id }) => id);
  }

  async leaderId(): Promise<number> {
    return (await this.quorum()).leaderId!;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    if (process.env.MILLRACE_TEST_FOLDER === undefined) {
      await rm(this.#folder, { recursive: true, force: true });
    }
  }
}

/** Records and topics, one after the other, until it is stopped. Remembers what was acknowledged. */
class Load {
  readonly values: string[] = [];
  readonly topics: string[] = [];
  readonly #millrace: Millrace;
  #isStopped = false;
  #running: Promise<unknown> = Promise.resolve();

  constructor(bootstrap: string) {
    this.#millrace = new Millrace({ bootstrap });
  }

  start(): void {
    this.#running = Promise.all([this.#produce(), this.#createTopics()]);
    this.#running.catch(() => {});
  }

  /** @throws what could not be done within the client's own limits. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#running;
  }

  /** More of both was acknowledged since: the cluster works. */
  async advances(): Promise<void> {
    const before = { values: this.values.length, topics: this.topics.length };
    const grows = expect
      .poll(() => this.values.length > before.values + 20 && this.topics.length > before.topics + 2, {
        timeout: 30_000,
      })
      .toBe(true);
    await Promise.race([grows, this.#running.then(() => grows)]);
  }

  async readAll(): Promise<string[]> {
    await using consumer = this.#millrace.consumer({ autoOffsetReset: 'earliest' });
    await consumer.assignTopics([TOPIC]);
    const values: string[] = [];
    for await (const batch of consumer) {
      for (const record of batch) values.push(String(record.value));
      if (values.length >= this.values.length) break;
    }
    return values;
  }

  async listTopics(): Promise<string[]> {
    return await this.#millrace.admin().listTopics();
  }

  async close(): Promise<void> {
    await this.#millrace.close();
  }

  async #produce(): Promise<void> {
    await using producer = this.#millrace.producer();
    for (let number = 0; !this.#isStopped; number++) {
      const value = `record ${number}`;
      await producer.send({ topic: TOPIC, value });
      this.values.push(value);
    }
  }

  /** Nobody else uses the names: one that exists was made by a try whose answer was lost with a leader. */
  async #createTopic(name: string): Promise<void> {
    const created = this.#millrace.admin().createTopic({ name, partitions: 1, replicationFactor: 1 });
    await created.catch((error: unknown) => {
      if (!(error instanceof MillraceError) || error.code !== 'TOPIC_ALREADY_EXISTS') throw error;
    });
  }

  async #createTopics(): Promise<void> {
    for (let number = 0; !this.#isStopped; number++) {
      const name = `topic-${number}`;
      await this.#createTopic(name);
      this.topics.push(name);
    }
  }
}

test(
  'the quorum grows, shrinks, replaces a disk and loses leaders while the cluster works',
  async () => {
    const folder = await mkdtemp(join(process.env.MILLRACE_TEST_FOLDER ?? tmpdir(), 'millrace-quorum-'));
    const cluster = new GrowingCluster(await freePorts(5), folder);
    onTestFinished(() => cluster.close());
    for (const id of [1, 2, 3]) await cluster.node(id).start();
    expect(await cluster.voterIds()).toEqual([1]);
    await cluster.millrace('topic', 'create', TOPIC, '--partitions', '3', '--replication-factor', '3');
    const load = new Load(cluster.bootstrap);
    onTestFinished(() => load.close());
    load.start();

    // Growing: the observers of before vote one after the other.
    await cluster.millrace('quorum', 'add-voter', '2');
    await cluster.millrace('quorum', 'add-voter', '3');
    expect(await cluster.voterIds()).toEqual([1, 2, 3]);
    await load.advances();
    await Promise.all([cluster.node(4).start(), cluster.node(5).start()]);
    await cluster.millrace('quorum', 'add-voter', '4');
    await cluster.millrace('quorum', 'add-voter', '5');
    expect(await cluster.voterIds()).toEqual([1, 2, 3, 4, 5]);

    // Node 1, which everybody was told of, dies; whoever joined carries on, and takes it back.
    await cluster.node(1).end('SIGKILL');
    await load.advances();
    await cluster.node(1).start();

    // Shrinking.
    await cluster.millrace('quorum', 'remove-voter', '4');
    await cluster.millrace('quorum', 'remove-voter', '5');
    expect(await cluster.voterIds()).toEqual([1, 2, 3]);
    await load.advances();

    // A voter's disk is lost: the node comes back as an observer with another directory, which is added before the lost one goes.
    const leader = await cluster.leaderId();
    const victim = leader === 3 ? 2 : 3;
    const lost = (await cluster.quorum()).currentVoters.find(({ id }) => id === victim)!;
    await cluster.node(victim).end('SIGKILL');
    await rm(cluster.node(victim).dataFolder, { recursive: true });
    await cluster.node(victim).start();
    await cluster.millrace('quorum', 'add-voter', String(victim));
    await cluster.millrace('quorum', 'remove-voter', String(victim), '--directory', lost.directoryId);
    const { currentVoters } = await cluster.quorum();
    expect(currentVoters.map(({ id }) => id)).toEqual([1, 2, 3]);
    expect(currentVoters.map(({ directoryId }) => directoryId)).not.toContain(lost.directoryId);
    await load.advances();

    // The leader itself is removed; it observes, and harms nobody.
    const removed = await cluster.leaderId();
    await cluster.millrace('quorum', 'remove-voter', String(removed));
    await load.advances();
    const after = await cluster.quorum();
    expect(after.currentVoters.map(({ id }) => id)).toEqual([1, 2, 3].filter((id) => id !== removed));
    expect(after.leaderId).not.toBe(removed);
    await expect
      .poll(async () => (await cluster.quorum()).currentObservers.map(({ id }) => id), { timeout: 15_000 })
      .toContain(removed);

    await load.stop();
    const values = await load.readAll();
    expect(values.length).toBe(load.values.length);
    expect(new Set(values)).toEqual(new Set(load.values));
    const topics = new Set(await load.listTopics());
    expect(load.topics.filter((name) => !topics.has(name))).toEqual([]);
    process.stderr.write(
      `  quorum membership: ${values.length} records, ${load.topics.length} topics acknowledged\n`,
    );
  },
  TIMEOUT_MS,
);
