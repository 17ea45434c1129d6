/**
 * The container image and the compose file, really run: three containers, one killed, one cut off its network,
 * and every acknowledged record there once. Needs a container engine; talks to it by the docker command.
 */
import { execFile } from 'node:child_process';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { Millrace } from '@millrace/client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freePorts } from '../cluster/cluster-processes.ts';

const execute = promisify(execFile);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const PROJECT = `millrace-test-${process.pid}`;
const NETWORK = `${PROJECT}_default`;
const MINUTE_MS = 60_000;

let ports: number[] = [];
let compose: (...args: string[]) => Promise<string>;

function say(text: string): void {
  process.stderr.write(`  compose: ${text}\n`);
}

async function docker(...args: string[]): Promise<string> {
  const { stdout } = await execute('docker', args, { cwd: root, maxBuffer: 64 * 1024 * 1024 });
  return stdout.trim();
}

async function composeCommand(): Promise<readonly string[]> {
  return await execute('docker', ['compose', 'version']).then(
    () => ['docker', 'compose'],
    () => ['docker-compose'],
  );
}

async function containerOf(node: number): Promise<string> {
  return await compose('ps', '-q', `millrace-${node}`);
}

async function healthOf(node: number): Promise<string> {
  return await docker('inspect', '-f', '{{.State.Health.Status}}', await containerOf(node));
}

async function untilHealthy(node: number): Promise<void> {
  await expect.poll(() => healthOf(node), { timeout: MINUTE_MS, interval: 500 }).toBe('healthy');
}

beforeAll(async () => {
  const free = await freePorts(6);
  ports = free.slice(0, 3);
  const [command, ...prefix] = await composeCommand();
  const env = {
    ...process.env,
    ...Object.fromEntries(ports.map((port, index) => [`MILLRACE_PORT_${index + 1}`, String(port)])),
    ...Object.fromEntries(
      free.slice(3).map((port, index) => [`MILLRACE_KAFKA_PORT_${index + 1}`, String(port)]),
    ),
  };
  compose = async (...args) => {
    const all = [...prefix, '-p', PROJECT, '-f', join(root, 'deploy', 'docker-compose.yml'), ...args];
    const { stdout } = await execute(command!, all, { cwd: root, env, maxBuffer: 64 * 1024 * 1024 });
    return stdout.trim();
  };
  say('building the image');
  await docker('build', '--network', 'host', '-t', 'millrace:latest', '-f', 'deploy/Dockerfile', '.');
  await compose('up', '-d', '--no-build');
}, 10 * MINUTE_MS);

afterAll(async () => {
  await compose('down', '-v', '--timeout', '10');
}, MINUTE_MS);

test(
  'the command line works inside a container, as it is and with the addresses of the inner listeners',
  async () => {
    for (const node of [1, 2, 3]) await untilHealthy(node);
    const inside = await containerOf(2);
    const millrace = (...args: string[]): Promise<string> => docker('exec', inside, 'millrace', ...args);
    expect(await millrace('health')).toMatch(/^healthy\nNODE +STATUS\nlocalhost:19191 +SERVING$/);
    const all = JSON.parse(await millrace('health', '--all', '-o', 'json')) as {
      nodes: { node: string; status: string }[];
    };
    expect(all.nodes.map(({ node, status }) => `${node} ${status}`).sort()).toEqual(
      [1, 2, 3].map((node) => `millrace-${node}:19191 SERVING`),
    );
    expect(await millrace('topic', 'create', 'inside', '-p', '3', '-r', '3')).toBe('Created topic inside.');
    await docker('exec', inside, 'sh', '-c', 'seq 1000 | millrace produce inside -q');
    const lines = await millrace('consume', 'inside', '--from-beginning', '--exit-at-end');
    expect(
      lines
        .split('\n')
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 1000 }, (_, index) => index + 1));
    const dumpLogs = 'millrace debug dump-log -o name /var/lib/millrace/inside-*/*.log';
    expect((await docker('exec', inside, 'sh', '-c', dumpLogs)).split('\n')).toContain('0');
    expect(await millrace('topic', 'delete', 'inside', '--yes')).toBe('Deleted topic inside.');
  },
  5 * MINUTE_MS,
);

