/**
 * `millrace dev`, what `npm start` runs: a three-node cluster on this machine, as three processes or as one.
 * For trying and developing; a real node is `millrace server`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type CommandContext, EXIT, type ExitCode, type ProgramExtension, usageError } from '@millrace/cli';
import { Deferred } from '@millrace/core';
import { createLogger } from '../create-logger.ts';
import { checkDirectory, isFormatted } from '../data-directory.ts';
import { developmentProperties, type FirstPorts } from '../development-properties.ts';
import { startCluster } from '../embedded-cluster.ts';
import { realDisk } from '../millrace-node.ts';

const COMMAND = fileURLToPath(new URL('../../bin/millrace.js', import.meta.url));
/** A fixed id, so that data of an earlier start is found again. */
const CLUSTER_ID = 'bWlsbHJhY2UtZGV2ZWxvcA';
const RESTART_DELAY_MS = 3_000;
/** A node that has not stopped by then is ended. */
const STOP_MAX_MS = 20_000;
const NODES_MAX = 9;
const DEFAULT_PORT = 9191;
const DEFAULT_KAFKA_PORT = 9092;
const PORT_MAX = 65_535;

interface DevOptions {
  readonly nodes: string;
  readonly port: string;
  readonly kafkaPort: string;
  readonly dataDir: string;
  readonly inProcess?: boolean;
  readonly reset?: boolean;
}

export const devCommand: ProgramExtension = (program, shell) => {
  program
    .command('dev')
    .description('Run a cluster on this machine, to try and to develop.')
    .option('--nodes <count>', 'how many nodes', '3')
    .option('--port <port>', 'port of the first node; the others follow', String(DEFAULT_PORT))
    .option(
      '--kafka-port <port>',
      'port of the first node for Kafka clients; the others follow; 0 for none',
      String(DEFAULT_KAFKA_PORT),
    )
    .option('--data-dir <folder>', 'where data lives', '.millrace')
    .option('--in-process', 'all nodes in this process')
    .option('--reset', 'begin with empty directories')
    .addHelpText('after', '\nExample:\n  millrace dev --in-process --reset')
    .action(
      shell.action<DevOptions>(async (context, options): Promise<ExitCode> => {
        const dataDir = resolve(options.dataDir);
        const count = wholeNumber('--nodes', options.nodes, NODES_MAX);
        const lastPort = PORT_MAX - count + 1;
        const first = {
          grpc: wholeNumber('--port', options.port, lastPort),
          kafka:
            options.kafkaPort === '0' ? undefined : wholeNumber('--kafka-port', options.kafkaPort, lastPort),
        };
        checkDirectory('--data-dir', realDisk.fileSystem, dataDir, usageError);
        if (options.reset) await removeData(dataDir);
        return options.inProcess
          ? await runInProcess(context, dataDir, count, first)
          : await runProcesses(context, dataDir, count, first);
      }),
    );
};

/** @throws {CliError} USAGE */
function wholeNumber(flag: string, text: string, max: number): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1 && value <= max) return value;
  throw usageError(`${flag} ${text} must be a whole number from 1 to ${max}`);
}

/** Removes what earlier starts left, and nothing else that may lie in the folder. */
async function removeData(dataDir: string): Promise<void> {
  const names = await readdir(dataDir).catch(() => []);
  for (const name of names.filter((candidate) => /^node-\d+$/.test(candidate))) {
    const folder = join(dataDir, name);
    if (isFormatted(realDisk.fileSystem, folder)) await rm(folder, { recursive: true });
  }
}

function welcome(context: CommandContext, count: number, first: FirstPorts): void {
  const addressesFrom = (port: number): string =>
    Array.from({ length: count }, (_, index) => `localhost:${port + index}`).join(', ');
  const millrace =
    first.grpc === DEFAULT_PORT ? 'npx millrace' : `npx millrace --bootstrap-server localhost:${first.grpc}`;
  const kafka = first.kafka === undefined ? '' : `\nKafka clients: ${addressesFrom(first.kafka)}`;
  context.note(`
${count === 1 ? '1 node is' : `${count} nodes are`} up: ${addressesFrom(first.grpc)}${kafka}

  ${millrace} topic create greetings -p 3 -r ${Math.min(count, 3)}
  echo 'hello, world' | ${millrace} produce greetings
  ${millrace} consume greetings --from-beginning -n 1

Ctrl-C stops them.
`);
}

async function runInProcess(
  context: CommandContext,
  dataDir: string,
  count: number,
  first: FirstPorts,
): Promise<ExitCode> {
  const cluster = await startCluster({
    nodes: count,
    storage: dataDir,
    firstPort: first.grpc,
    ...(first.kafka !== undefined && { firstKafkaPort: first.kafka }),
    clusterId: CLUSTER_ID,
    properties: context.options.properties,
    logger: createLogger('warn', {}),
  });
  welcome(context, count, first);
  await new Promise<void>((done) => {
    if (context.interrupted.aborted) done();
    context.interrupted.addEventListener('abort', () => done(), { once: true });
  });
  context.note('Stopping ...');
  await cluster.close();
  return EXIT.ok;
}

