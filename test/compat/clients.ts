/** Every client of the suite: where it comes from, in which version, and how its program is started. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiled, javaWith, nodeWith, pythonWith, type Toolchain } from './toolchain.ts';

const here = dirname(fileURLToPath(import.meta.url));
const PYTHON_CODECS = ['python-snappy==0.7.3', 'lz4==4.4.4', 'zstandard==0.23.0'];

export interface CompatClient {
  /** Also its client id. */
  readonly name: string;
  readonly toolchain: Toolchain;
  /** Speaks the consumer protocol of KIP-848 too. */
  readonly hasNewGroups: boolean;
  /** The command that starts its program, without its arguments; installs the client first. */
  prepare(): Promise<{ readonly command: string; readonly args: readonly string[]; readonly place?: string }>;
}

/** Interpreters that have kafka-python. */
export const PYTHON_PLACES = {
  'kafka-python-2': () => pythonWith('kafka-python-2', ['kafka-python==2.0.2', ...PYTHON_CODECS]),
  'kafka-python-3': () => pythonWith('kafka-python-3', ['kafka-python==3.0.12', ...PYTHON_CODECS]),
} as const;

/** Class paths that have the Java clients. */
export const JAVA_PLACES = {
  'kafka-3': () => javaWith('kafka-3', join(here, 'java', 'kafka-3.xml')),
  'kafka-clients-4': () => javaWith('kafka-clients-4', join(here, 'java', 'clients-4.xml')),
} as const;

/** Class paths that have the official tools. */
export const TOOL_PLACES = {
  'kafka-3': JAVA_PLACES['kafka-3'],
  'kafka-tools-4': () => javaWith('kafka-tools-4', join(here, 'java', 'tools-4.xml')),
} as const;

/** For programs that do little: quick to start, small, quiet. */
export const JAVA_FLAGS = [
  '-Dorg.slf4j.simpleLogger.defaultLogLevel=warn',
  '-XX:TieredStopAtLevel=1',
  '-Xmx256m',
] as const;

function python(
  name: string,
  program: string,
  interpreter: () => Promise<string>,
  hasNewGroups: boolean,
): CompatClient {
  return {
    name,
    toolchain: 'python3',
    hasNewGroups,
    prepare: async () => ({
      command: await interpreter(),
      args: ['-B', '-u', join(here, 'python', program)],
    }),
  };
}

const confluent = (name: string, version: string) => () => pythonWith(name, [`confluent-kafka==${version}`]);

function node(name: string, packages: readonly string[], hasNewGroups: boolean): CompatClient {
  return {
    name,
    toolchain: 'npm',
    hasNewGroups,
    prepare: async () => ({
      command: process.execPath,
      args: [join(here, 'node', `${name}.js`)],
      place: await nodeWith(name, packages),
    }),
  };
}

function java(name: keyof typeof JAVA_PLACES, hasNewGroups: boolean): CompatClient {
  return {
    name,
    toolchain: 'java',
    hasNewGroups,
    prepare: async () => {
      const program = join(here, 'java', 'ClientProgram.java');
      const classPath = await compiled(await JAVA_PLACES[name](), `${name}-program`, program);
      return { command: 'java', args: [...JAVA_FLAGS, '-cp', classPath, 'ClientProgram'] };
    },
  };
}

export const COMPAT_CLIENTS: readonly CompatClient[] = [
  python('kafka-python-2', 'kafka_python.py', PYTHON_PLACES['kafka-python-2'], false),
  python('kafka-python-3', 'kafka_python.py', PYTHON_PLACES['kafka-python-3'], false),
  python('confluent-old', 'confluent.py', confluent('confluent-old', '2.0.2'), false),
  python('confluent-new', 'confluent.py', confluent('confluent-new', '2.16.1'), true),
  node('kafkajs', ['kafkajs@2.2.4', 'kafkajs-snappy@1.1.0'], false),
  node('platformatic', ['@platformatic/kafka@1.35.0'], true),
  java('kafka-3', false),
  java('kafka-clients-4', true),
];