test(
  'what is acknowledged through a killed container and a cut network is there once',
  async () => {
    for (const node of [1, 2, 3]) await untilHealthy(node);
    say('three containers are healthy');
    await using millrace = new Millrace({ bootstrap: ports.map((port) => `localhost:${port}`) });
    const admin = millrace.admin();
    await admin.createTopic({
      name: 'orders',
      partitions: 6,
      replicationFactor: 3,
      configs: { 'min.insync.replicas': '2' },
    });

    const acknowledged = new Map<string, string>();
    const failures: unknown[] = [];
    let running = true;
    const producing = (async () => {
      await using producer = millrace.producer();
      const sends: Promise<void>[] = [];
      for (let number = 0; running; number++) {
        const value = `order-${number}`;
        sends.push(
          producer.send({ topic: 'orders', key: `customer-${number % 97}`, value }).then(
            ({ partition, offset }) => void acknowledged.set(value, `${partition}@${offset}`),
            (error: unknown) => void failures.push(error),
          ),
        );
        if (number % 50 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      await Promise.all(sends);
    })();
    const untilMoreAcknowledged = async (more: number): Promise<void> => {
      const target = acknowledged.size + more;
      await expect
        .poll(() => acknowledged.size, { timeout: 2 * MINUTE_MS, interval: 100 })
        .toBeGreaterThan(target);
    };

    await untilMoreAcknowledged(5_000);
    const [topic] = await admin.describeTopics(['orders']);
    const killed = topic!.partitions[0]!.leader;
    say(`kill of container ${killed} after ${acknowledged.size} acknowledged records`);
    await docker('kill', '-s', 'KILL', await containerOf(killed));
    await untilMoreAcknowledged(5_000);
    await docker('start', await containerOf(killed));
    await untilHealthy(killed);
    await untilMoreAcknowledged(5_000);

    const cut = (killed % 3) + 1;
    say(`container ${cut} is cut off its network`);
    const container = await containerOf(cut);
    await docker('network', 'disconnect', NETWORK, container);
    await untilMoreAcknowledged(5_000);
    await docker('network', 'connect', '--alias', `millrace-${cut}`, NETWORK, container);
    say(`container ${cut} is back`);
    await untilHealthy(cut);
    await untilMoreAcknowledged(5_000);
    running = false;
    await producing;

    await expect
      .poll(
        async () =>
          (await admin.describeTopics(['orders']))[0]!.partitions.every(({ isr }) => isr.length === 3),
        {
          timeout: 2 * MINUTE_MS,
          interval: 500,
        },
      )
      .toBe(true);
    const found = await readAll(millrace, acknowledged.size);
    const lost = [...acknowledged].filter(([value, place]) => !found.get(value)?.includes(place));
    const duplicated = [...found.values()].filter((places) => places.length > 1);
    say(
      `${acknowledged.size} acknowledged, ${found.size} found, ${lost.length} lost, ${duplicated.length} twice, ${failures.length} refused`,
    );
    expect({ lost: lost.length, duplicated: duplicated.length, failures }).toEqual({
      lost: 0,
      duplicated: 0,
      failures: [],
    });

    await compose('stop');
    for (const node of [1, 2, 3]) {
      const container = await docker('ps', '-aq', '--filter', `name=${PROJECT}.*millrace-${node}`);
      expect(await docker('inspect', '-f', '{{.State.ExitCode}}', container)).toBe('0');
    }
  },
  8 * MINUTE_MS,
);

/** Every value with the places where it stands. */
async function readAll(millrace: Millrace, atLeast: number): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>();
  await using consumer = millrace.consumer({ autoOffsetReset: 'earliest' });
  await consumer.assignTopics(['orders']);
  const ends = await consumer.endOffsets(consumer.assignment());
  const total = ends.reduce((sum, { offset }) => sum + Number(offset), 0);
  expect(total).toBeGreaterThanOrEqual(atLeast);
  let seen = 0;
  for await (const batch of consumer) {
    for (const record of batch) {
      const value = String(record.value);
      found.set(value, [...(found.get(value) ?? []), `${record.partition}@${record.offset}`]);
      seen++;
    }
    if (seen >= total) break;
  }
  return found;
}
