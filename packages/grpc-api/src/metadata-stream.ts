/** Passes the committed metadata log on to one node: a snapshot in pieces if need be, entries as they come, who leads and votes. */
import { MiB, MillraceError } from '@millrace/core';
import type {
  Controller,
  MetadataLogEntry,
  MetadataLogFollower,
  Unsubscribe,
} from '@millrace/metadata-quorum';
import type { ControllerNode, MetadataUpdate, RpcStream, ServerStreamHandlers } from '@millrace/protocol';
import { parseHostPort } from './host-port.ts';
import type { LeaderWatch } from './leader-watch.ts';

const CHUNK_BYTES = 1 * MiB;
/** A follower that is this far behind in reading begins anew from where it stands; a snapshot does not count. */
const BEHIND_MAX_BYTES = 64 * MiB;
const NO_BYTES = Buffer.alloc(0);

type FollowedController = Pick<Controller, 'quorumId' | 'subscribeLog' | 'voters'>;
type Voter = ReturnType<Controller['voters']>[number];

export class MetadataStream implements ServerStreamHandlers<never>, MetadataLogFollower {
  readonly #controller: FollowedController;
  readonly #stream: RpcStream<MetadataUpdate>;
  readonly #leaders: LeaderWatch;
  readonly #unwatch: () => void;
  readonly #unsubscribe: Unsubscribe;
  #nextOffset: number;
  #snapshotBytes = 0;
  #toldControllers = '';

  constructor(
    controller: FollowedController,
    leaders: LeaderWatch,
    fromOffset: number,
    stream: RpcStream<MetadataUpdate>,
  ) {
    this.#controller = controller;
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

  #send(update: Omit<MetadataUpdate, 'controllerId' | 'controllers' | 'quorumId'>): void {
    const known = this.#controller.voters().flatMap(controllerNodeOf);
    const text = JSON.stringify(known);
    const controllers = text === this.#toldControllers ? [] : known;
    this.#toldControllers = text;
    const quorumId = this.#controller.quorumId();
    this.#stream.send({ ...update, controllerId: this.#leaders.leaderId, controllers, quorumId });
  }
}

/** None for a voter whose address only the configuration of every node has. */
function controllerNodeOf({ id, address }: Voter): ControllerNode[] {
  const parsed = parseHostPort(address);
  return parsed === undefined ? [] : [{ id, ...parsed }];
}
