/**
 * Real server processes on loopback, started from the built command, for tests that kill them.
 * Ends only what it started.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { createWriteStream, existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { connect, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const MILLRACE_BIN = join(repositoryRoot(), 'packages', 'server', 'bin', 'millrace.js');
const CLUSTER_ID = 'dGVzdC1jbHVzdGVyLTAwMA';
/** Set, data and logs of every cluster stay there for a look afterwards. */
const KEPT_FOLDER = process.env.MILLRACE_TEST_FOLDER;
const PORT_MIN = 15_000;
const PORT_MAX = 32_000;
const STARTED = '"event":"node_started"';

/** Looked for upwards: this module also runs from where the compiler puts it. */
export function repositoryRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package-lock.json'))) {
    if (folder === dirname(folder)) throw new Error('not inside the repository');
    folder = dirname(folder);
  }
  return folder;
}

export interface CommandResult {
  readonly exitCode: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Whether anybody accepts connections at a port of this machine. */
export async function listens(port: number): Promise<boolean> {
  const socket = connect(port, 'localhost');
  const answer = await new Promise<boolean>((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  });
  socket.destroy();
  return answer;
}

/**
 * The first of so many ports in a row that were free a moment ago. Below the range that the system gives to outgoing
 * connections: such a one would sit on the port of a node that is down, or even meet itself there.
 */
export async function freeRange(count: number): Promise<number> {
  for (;;) {
    const first = PORT_MIN + Math.floor(Math.random() * (PORT_MAX - count - PORT_MIN));
    const servers = Array.from({ length: count }, () => createServer());
    const isFree = await Promise.all(servers.map((server, index) => binds(server, first + index)));
    await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
    if (!isFree.includes(false)) return first;
  }
}

async function binds(server: Server, port: number): Promise<boolean> {
  return await new Promise((resolve) => {
    server.once('error', () => resolve(false)).listen(port, '127.0.0.1', () => resolve(true));
  });
}

/** Ports that were free a moment ago. */
export async function freePorts(count: number): Promise<number[]> {
  const first = await freeRange(count);
  return Array.from({ length: count }, (_, index) => first + index);
}

export interface ClusterProcessesOptions {
  readonly nodes?: number;
  readonly properties?: Readonly<Record<string, string>>;
  /** Where the cluster's own folder is made; it is removed at the end. */
  readonly folder?: string;
  /** Every node also has a listener for Kafka's clients. */
  readonly kafka?: boolean;
  /** A command that runs the one that follows it in its own process, as `taskset -c 0` does. */
  readonly launcher?: readonly string[];
  /** Where those listeners are, `host:port` for each node; the system chooses unless given. */
  readonly kafkaAddresses?: readonly string[];
}

export class NodeProcess {
  readonly id: number;
  readonly port: number;
  readonly folder: string;
  readonly #properties: Readonly<Record<string, string>>;
  readonly #launcher: readonly string[];
  #child: ChildProcess | undefined;
  #exited: Promise<number | null> = Promise.resolve(null);

  constructor(
    id: number,
    port: number,
    folder: string,
    properties: Readonly<Record<string, string>>,
    launcher: readonly string[] = [],
  ) {
    this.#launcher = launcher;
    this.id = id;
    this.port = port;
    this.folder = folder;
    this.#properties = properties;
  }

