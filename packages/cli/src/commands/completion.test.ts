/** What a shell is offered, and that nothing it is offered costs more than a short wait. */
import { execFileSync } from 'node:child_process';
import { ManualClock, MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import { FakeCluster } from '../testing/fake-cluster.ts';
import { runCli } from '../testing/run-cli.ts';

function clusterWithTopics(): FakeCluster {
  const cluster = new FakeCluster();
  cluster.addTopic('orders');
  cluster.addTopic('payments');
  return cluster;
}

async function complete(...words: string[]): Promise<string[]> {
  const { stdout } = await runCli(['__complete', '--', ...words], { cluster: clusterWithTopics() });
  return stdout.split('\n').filter((line) => line !== '');
}

test.each<[string[], string[]]>([
  [['top'], ['topic']],
  [
    ['topic', 'de'],
    ['delete', 'describe'],
  ],
  [
    ['topics', 'describe', ''],
    ['orders', 'payments'],
  ],
  [['topic', 'describe', 'pay'], ['payments']],
  [['topic', 'delete', 'orders', 'p'], ['payments']],
  [['topic', 'config', 'get', 'o'], ['orders']],
  [['-o', 'json', 'consume', 'o'], ['orders']],
  [
    ['broker', 'describe', ''],
    ['1', '2', '3'],
  ],
  [['produce', 'orders', '--ac'], ['--acks']],
  [
    ['produce', 'orders', '-z', ''],
    ['none', 'gzip', 'snappy', 'lz4', 'zstd'],
  ],
  [['topic', 'list', '-o', 'j'], ['json']],
  [
    ['completion', ''],
    ['bash', 'zsh', 'fish'],
  ],
  [['topic', 'list', '--boot'], ['--bootstrap-server']],
  [['version', ''], []],
  [['nonsense', ''], []],
])('%j is completed with %j', async (words, expected) => {
  expect(await complete(...words)).toEqual(expected);
});

test('hidden commands are not offered', async () => {
  expect((await complete('')).every((name) => !name.startsWith('__'))).toBe(true);
});

test('a cluster that fails or hangs offers nothing and complains to nobody', async () => {
  const cluster = clusterWithTopics();
  cluster.failure = new MillraceError('CONNECTION_FAILED');
  expect(await runCli(['__complete', '--', 'consume', ''], { cluster })).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });

  const clock = new ManualClock();
  const hanging = new FakeCluster();
  const running = runCli(['__complete', '--', 'consume', ''], {
    clock,
    connect: (options) => {
      const client = hanging.connect(options);
      const admin = client.admin();
      admin.listTopics = () => new Promise(() => {});
      return { ...client, admin: () => admin };
    },
  });
  let done = false;
  void running.then(() => {
    done = true;
  });
  while (!done) {
    clock.advance(500);
    await new Promise((resolve) => {
      setImmediate(resolve);
    });
  }
  expect(await running).toEqual({ code: 0, stdout: '', stderr: '' });
});

test('the bash script is bash and asks __complete', async () => {
  const { stdout } = await runCli(['completion', 'bash']);
  const script = `${stdout}
millrace() { printf '%s\\n' "got:$*"; }
COMP_WORDS=(millrace topic de); COMP_CWORD=2; _millrace; printf '%s\\n' "\${COMPREPLY[@]}"`;
  expect(execFileSync('bash', ['-c', script], { encoding: 'utf8' })).toBe('got:__complete -- topic de\n');
});

test('only shells with a script are accepted', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect((await runCli(['completion', shell])).stdout).toContain('__complete');
  }
  expect((await runCli(['completion', 'cmd'])).code).toBe(2);
});
