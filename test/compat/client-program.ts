/** A client in a process of its own, which does what it is told and answers. Judges nothing. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

const ANSWER_LIMIT_MS = 100_000;
const STDERR_KEPT = 6000;

export interface CompatRecord {
  readonly key: string | null;
  readonly value: string | null;
  readonly headers: readonly (readonly [string, string])[];
  readonly timestamp: number;
}

export interface ReadRecord extends CompatRecord {
  readonly offset: number;
}

export interface MemberState {
  readonly assignment: readonly number[];
  /** Partition, offset, value. */
  readonly records: readonly (readonly [number, number, string])[];
}

interface DescribedPartition {
  readonly partition: number;
  readonly leader: number;
  readonly replicas: number;
}

/** What a program may be told: its options and its answer. */
export interface Commands {
  create: [{ topic: string; partitions: number; replicas: number }, unknown];
  topics: [object, string[]];
  describe: [{ topic: string }, DescribedPartition[]];
  produce: [{ topic: string; partition: number; codec: string; records: readonly CompatRecord[] }, number[]];
  read: [{ topic: string; partition: number; offset: number; count: number }, ReadRecord[]];
  offsetFor: [{ topic: string; partition: number; timestamp: number }, number | null];
  join: [{ member: string; group: string; topic: string; protocol?: 'classic' | 'consumer' }, unknown];
  member: [{ member: string }, MemberState];
  leave: [{ member: string }, MemberState];
  committed: [{ group: string; topic: string }, Record<string, number>];
  groups: [object, string[]];
  flow: [{ topic: string }, unknown];
  flowState: [{ topic: string }, { acknowledged: number; failures: string[] }];
  endFlow: [{ topic: string }, { acknowledged: string[]; failures: string[] }];
  increase: [{ topic: string; partitions: number }, unknown];
  alterConfig: [{ topic: string; name: string; value: string }, unknown];
  config: [{ topic: string; name: string }, string];
  deleteRecords: [{ topic: string; partition: number; offset: number }, unknown];
  delete: [{ topic: string }, unknown];
  deleteGroup: [{ group: string }, unknown];
  /** Answered with the reason why the client cannot. */
  transact: [{ transactionalId: string }, string];
}

interface Hello {
  readonly version: string;
  readonly codecs: readonly string[];
  readonly can: readonly (keyof Commands)[];
}

export class ClientProgram implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #lines: AsyncIterator<string>;
  #stderr = '';
  #hello: Hello | undefined;
  /** Commands are answered in order. */
  #last: Promise<unknown> = Promise.resolve();

  private constructor(command: string, args: readonly string[]) {
    this.#child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.on('error', (error) => {
      this.#stderr += String(error);
    });
    this.#child.stdin!.on('error', () => {});
    this.#child.stderr!.on('data', (chunk: Buffer) => {
      this.#stderr = (this.#stderr + chunk.toString()).slice(-STDERR_KEPT);
    });
    this.#lines = createInterface({ input: this.#child.stdout! })[Symbol.asyncIterator]();
  }

  /** Resolves once the client says its version. */
  static async start(command: string, args: readonly string[]): Promise<ClientProgram> {
    const program = new ClientProgram(command, args);
    try {
      program.#hello = (await program.#answer('its start')) as Hello;
    } catch (error) {
      await program.close();
      throw error;
    }
    return program;
  }

  get version(): string {
    return this.#hello!.version;
  }

  get codecs(): readonly string[] {
    return this.#hello!.codecs;
  }

  can(name: keyof Commands): boolean {
    return this.#hello!.can.includes(name);
  }

  async do<Name extends keyof Commands>(name: Name, options: Commands[Name][0]): Promise<Commands[Name][1]> {
    const before = this.#last;
    const answered = (async () => {
      await before.catch(() => undefined);
      this.#child.stdin!.write(`${JSON.stringify({ do: name, ...options })}\n`);
      const { result, error } = (await this.#answer(name)) as { result: unknown; error?: string };
      if (error !== undefined) throw new Error(`${name} failed:\n${error}\n${this.#stderr}`);
      return result as Commands[Name][1];
    })();
    this.#last = answered;
    return await answered;
  }

  async #answer(what: string): Promise<unknown> {
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no answer to ${what}:\n${this.#stderr}`)), ANSWER_LIMIT_MS);
    });
    try {
      const line = await Promise.race([this.#lines.next(), limit]);
      if (line.done === true) throw new Error(`the program ended during ${what}:\n${this.#stderr}`);
      return JSON.parse(line.value);
    } finally {
      clearTimeout(timer);
    }
  }

  async close(): Promise<void> {
    const child = this.#child;
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
