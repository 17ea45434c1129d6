/**
 * Judges damaged metadata stores in a process of its own, because LevelDB may end it: by an assertion, which serves nothing
 * wrong and counts as a refusal of its own kind. Any other death is a violation. A process that ended is replaced.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { JudgeOrder, Verdict } from './raft-store-judge.ts';

const WORKER = fileURLToPath(new URL('./raft-store-judge-worker.js', import.meta.url));
/** Real time that one store may take. */
const ORDER_LIMIT_MS = 60_000;
/** Of what a process wrote to stderr, the end of which says why it died. */
const KEPT_CHARS = 4_096;
/** As glibc, musl and macOS write them. */
const LEVELDB_ASSERTION = /^.*\bleveldb\b.*\bassertion\b.*$|^.*\bassertion\b.*\bleveldb\b.*$/im;
/** Of Node.js and of native code, before their stack traces. */
const DYING_WORDS = /^.*\b(?:\w*error|fatal|assertion)\b.*$/im;

interface Worker {
  readonly process: ChildProcess;
  stderr: string;
}

export class JudgeProcess implements Disposable {
  readonly #script: string;
  #worker: Worker | undefined;

  /** @param script what the process runs: answers each `JudgeOrder` with a `Verdict`. */
  constructor(script = WORKER) {
    this.#script = script;
  }

  /** One at a time. */
  async judge(order: JudgeOrder): Promise<Verdict> {
    this.#worker ??= this.#start();
    const verdict = await verdictOf(this.#worker, order);
    // After a violation its store may still be open.
    if (verdict.outcome === 'violation' || verdict.outcome === 'ended')
      await this.#drop(this.#worker.process);
    return verdict;
  }

  [Symbol.dispose](): void {
    this.#worker?.process.kill('SIGKILL');
  }

  async #drop(process: ChildProcess): Promise<void> {
    this.#worker = undefined;
    if (process.exitCode !== null || process.signalCode !== null) return;
    process.kill('SIGKILL');
    await once(process, 'exit');
  }

  #start(): Worker {
    const worker: Worker = {
      // What was there before the damage has buffers in it.
      process: fork(this.#script, { serialization: 'advanced', stdio: ['ignore', 'inherit', 'pipe', 'ipc'] }),
      stderr: '',
    };
    worker.process.stderr?.setEncoding('utf8').on('data', (text: string) => {
      worker.stderr = (worker.stderr + text).slice(-KEPT_CHARS);
    });
    return worker;
  }
}

function verdictOf(worker: Worker, order: JudgeOrder): Promise<Verdict> {
  return new Promise((resolve) => {
    let isLate = false;
    const limit = setTimeout(() => {
      isLate = true;
      worker.process.kill('SIGKILL');
    }, ORDER_LIMIT_MS);
    const done = (verdict: Verdict): void => {
      clearTimeout(limit);
      worker.process.off('message', done);
      worker.process.off('close', ended);
      resolve(verdict);
    };
    // Comes after all that it said, on stderr and to us.
    const ended = (code: number | null, signal: NodeJS.Signals | null): void => {
      if (isLate) done({ outcome: 'violation', reason: `no verdict after ${ORDER_LIMIT_MS / 1_000} s` });
      else done(verdictOfDeath(signal ?? code, worker.stderr));
    };
    worker.process.on('message', done);
    worker.process.on('close', ended);
    worker.process.send(order, (error) => {
      // Of a process that has ended since the last order: `close` was told to nobody.
      if (error !== null && !worker.process.connected)
        ended(worker.process.exitCode, worker.process.signalCode);
    });
  });
}

function verdictOfDeath(how: NodeJS.Signals | number | null, stderr: string): Verdict {
  const assertion = how === 'SIGABRT' ? LEVELDB_ASSERTION.exec(stderr)?.[0].trim() : undefined;
  if (assertion !== undefined) return { outcome: 'ended', reason: assertion };
  const said = DYING_WORDS.exec(stderr)?.[0].trim();
  return {
    outcome: 'violation',
    reason: `the process that judges it ended with ${how}${said === undefined ? '' : `: ${said}`}`,
  };
}
