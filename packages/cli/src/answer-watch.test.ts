/** A cluster that says nothing: whoever waits is told for what, once. */
import { ManualClock } from '@millrace/core';
import { expect, test } from 'vitest';
import { FakeAdmin } from './testing/fake-admin.ts';
import { FakeCluster } from './testing/fake-cluster.ts';
import { runCli } from './testing/run-cli.ts';

class SlowAdmin extends FakeAdmin {
  readonly #clock: ManualClock;
  readonly #answersAfterMs: number;

  constructor(cluster: FakeCluster, clock: ManualClock, answersAfterMs: number) {
    super(cluster);
    this.#clock = clock;
    this.#answersAfterMs = answersAfterMs;
  }

  override async listTopics(): Promise<string[]> {
    await new Promise<void>((resolve) => void this.#clock.schedule(this.#answersAfterMs, resolve));
    return ['orders'];
  }
}

async function list(answersAfterMs: number, ...flags: string[]) {
  const clock = new ManualClock();
  const cluster = new FakeCluster();
  const connect = () => ({
    ...cluster.connect({ bootstrap: [] }),
    admin: () => new SlowAdmin(cluster, clock, answersAfterMs),
  });
  let isOver = false;
  const running = runCli(['topic', 'list', '-o', 'name', '--timeout', '20s', ...flags], { clock, connect });
  const ended = running.finally(() => {
    isOver = true;
  });
  for (let step = 0; !isOver; step++) {
    // Left alone, the loop would outlive the test.
    if (step > 100_000) throw new Error('the command does not end');
    clock.advance(100);
    await new Promise<void>((resolve) => setImmediate(resolve));
  }
  return await ended;
}

test('a cluster that has not answered for 2 s is named, once, with the limit', async () => {
  const { stderr } = await list(9_000);
  expect(stderr).toBe('Waiting for an answer from localhost:9191, up to 20 s (--timeout).\n');
});

test('nothing is said of a quick answer, or with -q', async () => {
  expect((await list(1_500)).stderr).toBe('');
  expect((await list(9_000, '-q')).stderr).toBe('');
});