async function runProcesses(
  context: CommandContext,
  dataDir: string,
  count: number,
  first: FirstPorts,
): Promise<ExitCode> {
  const failed = new Deferred<ExitCode>();
  const nodes = Array.from({ length: count }, (_, index) => {
    const properties = {
      ...developmentProperties(index + 1, count, first),
      'log.dirs': join(dataDir, `node-${index + 1}`),
      ...context.options.properties,
    };
    return new DevNode(context, index + 1, properties, failed);
  });
  const up = Promise.all(nodes.map((node) => node.up)).then(() => welcome(context, count, first));
  const interrupted = new Promise<ExitCode>((done) => {
    context.interrupted.addEventListener('abort', () => done(EXIT.ok), { once: true });
  });
  const exitCode = await Promise.race([failed.promise, interrupted, up.then(() => interrupted)]);
  context.note('Stopping ...');
  await Promise.all(nodes.map((node) => node.stop()));
  return exitCode;
}

/** One server process: shows what it says, and starts it again when something kills it. */
class DevNode {
  readonly #context: CommandContext;
  readonly #id: number;
  readonly #properties: Readonly<Record<string, string>>;
  readonly #failed: Deferred<ExitCode>;
  readonly #up = new Deferred<void>();
  #child: ChildProcess;
  #exited: Promise<void>;
  #stopping = false;

  constructor(
    context: CommandContext,
    id: number,
    properties: Readonly<Record<string, string>>,
    failed: Deferred<ExitCode>,
  ) {
    this.#context = context;
    this.#id = id;
    this.#properties = properties;
    this.#failed = failed;
    [this.#child, this.#exited] = this.#spawn();
  }

  get up(): Promise<void> {
    return this.#up.promise;
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    const child = this.#child;
    if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
    const limit = setTimeout(() => child.kill('SIGKILL'), STOP_MAX_MS);
    await this.#exited;
    clearTimeout(limit);
  }

  #spawn(): [ChildProcess, Promise<void>] {
    const settings = Object.entries(this.#properties).flatMap(([name, value]) => ['-X', `${name}=${value}`]);
    // In a session of its own, so that Ctrl-C reaches it once, from here; the channel tells it when we are gone.
    const child = spawn(process.execPath, [COMMAND, 'server', ...settings], {
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env: { ...process.env, MILLRACE_CLUSTER_ID: CLUSTER_ID },
    });
    createInterface({ input: child.stdout! }).on('line', (line) => this.#showLogLine(line));
    createInterface({ input: child.stderr! }).on('line', (line) => this.#say(line));
    const exited = new Promise<void>((done) => {
      child.once('exit', (code, signal) => {
        done();
        this.#onExit(code, signal);
      });
    });
    return [child, exited];
  }

  #onExit(code: number | null, signal: NodeJS.Signals | null): void {
    if (this.#stopping) return;
    if (signal === null) {
      this.#say(`could not go on: exit code ${code}`);
      this.#failed.resolve(exitCodeFrom(code));
      return;
    }
    this.#say(`was ended by ${signal}; starting it again in ${RESTART_DELAY_MS / 1000} s`);
    setTimeout(() => {
      if (!this.#stopping) [this.#child, this.#exited] = this.#spawn();
    }, RESTART_DELAY_MS);
  }

  #showLogLine(line: string): void {
    const entry = parseLogLine(line);
    if (entry === undefined) {
      this.#say(line);
      return;
    }
    if (entry.event === 'node_started') this.#up.resolve();
    if (this.#context.options.verbose || isForAll(entry)) {
      const cause = entry.err?.message === undefined ? '' : `: ${entry.err.message}`;
      this.#say(`${entry.level} ${entry.msg}${cause}`);
    }
  }

  #say(text: string): void {
    this.#context.environment.stderr.write(`node ${this.#id} | ${text}\n`);
  }
}

/** Why the first node could not go on is why the cluster could not. */
function exitCodeFrom(code: number | null): ExitCode {
  return Object.values(EXIT).find((known) => known === code && known !== EXIT.ok) ?? EXIT.failed;
}

interface LogLine {
  readonly level: string;
  readonly msg: string;
  readonly event?: string;
  readonly err?: { readonly message?: string };
}

/** Failures, and what went wrong with a Kafka client, which may tell its user less. */
function isForAll({ level, event }: LogLine): boolean {
  if (level === 'warn') return event?.startsWith('kafka_') === true;
  return level === 'error' || level === 'fatal';
}

function parseLogLine(line: string): LogLine | undefined {
  try {
    const value = JSON.parse(line) as LogLine;
    return typeof value === 'object' && typeof value.msg === 'string' ? value : undefined;
  } catch {
    return undefined;
  }
}
