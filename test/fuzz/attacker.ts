/**
 * Sends mutants, one or several at a time, whole, in pieces or by halves, and holds the node to what it may do with
 * each. A frame counts once the node has dealt with it: what lies behind one that ended the connection does not.
 */
import { connect, type Socket } from 'node:net';
import { below, type SeededRandom } from '@millrace/core';
import type { Mutant } from './mutations.ts';
import type { FuzzTally } from './tally.ts';
import { type Expected, expectedOf, faultOfAnswer } from './verdict.ts';

const SIZE_BYTES = 4;
/** A request that may wait for others is left after this. */
const PATIENCE_MS = 100;
/** Nothing else may take this long on any machine. */
const ANSWER_LIMIT_MS = 60_000;
const LOOK_EVERY_MS = 25;
const PIPELINE_MAX = 12;

/** Another mutant, and the random numbers of how it is sent. */
export type NextMutant = () => { readonly mutant: Mutant; readonly random: SeededRandom };

interface Sent {
  readonly mutant: Mutant;
  readonly expected: Expected;
}

export class Attacker {
  readonly #port: number;
  readonly #tally: FuzzTally;
  readonly #nextMutant: NextMutant;
  #socket: Socket | undefined;
  #isClosed = false;
  #received: Buffer = Buffer.alloc(0);
  #pending: Sent[] = [];
  #changed: (() => void) | undefined;
  #fault: string | undefined;
  /** A request without an answer may still fail, and end the connection: until anything behind it is answered. */
  #hasSilentBehind = false;

  constructor(port: number, tally: FuzzTally, nextMutant: NextMutant) {
    this.#port = port;
    this.#tally = tally;
    this.#nextMutant = nextMutant;
  }

  /** Goes on until `isEnough`. @throws {Error} with the frames of the connection, for what a node may not do. */
  async run(isEnough: () => boolean): Promise<void> {
    while (!isEnough()) {
      await this.#connected();
      const { mutant, random } = this.#nextMutant();
      if (mutant.isUnframed) await this.#sendUnframed(mutant, random);
      else await this.#sendFramed(mutant, random);
    }
    this.#leave();
  }

  async #connected(): Promise<void> {
    if (this.#socket !== undefined && !this.#isClosed) return;
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#isClosed = false;
    this.#received = Buffer.alloc(0);
    this.#pending = [];
    this.#hasSilentBehind = false;
    this.#socket = socket;
    await new Promise<void>((resolve, reject) => socket.once('connect', resolve).once('error', reject));
    this.#tally.connections += 1;
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (this.#socket === socket) this.#receive(chunk);
    });
    socket.on('close', () => {
      if (this.#socket !== socket) return;
      this.#isClosed = true;
      this.#changed?.();
    });
  }

