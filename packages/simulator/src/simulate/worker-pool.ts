/** Processes that run seeds, as many as there are cores. A process that ends by itself or never answers is a failure of its seed. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { MiB } from '@millrace/core';
import type { SeedOrder, SeedResult } from './seed-worker.ts';

const WORKER = fileURLToPath(new URL('./seed-worker.js', import.meta.url));
/** Real time that one seed may take. */
const SEED_LIMIT_MS = 300_000;
/** A process that has grown beyond this is replaced: what hundreds of whole clusters leave behind slows every collection. */
const RESIDENT_MAX_BYTES = 768 * MiB;

export class WorkerPool implements Disposable {
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();

  /** In a process of its own, made if none is idle: the caller bounds how many runs go on at once. */
  async run(order: SeedOrder): Promise<SeedResult> {
    const worker = this.#idle.pop() ?? this.#start();
    const result = await answerOf(worker, order);
    const isRoomy = (result.residentBytes ?? 0) < RESIDENT_MAX_BYTES;
    if (worker.connected && isRoomy) this.#idle.push(worker);
    else this.#drop(worker);
    return result;
  }

  [Symbol.dispose](): void {
    for (const worker of this.#all) worker.kill();
    this.#all.clear();
    this.#idle.length = 0;
  }

  #drop(worker: ChildProcess): void {
    this.#all.delete(worker);
    // It ends by itself when nobody can tell it anything.
    if (worker.connected) worker.disconnect();
  }

  #start(): ChildProcess {
    // A world makes much that is short-lived: a roomy young generation saves half of the collections.
    const worker = fork(WORKER, { execArgv: [...process.execArgv, '--max-semi-space-size=64'] });
    this.#all.add(worker);
    return worker;
  }
}

function answerOf(worker: ChildProcess, order: SeedOrder): Promise<SeedResult> {
  return new Promise((resolve) => {
    const broken = (violation: string): void => {
      done({
        seed: order.seed,
        cpuMs: 0,
        failure: { violation, report: `seed ${order.seed}: ${violation}` },
      });
    };
    const ended = (code: number | null): void => broken(`the process of the simulation ended with ${code}`);
    const limit = setTimeout(() => {
      worker.kill('SIGKILL');
      worker.disconnect();
      broken(`no result after ${SEED_LIMIT_MS / 1_000} s`);
    }, SEED_LIMIT_MS);
    const done = (result: SeedResult): void => {
      clearTimeout(limit);
      worker.off('message', done);
      worker.off('exit', ended);
      resolve(result);
    };
    worker.on('message', done);
    worker.on('exit', ended);
    worker.send(order);
  });
}
