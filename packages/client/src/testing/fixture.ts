/** A client and a fake cluster on manual time. For this package's tests only. */
import { ManualClock, SeededRandom } from '@millrace/core';
import { Millrace, type MillraceOptions } from '../millrace.ts';
import { FakeCluster, type FakeClusterOptions } from './fake-cluster.ts';

const STEPS_MAX = 200_000;

export interface Fixture {
  readonly clock: ManualClock;
  readonly cluster: FakeCluster;
  readonly millrace: Millrace;
  /** Lets time pass, millisecond by millisecond, with everything that hangs on promises in between. */
  pass(ms: number): Promise<void>;
  /** Lets time pass until the promise is settled. */
  run<T>(promise: PromiseLike<T>): Promise<T>;
}

export function fixture(
  options: Partial<MillraceOptions> & {
    readonly fake?: Omit<FakeClusterOptions, 'clock'>;
    readonly seed?: number;
  } = {},
): Fixture {
  const { fake, seed = 1, ...rest } = options;
  const clock = new ManualClock();
  const cluster = new FakeCluster({ clock, ...fake });
  const random = new SeededRandom(seed);
  const millrace = new Millrace({ bootstrap: cluster.bootstrap, clock, random, transport: cluster, ...rest });
  const step = async (): Promise<void> => {
    clock.advance(1);
    await settle();
  };
  return {
    clock,
    cluster,
    millrace,
    async pass(ms) {
      await settle();
      for (let i = 0; i < ms; i++) await step();
    },
    async run(promise) {
      let isSettled = false;
      const done = (): void => {
        isSettled = true;
      };
      promise.then(done, done);
      await settle();
      for (let i = 0; i < STEPS_MAX && !isSettled; i++) await step();
      return await promise;
    },
  };
}

/** Runs what waits on promises. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 8; i++) await new Promise<void>((resolve) => setImmediate(resolve));
}
