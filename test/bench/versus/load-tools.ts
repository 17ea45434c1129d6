/**
 * The load, by programs that others wrote and that know nothing of who serves them: librdkafka's
 * `rdkafka_performance` and Kafka's perf tools, in processes of their own on the client's core.
 */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { repositoryRoot } from '../../cluster/cluster-processes.ts';
import { javaWith, lackOf, rdkafkaPerformance } from '../../compat/toolchain.ts';
import { sleepMs } from '../monotonic-clock.ts';
import { endsWithUs } from './ended-with-us.ts';
import { lackOfPinning, ON_CLIENT_CORE } from './pinning.ts';

const RUN_LIMIT_MS = 120_000;
const JAVA_FLAGS = [
  '-Xms512m',
  '-Xmx512m',
  '-XX:+UseG1GC',
  '-XX:ActiveProcessorCount=1',
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
];

export interface ToolRun {
  readonly exitCode: number | null;
  readonly output: string;
}

export class ToolProcess implements AsyncDisposable {
  readonly ended: Promise<ToolRun>;
  readonly #child;
  #output = '';

  constructor(command: string, args: readonly string[], onLine?: (line: string) => void) {
    const [launcher, ...rest] = [...ON_CLIENT_CORE, command, ...args];
    const child = spawn(launcher, rest, { stdio: ['ignore', 'pipe', 'pipe'] });
    this.#child = child;
    let open = '';
    const take = (chunk: Buffer): void => {
      this.#output += chunk.toString();
      if (!onLine) return;
      const lines = (open + chunk.toString()).split('\n');
      open = lines.pop()!;
      for (const line of lines) onLine(line);
    };
    child.stdout.on('data', take);
    child.stderr.on('data', take);
    const limit = setTimeout(() => child.kill('SIGKILL'), RUN_LIMIT_MS);
    const forget = endsWithUs(() => child.kill('SIGKILL'));
    this.ended = new Promise<ToolRun>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (exitCode) => {
        clearTimeout(limit);
        resolve({ exitCode, output: this.#output });
      });
    }).finally(forget);
  }

  /** Asks it to print its summary and end. */
  interrupt(): void {
    this.#child.kill('SIGINT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.ended;
  }

  async #endedWell(): Promise<string> {
    const { exitCode, output } = await this.ended;
    if (exitCode !== 0) throw new Error(`it ended with ${exitCode}:\n${output.slice(-2_000)}`);
    return output;
  }

  get output(): Promise<string> {
    return this.#endedWell();
  }
}

/** What the tool printed when it was asked to end after `ms`. */
export async function interruptedAfter(tool: ToolProcess, ms: number): Promise<string> {
  await Promise.race([sleepMs(ms), tool.ended]);
  tool.interrupt();
  return (await tool.ended).output;
}

export interface Tools {
  /** The path of `rdkafka_performance`. */
  readonly rdkafka: string;
  /** The class path of Kafka's server and tools. */
  readonly kafka: string;
}

/** What this machine lacks to be measured on, in words; undefined if nothing. */
export async function lackOfTools(): Promise<string | undefined> {
  return lackOfPinning() ?? (await lackOf('java')) ?? (await lackOf('gcc'));
}

/** Fetched and built at the first run, then kept. */
export async function loadTools(): Promise<Tools> {
  const project = join(repositoryRoot(), 'test', 'bench', 'versus', 'kafka-4.xml');
  return { rdkafka: await rdkafkaPerformance(), kafka: await javaWith('versus-kafka-4', project) };
}

export interface ProduceLoad {
  readonly bootstrap: string;
  readonly topic: string;
  readonly recordBytes: number;
  /** 1, or -1 for all. */
  readonly acks: 1 | -1;
  /** Without it, until it is interrupted. */
  readonly records?: number;
  readonly recordsPerS?: number;
  readonly properties?: Readonly<Record<string, string | number>>;
  readonly more?: readonly string[];
}

const flagsOf = (flag: string, properties: Readonly<Record<string, string | number>>): string[] =>
  Object.entries(properties).flatMap(([name, value]) => [flag, `${name}=${value}`]);

/** librdkafka's defaults, where `rdkafka_performance` has set others, and room for what is in flight. */
const PRODUCER_PROPERTIES = {
  'linger.ms': 5,
  'queue.buffering.max.messages': 200_000,
  'message.send.max.retries': 1_000_000,
  'retry.backoff.ms': 100,
};

export function rdkafkaProducer({ rdkafka }: Tools, load: ProduceLoad, onLine?: (line: string) => void) {
  return new ToolProcess(
    rdkafka,
    [
      ...['-P', '-b', load.bootstrap, '-t', load.topic, '-s', String(load.recordBytes)],
      ...['-a', String(load.acks)],
      ...(load.records === undefined ? [] : ['-c', String(load.records)]),
      ...(load.recordsPerS === undefined ? [] : ['-r', String(load.recordsPerS)]),
      ...flagsOf('-X', { ...PRODUCER_PROPERTIES, ...load.properties }),
      ...(load.more ?? []),
    ],
    onLine,
  );
}

export interface ConsumeLoad {
  readonly bootstrap: string;
  readonly topic: string;
  readonly partitions: number;
  readonly from: 'beginning' | 'end';
  readonly records?: number;
  readonly properties?: Readonly<Record<string, string | number>>;
  readonly more?: readonly string[];
}

export function rdkafkaConsumer({ rdkafka }: Tools, load: ConsumeLoad, onLine?: (line: string) => void) {
  const partitions = Array.from({ length: load.partitions }, (_, partition) => ['-p', String(partition)]);
  return new ToolProcess(
    rdkafka,
    [
      ...['-C', '-b', load.bootstrap, '-t', load.topic, '-o', load.from, ...partitions.flat()],
      ...(load.records === undefined ? [] : ['-c', String(load.records)]),
      ...flagsOf('-X', load.properties ?? {}),
      ...(load.more ?? []),
    ],
    onLine,
  );
}

export function javaProducer({ kafka }: Tools, load: ProduceLoad): ToolProcess {
  return new ToolProcess('java', [
    ...[...JAVA_FLAGS, '-cp', kafka, 'org.apache.kafka.tools.ProducerPerformance'],
    ...['--bootstrap-server', load.bootstrap, '--topic', load.topic],
    ...[
      '--record-size',
      String(load.recordBytes),
      '--num-records',
      String(load.records),
      '--throughput',
      '-1',
    ],
    ...['--warmup-records', String(Math.floor(load.records! / 3))],
    ...[
      '--command-property',
      `acks=${load.acks}`,
      'linger.ms=5',
      'batch.size=262144',
      'buffer.memory=67108864',
    ],
  ]);
}

export function javaConsumer({ kafka }: Tools, load: ConsumeLoad): ToolProcess {
  return new ToolProcess('java', [
    ...[...JAVA_FLAGS, '-cp', kafka, 'org.apache.kafka.tools.ConsumerPerformance'],
    ...['--bootstrap-server', load.bootstrap, '--topic', load.topic, '--num-records', String(load.records)],
    ...['--timeout', '30000'],
  ]);
}
