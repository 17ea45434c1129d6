/** Passes the committed metadata log on to one node: a snapshot in pieces if need be, entries as they come, who leads. */
import { MiB, MillraceError } from '@millrace/core';
import type {
  Controller,
  MetadataLogEntry,
  MetadataLogFollower,
  Unsubscribe,
} from '@millrace/metadata-quorum';
import type { MetadataUpdate, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import type { LeaderWatch } from './leader-watch.ts';

const CHUNK_BYTES = 1 * MiB;
/** A follower that is this far behind in reading begins anew from where it stands; a snapshot does not count. */
const BEHIND_MAX_BYTES = 64 * MiB;
const NO_BYTES = Buffer.alloc(0);

export class MetadataStream implements ServerStreamHandlers<never>, MetadataLogFollower {
  readonly #stream: RpcStream<MetadataUpdate>;
  readonly #leaders: LeaderWatch;
  readonly #unwatch: () => void;
  readonly #unsubscribe: Unsubscribe;
  #nextOffset: number;
  #snapshotBytes = 0;

  constructor(
    controller: Pick<Controller, 'subscribeLog'>,
    leaders: LeaderWatch,
    fromOffset: number,
    stream: RpcStream<MetadataUpdate>,
  ) {
    this.#stream = stream;
    this.#leaders = leaders;
    this.#nextOffset = fromOffset;
    this.#unsubscribe = controller.subscribeLog(this, fromOffset);
    this.#unwatch = leaders.onChange(() => this.onEntries([], this.#nextOffset));
  }

  onMessage(): void {}

  onClosed(): void {
    this.#unwatch();
    this.#unsubscribe();
  }

  onSnapshot(data: Buffer, nextOffset: number): void {
    this.#snapshotBytes = data.length;
    this.#nextOffset = nextOffset;
    let position = 0;
    do {
      const snapshotChunk = data.subarray(position, position + CHUNK_BYTES);
      position += CHUNK_BYTES;
      this.#send({ entries: [], nextOffset, snapshotChunk, snapshotDone: position >= data.length });
    } while (position < data.length);
  }

  onEntries(entries: readonly MetadataLogEntry[], nextOffset: number): void {
    this.#nextOffset = nextOffset;
    this.#send({ entries, nextOffset, snapshotChunk: NO_BYTES, snapshotDone: false });
    if (this.#stream.bufferedBytes <= BEHIND_MAX_BYTES + this.#snapshotBytes) return;
    this.#stream.close(
      new MillraceError('NODE_OVERLOADED', 'the follower does not keep up with the metadata log'),
    );
  }

  #send(update: Omit<MetadataUpdate, 'controllerId'>): void {
    this.#stream.send({ ...update, controllerId: this.#leaders.leaderId });
  }
}
