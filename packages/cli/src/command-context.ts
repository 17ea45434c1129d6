/**
 * What a running command holds: the resolved flags, the way to print, the connection. One is made for each command
 * and closed after it. Commands print through it only, so that `-o` and `-q` hold everywhere.
 */
import type { AdminOptions } from '@millrace/client';
import { type Closable, closeAll } from '@millrace/core';
import { AnswerWatch } from './answer-watch.ts';
import { CliError, InterruptedError, usageError } from './cli-error.ts';
import { clientOptions } from './client-properties.ts';
import type { AdminClient, ClusterClient } from './cluster-client.ts';
import { confirmed } from './confirm.ts';
import { connectTo } from './connect-to.ts';
import type { CliEnvironment } from './environment.ts';
import { EXIT } from './exit-code.ts';
import type { EffectiveValue, GlobalOptions } from './global-options.ts';
import { OutputStream } from './output-stream.ts';
import { toJson, toYaml } from './plain-value.ts';
import { printable, printableLines, readableSentence } from './printable.ts';

/** One answer in all its forms. */
export interface Answer {
  /** For json and yaml: an object whose shape stays. bigint becomes a string. */
  readonly value: object;
  /** For table and wide; ends with a newline unless empty. */
  text(wide: boolean): string;
  /** For name: what other commands take as an argument. */
  names(): readonly string[];
}

export class CommandContext {
  readonly environment: CliEnvironment;
  readonly options: GlobalOptions;
  readonly effective: readonly EffectiveValue[];
  readonly stdout: OutputStream;
  readonly #closing: Closable[] = [];
  readonly #watch: AnswerWatch;
  #client: ClusterClient | undefined;

  constructor(
    environment: CliEnvironment,
    resolved: { options: GlobalOptions; effective: readonly EffectiveValue[] },
  ) {
    this.environment = environment;
    this.options = resolved.options;
    this.effective = resolved.effective;
    this.stdout = new OutputStream(environment.stdout);
    const { bootstrapServer, timeoutMs } = this.options;
    this.#watch = new AnswerWatch(environment.clock, () => {
      const limit = timeoutMs >= 1_000 ? `${Math.round(timeoutMs / 1_000)} s` : `${timeoutMs} ms`;
      this.note(`Waiting for an answer from ${bootstrapServer}, up to ${limit} (--timeout).`);
    });
  }

  /** Aborted when the user interrupts. */
  get interrupted(): AbortSignal {
    return this.environment.interrupted;
  }

  /** The client of this command, connected with its flags; closed when the command ends. */
  client(): ClusterClient {
    if (this.#client === undefined) {
      const client = connectTo(this.environment, clientOptions(this.options));
      this.#client = client;
      this.onClose(() => client.close());
    }
    return this.#client;
  }

  admin(): AdminClient {
    return this.#watch.over(this.client().admin());
  }

  /** For every admin call: the limit of `--timeout`, and an end when the user interrupts. */
  callOptions(): AdminOptions & { readonly timeoutMs: number } {
    return { timeoutMs: this.options.timeoutMs, signal: this.interrupted };
  }

  /** Runs when the command ends, however it ends; newest first. */
  onClose(close: () => Promise<void>): void {
    this.#closing.push({ close });
  }

  async show(answer: Answer): Promise<void> {
    await this.stdout.write(render(answer, this.options.output));
  }

  /** A sentence for people, on standard error; silent with `-q`. */
  note(sentence: string): void {
    if (!this.options.quiet) this.#say(sentence);
  }

  /** More than most want to know: only with `-v`. */
  detail(sentence: string): void {
    if (this.options.verbose) this.#say(sentence);
  }

  /** With `-o json` everything that is not a terminal's progress is JSON, so that standard error can be parsed too. */
  #say(sentence: string): void {
    const line = this.options.output === 'json' ? toJson({ note: sentence }) : shownNote(sentence);
    this.environment.stderr.write(`${line}\n`);
  }

  /** Asks before something that cannot be undone. @throws {CliError} USAGE unless agreed to. */
  async confirm(question: string, yes: boolean): Promise<void> {
    if (yes) return;
    const { isTerminal } = this.environment;
    if (!isTerminal.stdin || !isTerminal.stderr) {
      throw usageError(`${question} Not without --yes, because standard input is not a terminal.`);
    }
    if (await confirmed(this.environment, question)) return;
    this.throwIfInterrupted();
    throw new CliError('NOT_CONFIRMED', EXIT.failed, 'not confirmed: nothing was changed');
  }

  throwIfInterrupted(): void {
    if (this.interrupted.aborted) throw new InterruptedError(this.interrupted);
  }

  async close(): Promise<void> {
    this.#watch.close();
    try {
      await closeAll(this.#closing.splice(0).reverse());
      await this.stdout.flush();
    } finally {
      this.stdout.release();
    }
  }
}

function shownNote(note: string): string {
  return note.includes('\n') ? printableLines(note) : readableSentence(note);
}

function render(answer: Answer, output: GlobalOptions['output']): string {
  switch (output) {
    case 'json':
      return `${toJson(answer.value, 2)}\n`;
    case 'yaml':
      return toYaml(answer.value);
    case 'name':
      return answer
        .names()
        .map((name) => `${printable(name)}\n`)
        .join('');
    default:
      return printableLines(answer.text(output === 'wide'));
  }
}
