/** One node in a process of its own, as `millrace server` starts it, with a look at its memory and its log. */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePorts, MILLRACE_BIN, repositoryRoot } from '../cluster/cluster-processes.ts';

const START_LIMIT_MS = 30_000;
const KEPT_FOLDER = process.env.MILLRACE_TEST_FOLDER;

export interface MemoryUse {
  readonly heapBytes: number;
  readonly bufferBytes: number;
  readonly residentBytes: number;
  /** Processor time of the longest turn of its event loop since the last question, without those of the questions. */
  readonly longestTurnMs: number;
}

export interface LogLine {
  readonly level: string;
  readonly event?: string;
  readonly peer?: string;
  readonly reason?: string;
  readonly omitted?: number;
  readonly msg: string;
  readonly err?: { readonly type: string; readonly message: string; readonly stack: string };
}

export class FuzzedNode implements AsyncDisposable {
  readonly kafkaPort: number;
  readonly bootstrap: string;
  readonly #folder: string;
  readonly #logFile: string;
  readonly #child: ChildProcess;
  readonly #exited: Promise<unknown>;

  private constructor(folder: string, port: number, kafkaPort: number, child: ChildProcess) {
    this.kafkaPort = kafkaPort;
    this.bootstrap = `127.0.0.1:${port}`;
    this.#folder = folder;
    this.#logFile = join(folder, 'server.log');
    this.#child = child;
    this.#exited = new Promise((resolve) => child.once('exit', resolve));
  }

  static async start(properties: Readonly<Record<string, string>>): Promise<FuzzedNode> {
    const folder = await mkdtemp(join(KEPT_FOLDER ?? tmpdir(), 'millrace-fuzz-'));
    await mkdir(join(folder, 'data'));
    const [port, kafkaPort] = (await freePorts(2)) as [number, number];
    const settings = {
      'node.id': '1',
      'controller.quorum.voters': `1@127.0.0.1:${port}`,
      listeners: `GRPC://127.0.0.1:${port},PLAINTEXT://127.0.0.1:${kafkaPort}`,
      'default.replication.factor': '1',
      'min.insync.replicas': '1',
      'log.dirs': join(folder, 'data'),
      ...properties,
    };
    const log = openSync(join(folder, 'server.log'), 'a');
    const child = spawn(
      process.execPath,
      [
        '--expose-gc',
        '--import',
        join(repositoryRoot(), 'test', 'fuzz', 'memory-probe.js'),
        MILLRACE_BIN,
        'server',
        ...Object.entries(settings).flatMap(([name, value]) => ['-X', `${name}=${value}`]),
      ],
      {
        stdio: ['ignore', log, log, 'ipc'],
        env: { ...process.env, MILLRACE_CLUSTER_ID: 'ZnV6emVkLWNsdXN0ZXItMA' },
      },
    );
    closeSync(log);
    const node = new FuzzedNode(folder, port, kafkaPort, child);
    const limitMs = Date.now() + START_LIMIT_MS;
    while (!(await node.log()).some(({ event }) => event === 'node_started')) {
      if (!node.isRunning || Date.now() > limitMs) {
        const tail = (await readFile(node.#logFile, 'utf8')).slice(-3000);
        await node.close();
        throw new Error(`the node does not serve:\n${tail}`);
      }
      await pause(50);
    }
    return node;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** What is in use after a full garbage collection. */
  async memory(): Promise<MemoryUse> {
    if (!this.isRunning) throw new Error('the node has ended');
    const answer = new Promise<MemoryUse>((resolve, reject) => {
      this.#child.once('message', (use) => resolve(use as MemoryUse));
      void this.#exited.then(() => reject(new Error('the node has ended')));
    });
    this.#child.send('memory');
    return await answer;
  }

  /** Everything it has logged; a line that is no JSON (a stack of a crash) as one of level `raw`. */
  async log(): Promise<LogLine[]> {
    const lines = (await readFile(this.#logFile, 'utf8')).split('\n').filter((line) => line !== '');
    return lines.map((line): LogLine => {
      try {
        return JSON.parse(line) as LogLine;
      } catch {
        return { level: 'raw', msg: line };
      }
    });
  }

  async close(): Promise<void> {
    if (this.isRunning) this.#child.kill('SIGKILL');
    await this.#exited;
    if (KEPT_FOLDER === undefined) await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