  #leave(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    // Nobody waits for the port afterwards.
    socket?.resetAndDestroy();
  }

  async #sendFramed(first: Mutant, random: SeededRandom): Promise<void> {
    const mutants = [first];
    if (below(random, 6) === 0) {
      for (let more = below(random, PIPELINE_MAX); more > 0; more--) {
        const { mutant } = this.#nextMutant();
        if (!mutant.isUnframed) mutants.push(mutant);
      }
    }
    this.#pending = mutants.map((mutant) => ({
      mutant,
      expected: expectedOf(mutant.bytes.subarray(SIZE_BYTES)),
    }));
    const bytes = mutants.length === 1 ? first.bytes : Buffer.concat(mutants.map((mutant) => mutant.bytes));
    if (below(random, 20) === 0) await this.#dribble(bytes, random);
    else this.#socket!.write(bytes);
    await this.#settled();
  }

  /** In pieces, each of them in a packet of its own. */
  async #dribble(bytes: Buffer, random: SeededRandom): Promise<void> {
    for (let at = 0; at < bytes.length && !this.#isClosed; ) {
      const end = Math.min(bytes.length, at + 1 + below(random, bytes.length));
      this.#socket!.write(bytes.subarray(at, end));
      at = end;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Every frame is dealt with, or waits and may, or the connection is gone. */
  async #settled(): Promise<void> {
    for (let waitedMs = 0; ; ) {
      this.#dropSilent();
      if (this.#fault !== undefined) throw this.#failure(this.#fault);
      const [first] = this.#pending;
      if (first === undefined) return;
      if (this.#isClosed) {
        this.#judgeClose();
        return;
      }
      if (await this.#change()) continue;
      waitedMs += LOOK_EVERY_MS;
      if (waitedMs >= PATIENCE_MS && this.#pending.some(({ expected }) => expected.mayWait)) {
        this.#tally.note(first.mutant, 'left waiting');
        this.#leave();
        return;
      }
      if (waitedMs > ANSWER_LIMIT_MS) throw this.#failure('no answer');
    }
  }

  /** @returns false if nothing came for a while. */
  #change(): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => done(false), LOOK_EVERY_MS);
      const done = (isChange: boolean): void => {
        clearTimeout(timer);
        this.#changed = undefined;
        resolve(isChange);
      };
      this.#changed = () => done(true);
    });
  }

  #dropSilent(): void {
    if (!this.#pending.every(({ expected }) => expected.isSilent)) return;
    for (const { mutant } of this.#pending.splice(0)) {
      this.#tally.note(mutant, 'silent');
      this.#hasSilentBehind = true;
    }
  }

  #receive(chunk: Buffer): void {
    this.#received = this.#received.length === 0 ? chunk : Buffer.concat([this.#received, chunk]);
    while (this.#received.length >= SIZE_BYTES) {
      const end = SIZE_BYTES + this.#received.readInt32BE(0);
      if (this.#received.length < end) break;
      this.#answered(this.#received.subarray(SIZE_BYTES, end));
      this.#received = this.#received.subarray(end);
    }
    this.#changed?.();
  }

  #answered(answer: Buffer): void {
    while (this.#pending[0]?.expected.isSilent === true) {
      this.#tally.note(this.#pending.shift()!.mutant, 'silent');
    }
    const [first] = this.#pending;
    if (first === undefined) {
      this.#fault ??= 'an answer to nothing';
      return;
    }
    const { expected, mutant } = first;
    if (expected.isUnanswerable) this.#fault ??= 'an answer to what cannot be read';
    else if (answer.readInt32BE(0) !== expected.correlationId) this.#fault ??= 'answers out of order';
    else {
      const fault = faultOfAnswer(expected, answer);
      if (fault !== undefined) this.#fault ??= `the answer is malformed: ${fault}: ${answer.toString('hex')}`;
    }
    if (this.#fault !== undefined) return;
    this.#hasSilentBehind = false;
    this.#pending.shift();
    this.#tally.note(mutant, 'answered');
  }

  /** Somebody in the line has to be the reason. What came before it may have lost its answer with the connection. */
  #judgeClose(): void {
    this.#tally.cutOff += 1;
    if (this.#hasSilentBehind) return;
    const reason = this.#pending.findIndex(({ expected }) => expected.isUnanswerable || expected.isSilent);
    if (reason < 0) throw this.#failure('the connection was closed on frames that can be read');
    for (const { mutant } of this.#pending.slice(0, reason))
      this.#tally.note(mutant, 'gone with the connection');
    this.#tally.note(this.#pending[reason]!.mutant, 'cut off');
  }

  /** What follows is not judged, only that it comes to an end. */
  async #sendUnframed(mutant: Mutant, random: SeededRandom): Promise<void> {
    const socket = this.#socket!;
    socket.removeAllListeners('data');
    socket.resume();
    const way = below(random, 100);
    if (way < 15) {
      socket.write(mutant.bytes);
      await new Promise((resolve) => setImmediate(resolve));
      this.#tally.note(mutant, 'left by its client');
      this.#leave();
      return;
    }
    socket.end(mutant.bytes);
    for (let waitedMs = 0; !this.#isClosed; ) {
      if (await this.#change()) continue;
      waitedMs += LOOK_EVERY_MS;
      if (waitedMs > ANSWER_LIMIT_MS) throw this.#failure('the connection does not end', [mutant]);
    }
    this.#tally.note(mutant, 'ended by its client');
  }

  #failure(what: string, mutants = this.#pending.map(({ mutant }) => mutant)): Error {
    const frames = mutants.map(
      ({ start, mutation, bytes }) => `${start.api} v${start.version}, ${mutation}: ${bytes.toString('hex')}`,
    );
    return new Error(`${what}\n${frames.join('\n')}`);
  }
}
