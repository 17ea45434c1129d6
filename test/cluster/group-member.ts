/** A test's hold on the process of a group's member, and what that process has told. */
import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { repositoryRoot } from './cluster-processes.ts';

const PROGRAM = join(repositoryRoot(), 'test', 'dist', 'cluster', 'group-member-process.js');

export interface MemberJob {
  readonly bootstrap: string;
  readonly groupId: string;
  readonly topic: string;
  /** Its client id. */
  readonly name: string;
  /** Commits by hand and ends after this record; without it the member runs on and commits by itself. */
  readonly stopAfter?: { readonly offset: number; readonly ending: 'close' | 'crash' };
}

/** Times are milliseconds of the machine's clock, which all processes share. */
export interface HandledEvent {
  readonly kind: 'handled';
  readonly atMs: number;
  readonly partition: number;
  readonly offset: number;
  /** When the producer sent it. */
  readonly availableMs: number;
}

export interface MoveEvent {
  readonly kind: 'assigned' | 'revoked' | 'lost';
  readonly atMs: number;
  readonly partitions: readonly number[];
}

export type MemberEvent = HandledEvent | MoveEvent;

export class GroupMember {
  readonly name: string;
  readonly handled: HandledEvent[] = [];
  readonly moves: MoveEvent[] = [];
  /** What it was told to hold, as far as it has said. */
  readonly holds = new Set<number>();
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;

  private constructor(job: MemberJob) {
    this.name = job.name;
    this.#child = spawn(process.execPath, [PROGRAM, JSON.stringify(job)], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    createInterface({ input: this.#child.stdout! }).on('line', (line) =>
      this.#take(JSON.parse(line) as MemberEvent),
    );
    this.#ended = new Promise((resolve) => this.#child.once('close', resolve));
  }

  static start(job: MemberJob): GroupMember {
    return new GroupMember(job);
  }

  kill(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#child.kill(signal);
  }

  /** Everything it had told before is known then. Gives the signal that ended it, or its exit code. */
  async end(signal?: 'SIGKILL' | 'SIGTERM'): Promise<number | string | null> {
    if (signal !== undefined) this.#child.kill(signal);
    await this.#ended;
    return this.#child.signalCode ?? this.#child.exitCode;
  }

  #take(event: MemberEvent): void {
    if (event.kind === 'handled') {
      this.handled.push(event);
      return;
    }
    this.moves.push(event);
    for (const partition of event.partitions) {
      if (event.kind === 'assigned') this.holds.add(partition);
      else this.holds.delete(partition);
    }
  }
}
