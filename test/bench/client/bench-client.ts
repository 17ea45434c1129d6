/** The parent's hold on a client process. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { Deferred } from '@millrace/core';
import { type UsageReport, UsageWatch } from '../process-usage.ts';
import type { AckGap, FromClient, Job, JobResults, ToClient } from './job.ts';

export interface JobOutcome<Kind extends Job['kind']> {
  readonly result: JobResults[Kind];
  readonly usage: UsageReport;
}

export class BenchClient<Kind extends Job['kind']> {
  readonly #child: ChildProcess;
  readonly #servers: ReadonlyMap<string, number>;
  readonly #begun = new Deferred<void>();
  readonly #outcome = new Deferred<JobOutcome<Kind>>();
  #watch: UsageWatch | undefined;
  #usage: UsageReport | undefined;
  #gapAsked: Deferred<AckGap> | undefined;

  private constructor(child: ChildProcess, servers: ReadonlyMap<string, number>) {
    this.#child = child;
    this.#servers = servers;
    child.on('message', (message: FromClient) => this.#onMessage(message));
    child.once('exit', (code, signal) => this.#fail(new Error(`the client ended with ${code ?? signal}`)));
    this.#outcome.promise.catch(() => undefined);
    this.#begun.promise.catch(() => undefined);
  }

  /** Starts a process on the job. @param servers whose CPU is counted along with the client's, by role. */
  static start<J extends Job>(job: J, servers: ReadonlyMap<string, number>): BenchClient<J['kind']> {
    const child = fork(fileURLToPath(new URL('./client-process.js', import.meta.url)), {
      execArgv: clientArguments(),
    });
    const client = new BenchClient<J['kind']>(child, servers);
    client.#send({ kind: 'job', job });
    return client;
  }

  /** The warm-up is over. */
  get begun(): Promise<void> {
    return this.#begun.promise;
  }

  /** Result and cost; the process is gone afterwards. */
  async done(): Promise<JobOutcome<Kind>> {
    try {
      return await this.#outcome.promise;
    } finally {
      await this.#end();
    }
  }

  stop(): void {
    this.#send({ kind: 'stop' });
  }

  async ackGap(sinceMs: number): Promise<AckGap> {
    this.#gapAsked = new Deferred<AckGap>();
    this.#send({ kind: 'ackGap', sinceMs });
    return await Promise.race([this.#gapAsked.promise, this.#outcome.promise as Promise<never>]);
  }

  #send(message: ToClient): void {
    this.#child.send(message);
  }

  #onMessage(message: FromClient): void {
    if (message.kind === 'begin') {
      this.#watch = new UsageWatch(new Map([['client', this.#child.pid!], ...this.#servers]));
      this.#begun.resolve();
    } else if (message.kind === 'measured') {
      this.#usage = this.#watch!.end();
    } else if (message.kind === 'ackGap') {
      this.#gapAsked?.resolve(message.gap);
    } else if (message.kind === 'failed') {
      this.#fail(new Error(`the client failed: ${message.message}`));
    } else {
      this.#outcome.resolve({ result: message.result as JobResults[Kind], usage: this.#usage! });
    }
  }

  #fail(error: Error): void {
    this.#begun.reject(error);
    this.#outcome.reject(error);
  }

  async #end(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exit = once(this.#child, 'exit');
    this.#child.disconnect();
    await exit;
  }
}

/** For profiling: `BENCH_CLIENT_ARGS='--cpu-prof'`. */
function clientArguments(): string[] {
  return process.env.BENCH_CLIENT_ARGS?.split(' ') ?? [];
}

/** Runs a job to its end. */
export async function runJob<J extends Job>(
  job: J,
  servers: ReadonlyMap<string, number> = new Map(),
): Promise<JobOutcome<J['kind']>> {
  return await BenchClient.start(job, servers).done();
}
