/**
 * Kafka's clients, unchanged and each in a process of its own, against three processes. Prints what each has done.
 * A toolchain that is missing is a failure where CI=true, a skip with its name elsewhere.
 */
import { appendFile } from 'node:fs/promises';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ClusterProcesses } from '../cluster/cluster-processes.ts';
import { apiCensus } from './api-census.ts';
import { ClientProgram } from './client-program.ts';
import { COMPAT_CLIENTS, type CompatClient } from './clients.ts';
import {
  adminScenario,
  expectSoon,
  groupScenario,
  recordsScenario,
  type Scenario,
  transactionScenario,
} from './scenario.ts';
import { isContinuousIntegration, lackOf } from './toolchain.ts';

const FLOW_PARTITIONS = 3;
const FLOW_BEFORE_KILL = 100;
const FLOW_AFTER_KILL = 300;
const INSTALL_LIMIT_MS = 300_000;

interface Running {
  readonly program: ClientProgram;
  readonly parts: string[];
}

let cluster: ClusterProcesses;
let millrace: Millrace;
const lacks = new Map<string, string>();
const running = new Map<string, Running>();
const broken = new Map<string, unknown>();

beforeAll(async () => {
  cluster = await ClusterProcesses.start({ kafka: true, properties: { 'log.level': 'debug' } });
  millrace = new Millrace({ bootstrap: cluster.bootstrap });
  for (const client of COMPAT_CLIENTS) {
    const lack = await lackOf(client.toolchain);
    if (lack !== undefined) {
      if (isContinuousIntegration) throw new Error(`${client.name}: ${lack}`);
      lacks.set(client.name, lack);
      continue;
    }
    try {
      running.set(client.name, { program: await startProgram(client), parts: [] });
    } catch (error) {
      broken.set(client.name, error);
    }
  }
}, INSTALL_LIMIT_MS);

async function startProgram(client: CompatClient): Promise<ClientProgram> {
  const { command, args, place } = await client.prepare();
  const own = [cluster.kafkaBootstrap, client.name, ...(place === undefined ? [] : [place])];
  return await ClientProgram.start(command, [...args, ...own]);
}

afterAll(async () => {
  await Promise.all(Array.from(running.values(), ({ program }) => program.close()));
  await millrace?.close();
  if (cluster === undefined) return;
  const table = await compatTable();
  process.stdout.write(`${table}\n`);
  if (process.env.GITHUB_STEP_SUMMARY) await appendFile(process.env.GITHUB_STEP_SUMMARY, `${table}\n`);
  await cluster.close();
});

async function compatTable(): Promise<string> {
  const census = await apiCensus(cluster.nodes.map(({ logFile }) => logFile));
  const rows = COMPAT_CLIENTS.map(({ name }) => {
    const own = running.get(name);
    if (own === undefined) return `| ${name} | | skipped: ${lacks.get(name) ?? 'it did not start'} | |`;
    return `| ${name} | ${own.program.version} | ${own.parts.join(', ')} | ${census.get(name) ?? ''} |`;
  });
  return [
    '',
    '| client | version | exercised | API versions seen |',
    '| --- | --- | --- | --- |',
    ...rows,
  ].join('\n');
}

/** One test for every client, all at the same time. */
function forEveryClient(
  promise: string,
  clients: readonly CompatClient[],
  run: (scenario: Scenario) => Promise<void>,
): void {
  for (const { name } of clients) {
    test.concurrent(`${name}: ${promise}`, async ({ skip }) => {
      if (broken.has(name)) throw broken.get(name);
      const own = running.get(name);
      if (own === undefined) return skip(lacks.get(name) ?? 'it did not start');
      const { program, parts } = own;
      await run({ client: name, program, millrace, done: (part) => parts.push(part) });
    });
  }
}

describe('records', () => {
  forEveryClient('records come back as they were, through both doors', COMPAT_CLIENTS, recordsScenario);
});

describe('groups', () => {
  forEveryClient('members share, hand over and go on', COMPAT_CLIENTS, (scenario) =>
    groupScenario(scenario, 'classic'),
  );
});

describe('groups of KIP-848', () => {
  const clients = COMPAT_CLIENTS.filter(({ hasNewGroups }) => hasNewGroups);
  forEveryClient('members share, hand over and go on', clients, (scenario) =>
    groupScenario(scenario, 'consumer'),
  );
});

describe('administration', () => {
  forEveryClient('topics, settings and groups are changed', COMPAT_CLIENTS, adminScenario);
});

describe('transactions', () => {
  // The others fail at once too, but show nothing of the reason.
  const clients = COMPAT_CLIENTS.filter(({ name }) => /^(confluent-|kafka-3|kafka-clients-)/.test(name));
  forEveryClient('are refused at once, with the reason', clients, transactionScenario);
});

test('nothing acknowledged is lost when a leader is killed in mid-flow', async () => {
  const flows = Array.from(running, ([name, { program, parts }]) => ({
    name,
    topic: `${name}-flow`,
    program,
    parts,
  }));
  await millrace
    .admin()
    .createTopics(
      flows.map(({ topic }) => ({ name: topic, partitions: FLOW_PARTITIONS, replicationFactor: 3 })),
    );
  await Promise.all(flows.map(({ program, topic }) => program.do('flow', { topic })));
  const reached = async (count: number): Promise<void> => {
    await Promise.all(
      flows.map(({ program, topic }) =>
        expectSoon(
          () => program.do('flowState', { topic }),
          ({ acknowledged }) => acknowledged >= count,
        ),
      ),
    );
  };
  await reached(FLOW_BEFORE_KILL);
  const described = await millrace.admin().describeTopics(flows.map(({ topic }) => topic));
  const victim = described[0]!.partitions[0]!.leader;
  for (const { name, partitions } of described) {
    expect(
      partitions.map(({ leader }) => leader),
      `leaders of ${name}`,
    ).toContain(victim);
  }
  await cluster.node(victim).end('SIGKILL');
  await reached(FLOW_AFTER_KILL);
  const ended = await Promise.all(flows.map(({ program, topic }) => program.do('endFlow', { topic })));
  await cluster.node(victim).start();
  const lost: Record<string, unknown> = {};
  for (const [index, { name, topic, parts }] of flows.entries()) {
    const kept = await valuesOf(topic);
    const missing = ended[index]!.acknowledged.filter((value) => !kept.has(value));
    if (missing.length > 0) lost[name] = missing;
    else parts.push(`failover (${ended[index]!.acknowledged.length} acknowledged)`);
  }
  expect(lost).toEqual({});
}, 240_000);

/** Every value of a topic, read to its end. */
async function valuesOf(topic: string): Promise<Set<string>> {
  const partitions = Array.from({ length: FLOW_PARTITIONS }, (_, partition) => ({ topic, partition }));
  const ends = await millrace
    .admin()
    .listOffsets(partitions.map((partition) => ({ ...partition, at: 'latest' as const })));
  let left = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  await using consumer = millrace.consumer();
  consumer.assign(partitions);
  consumer.seekToBeginning();
  const values = new Set<string>();
  while (left > 0) {
    const records = await consumer.poll({ timeoutMs: 30_000 });
    if (records.length === 0) throw new Error(`${left} records of ${topic} cannot be read`);
    for (const { value } of records) values.add(value!.toString());
    left -= records.length;
  }
  return values;
}
