/**
 * One direction between two parties: passes bytes on, late, or holds them. Bytes keep their order and none are lost,
 * as on a TCP connection whose packets do not get through. Ends are held back like bytes.
 */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { Deferred } from '@millrace/core';

const QUEUED_MAX_BYTES = 1_048_576;

export class Link {
  #isCut = false;
  #delayMs = 0;
  #healed = new Deferred<void>();

  cut(): void {
    if (this.#isCut) return;
    this.#isCut = true;
    this.#healed = new Deferred();
  }

  delay(delayMs: number): void {
    this.#delayMs = delayMs;
  }

  heal(): void {
    this.#isCut = false;
    this.#delayMs = 0;
    this.#healed.resolve();
  }

  /** Resolves when what was sent at `sentAtMs` arrives. */
  async arrival(sentAtMs: number): Promise<void> {
    const aheadMs = sentAtMs + this.#delayMs - performance.now();
    if (aheadMs > 0) await new Promise((resolve) => setTimeout(resolve, aheadMs));
    while (this.#isCut) await this.#healed.promise;
  }
}

/** Copies what `from` says to `to`, over the link, until one of them is gone. */
export async function carry(from: Socket, to: Socket, link: Link): Promise<void> {
  const queue: { readonly chunk: Buffer | undefined; readonly sentAtMs: number }[] = [];
  let queuedBytes = 0;
  let wake = (): void => {};
  const push = (chunk: Buffer | undefined): void => {
    queue.push({ chunk, sentAtMs: performance.now() });
    queuedBytes += chunk?.length ?? 0;
    if (queuedBytes > QUEUED_MAX_BYTES) from.pause();
    wake();
  };
  from.on('data', push);
  from.once('close', () => push(undefined));
  to.once('close', () => push(undefined));
  for (;;) {
    const next = queue.shift();
    if (next === undefined) {
      await new Promise<void>((resolve) => {
        wake = resolve;
      });
      continue;
    }
    await link.arrival(next.sentAtMs);
    if (next.chunk === undefined || to.destroyed) break;
    queuedBytes -= next.chunk.length;
    if (from.isPaused() && queuedBytes < QUEUED_MAX_BYTES) from.resume();
    if (!to.write(next.chunk)) await Promise.race([once(to, 'drain'), once(to, 'close')]).catch(() => {});
  }
  to.destroy();
  from.destroy();
}
