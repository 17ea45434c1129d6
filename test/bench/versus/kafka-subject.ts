/**
 * Apache Kafka as its own scripts start it, from Maven Central's jars: KRaft, every node broker and controller. Settings
 * are Kafka's defaults; the heap is that of its start script. Ends only the processes that it started.
 */
import { type ChildProcess, execFile, spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePorts } from '../../cluster/cluster-processes.ts';
import { endsWithUs } from './ended-with-us.ts';
import { ON_SERVER_CORE } from './pinning.ts';
import { type RunningNode, type Subject, untilServing } from './subject.ts';

const execute = promisify(execFile);
const CLUSTER_ID = 'dmVyc3VzLWNsdXN0ZXItMA';
export const KAFKA_HEAP = '1g';
const START_LIMIT_MS = 120_000;

/** Those of Kafka's start script; one processor, because the process is pinned to one. */
const JVM_FLAGS = [
  '-server',
  `-Xms${KAFKA_HEAP}`,
  `-Xmx${KAFKA_HEAP}`,
  '-XX:+UseG1GC',
  '-XX:MaxGCPauseMillis=20',
  '-XX:InitiatingHeapOccupancyPercent=35',
  '-XX:+ExplicitGCInvokesConcurrent',
  '-XX:ActiveProcessorCount=1',
  '-Djava.awt.headless=true',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

interface Place {
  readonly id: number;
  readonly port: number;
  readonly controllerPort: number;
}

function propertiesOf(place: Place, all: readonly Place[], dataFolder: string): string {
  const copies = Math.min(all.length, 3);
  const properties: Readonly<Record<string, string | number>> = {
    'process.roles': 'broker,controller',
    'node.id': place.id,
    'controller.quorum.voters': all
      .map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`)
      .join(','),
    listeners: `PLAINTEXT://127.0.0.1:${place.port},CONTROLLER://127.0.0.1:${place.controllerPort}`,
    'inter.broker.listener.name': 'PLAINTEXT',
    'controller.listener.names': 'CONTROLLER',
    'listener.security.protocol.map': 'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT',
    'log.dirs': dataFolder,
    'default.replication.factor': copies,
    'min.insync.replicas': copies >= 3 ? 2 : 1,
    'offsets.topic.replication.factor': copies,
  };
  return Object.entries(properties)
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

class KafkaNode implements RunningNode {
  readonly id: number;
  readonly address: string;
  readonly #folder: string;
  readonly #classPath: string;
  #child: ChildProcess | undefined;
  #exited: Promise<unknown> = Promise.resolve();

  constructor(place: Place, folder: string, classPath: string) {
    this.id = place.id;
    this.address = `127.0.0.1:${place.port}`;
    this.#folder = folder;
    this.#classPath = classPath;
  }

  get pid(): number {
    if (!this.#child?.pid) throw new Error(`Kafka's node ${this.id} does not run`);
    return this.#child.pid;
  }

  async format(properties: string): Promise<void> {
    await mkdir(this.#folder, { recursive: true });
    const file = join(this.#folder, 'server.properties');
    await writeFile(file, properties);
    const flags = ['-XX:TieredStopAtLevel=1', '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn'];
    const format = ['kafka.tools.StorageTool', 'format', '-t', CLUSTER_ID, '-c', file];
    await execute('java', [...flags, '-cp', this.#classPath, ...format]);
  }

  /** Returns once the process is there, before it serves. */
  async start(): Promise<void> {
    const file = join(this.#folder, 'server.properties');
    const java = ['java', ...JVM_FLAGS, '-cp', this.#classPath, 'kafka.Kafka', file];
    const [command, ...args] = [...ON_SERVER_CORE, ...java];
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    const forget = endsWithUs(() => child.kill('SIGKILL'));
    this.#exited = new Promise((resolve) => child.once('exit', resolve)).finally(forget);
    const log = createWriteStream(join(this.#folder, 'server.log'), { flags: 'a' });
    child.stdout.pipe(log, { end: false });
    child.stderr.pipe(log, { end: false });
    await new Promise<void>((resolve, reject) => child.once('spawn', resolve).once('error', reject));
  }

  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<unknown> {
    const child = this.#child;
    if (child && child.exitCode === null && child.signalCode === null) child.kill(signal);
    return await this.#exited;
  }

  async complaints(): Promise<string> {
    const log = await readFile(join(this.#folder, 'server.log'), 'utf8').catch(() => '');
    return `node ${this.id}:\n${log.slice(-2_000)}`;
  }
}

export class KafkaSubject implements Subject {
  readonly name = 'Kafka';
  readonly durableConfigs = { 'flush.messages': '1' };
  readonly pageCacheConfigs = {};
  readonly nodes: readonly KafkaNode[];
  readonly #folder: string;

  private constructor(nodes: readonly KafkaNode[], folder: string) {
    this.nodes = nodes;
    this.#folder = folder;
  }

  /** Formatted and not yet started: what a start costs is measured from there. */
  static async prepare(classPath: string, count: number, folder: string): Promise<KafkaSubject> {
    const own = await mkdtemp(join(folder, 'kafka-'));
    const ports = await freePorts(2 * count);
    const places = Array.from({ length: count }, (_, index) => ({
      id: index + 1,
      port: ports[index]!,
      controllerPort: ports[count + index]!,
    }));
    const nodes = places.map((place) => new KafkaNode(place, join(own, `node-${place.id}`), classPath));
    const subject = new KafkaSubject(nodes, own);
    for (const [index, node] of nodes.entries()) {
      await node.format(propertiesOf(places[index]!, places, join(own, `node-${node.id}`, 'data')));
    }
    return subject;
  }

  async start(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.start()));
    try {
      await untilServing(
        this.nodes.map(({ address }) => address),
        START_LIMIT_MS,
      );
    } catch (error) {
      const complaints = await Promise.all(this.nodes.map((node) => node.complaints()));
      await this.close();
      throw new Error(`Kafka did not start: ${String(error)}\n${complaints.join('\n')}`);
    }
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    await rm(this.#folder, { recursive: true, force: true });
  }
}