  get pid(): number {
    if (!this.#child?.pid) throw new Error(`node ${this.id} does not run`);
    return this.#child.pid;
  }

  get isRunning(): boolean {
    return this.#child !== undefined && this.#child.exitCode === null && this.#child.signalCode === null;
  }

  get dataFolder(): string {
    return join(this.folder, 'data');
  }

  get logFile(): string {
    return join(this.folder, 'server.log');
  }

  /** Resolves once the node serves; rejects if the process ends before. */
  async start(extra: Readonly<Record<string, string>> = {}): Promise<void> {
    await mkdir(this.folder, { recursive: true });
    const settings = Object.entries({ ...this.#properties, ...extra, 'log.dirs': this.dataFolder }).flatMap(
      ([name, value]) => ['-X', `${name}=${value}`],
    );
    const [command, ...args] = [...this.#launcher, process.execPath, MILLRACE_BIN, 'server', ...settings];
    const child = spawn(command!, args, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, MILLRACE_CLUSTER_ID: CLUSTER_ID },
    });
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', (code) => resolve(code)));
    const log = createWriteStream(this.logFile, { flags: 'a' });
    child.stdout!.pipe(log, { end: false });
    child.stderr!.pipe(log, { end: false });
    await new Promise<void>((resolve, reject) => {
      let tail = '';
      const look = (chunk: Buffer): void => {
        tail = (tail + chunk.toString()).slice(-20_000);
        if (tail.includes(STARTED)) resolve();
      };
      child.stdout!.on('data', look);
      child.stderr!.on('data', look);
      child.once('exit', (code, signal) => {
        reject(
          new Error(`node ${this.id} ended with ${code ?? signal} before it served:\n${tail.slice(-3000)}`),
        );
      });
    });
  }

  kill(signal: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT' | 'SIGTERM'): void {
    process.kill(this.pid, signal);
  }

  /** Ends the process and waits for it. The exit code is null after SIGKILL. */
  async end(signal: 'SIGKILL' | 'SIGTERM'): Promise<number | null> {
    if (this.isRunning) this.kill(signal);
    return await this.#exited;
  }
}

export class ClusterProcesses implements AsyncDisposable {
  readonly nodes: readonly NodeProcess[];
  readonly #folder: string;
  readonly #kafkaAddresses: readonly string[];

  private constructor(nodes: readonly NodeProcess[], folder: string, kafkaAddresses: readonly string[]) {
    this.nodes = nodes;
    this.#folder = folder;
    this.#kafkaAddresses = kafkaAddresses;
  }

  static async start(options: ClusterProcessesOptions = {}): Promise<ClusterProcesses> {
    const count = options.nodes ?? 3;
    const folder = await mkdtemp(join(KEPT_FOLDER ?? options.folder ?? tmpdir(), 'millrace-cluster-'));
    const ports = await freePorts(count);
    const voters = ports.map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(',');
    const kafkaPorts = options.kafka === true ? await freePorts(count) : [];
    const kafkaAddresses = options.kafkaAddresses ?? kafkaPorts.map((port) => `127.0.0.1:${port}`);
    const kafkaListener = (index: number): string =>
      index in kafkaAddresses ? `,PLAINTEXT://${kafkaAddresses[index]}` : '';
    const nodes = ports.map(
      (port, index) =>
        new NodeProcess(
          index + 1,
          port,
          join(folder, `node-${index + 1}`),
          {
            'node.id': String(index + 1),
            'controller.quorum.voters': voters,
            listeners: `GRPC://127.0.0.1:${port}${kafkaListener(index)}`,
            'default.replication.factor': String(Math.min(count, 3)),
            'min.insync.replicas': count >= 3 ? '2' : '1',
            ...options.properties,
          },
          options.launcher,
        ),
    );
    const cluster = new ClusterProcesses(nodes, folder, kafkaAddresses);
    try {
      await Promise.all(nodes.map((node) => node.start()));
    } catch (error) {
      await cluster.close();
      throw error;
    }
    return cluster;
  }

  get bootstrap(): string {
    return this.nodes.map(({ port }) => `127.0.0.1:${port}`).join(',');
  }

  /** For Kafka's clients. */
  get kafkaBootstrap(): string {
    return this.#kafkaAddresses.join(',');
  }

  node(id: number): NodeProcess {
    const node = this.nodes.find((candidate) => candidate.id === id);
    if (!node) throw new Error(`no node ${id}`);
    return node;
  }

  /** Runs the `millrace` command against this cluster. */
  async command(...args: readonly string[]): Promise<CommandResult> {
    return await runCommand(['--bootstrap-server', this.bootstrap, ...args]);
  }

  /** The same, for commands that must succeed; gives what they printed as JSON. */
  async json<T>(...args: readonly string[]): Promise<T> {
    const result = await this.command('-o', 'json', ...args);
    if (result.exitCode !== 0) throw new Error(`millrace ${args.join(' ')} failed: ${result.stderr}`);
    return JSON.parse(result.stdout) as T;
  }

  async close(): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.end('SIGKILL')));
    if (KEPT_FOLDER === undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

export async function runCommand(args: readonly string[], input?: string): Promise<CommandResult> {
  const child = spawn(process.execPath, [MILLRACE_BIN, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString();
  });
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString();
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  const exitCode = await new Promise<number | null>((resolve) => child.once('close', resolve));
  return { exitCode, stdout, stderr };
}
