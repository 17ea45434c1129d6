/** Follows the committed metadata from one controller after another: resumes where it stood, leaves one that is cut off. */
import type { MetadataLogFollower, MetadataSubscription } from '@millrace/broker';
import { type Clock, GiB, type Logger, MillraceError, type NodeId, type Timer } from '@millrace/core';
import {
  type ControllerNode,
  controllerService,
  type MetadataUpdate,
  type RequestHeader,
  type RpcStream,
} from '@millrace/protocol';
import type { ControllerDirectory } from './controller-directory.ts';
import type { KnownQuorum } from './known-quorum.ts';

const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 500;
/** A controller that knows no leader for this long may be cut off from the others: another one may know more. */
const LEADERLESS_MAX_MS = 1_000;
const SNAPSHOT_MAX_BYTES = 1 * GiB;

export interface MetadataSubscriptionOptions {
  readonly directory: ControllerDirectory;
  readonly quorum: KnownQuorum;
  readonly header: () => RequestHeader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly fromOffset: number;
  readonly follower: MetadataLogFollower;
  /** Who votes; empty if nothing is new. */
  readonly onControllers: (controllers: readonly ControllerNode[]) => void;
}

export class GrpcMetadataSubscription implements MetadataSubscription {
  readonly #options: MetadataSubscriptionOptions;
  #nextOffset: number;
  #source: NodeId | -1 = -1;
  #stream: RpcStream<never> | undefined;
  #chunks: Buffer[] = [];
  #chunkBytes = 0;
  #pauseMs = PAUSE_MIN_MS;
  #retry: Timer | undefined;
  #leaderless: Timer | undefined;
  #lastErrorCode: string | undefined;
  #isClosed = false;

  constructor(options: MetadataSubscriptionOptions) {
    this.#options = options;
    this.#nextOffset = options.fromOffset;
    this.#open();
  }

  close(): void {
    this.#isClosed = true;
    this.#retry?.cancel();
    this.#leaderless?.cancel();
    this.#stream?.close();
  }

  #open(): void {
    const { directory, header } = this.#options;
    // Any controller will do, so take them in turn: the active one has enough to do.
    const turn = directory.candidates(this.#source).filter((id) => id !== directory.activeId);
    this.#source = turn[0] ?? directory.activeId;
    this.#chunks = [];
    this.#chunkBytes = 0;
    const request = { header: header(), fromOffset: this.#nextOffset };
    this.#stream = directory.channel(this.#source).serverStream(controllerService.followMetadata, request, {
      onMessage: (update) => this.#onUpdate(update),
      onClosed: (error) => this.#onClosed(error),
    });
  }

  /** @throws {MillraceError} NOT_CONTROLLER from another quorum: ends the stream. */
  #onUpdate(update: MetadataUpdate): void {
    if (this.#isClosed) return;
    const { follower, quorum } = this.#options;
    // Whoever needs it durable, the session, waits for that and hears of a failure.
    quorum.learn(update.quorumId)?.catch(() => {});
    this.#pauseMs = PAUSE_MIN_MS;
    this.#lastErrorCode = undefined;
    this.#options.onControllers(update.controllers);
    this.#onController(update.controllerId);
    if (update.snapshotChunk.length > 0 || update.snapshotDone) {
      this.#onSnapshotChunk(update);
      return;
    }
    this.#nextOffset = Math.max(this.#nextOffset, update.nextOffset);
    follower.onEntries(update.entries, update.nextOffset);
  }

  /** @throws {MillraceError} POLICY_VIOLATION: ends the stream. */
  #onSnapshotChunk({ snapshotChunk, snapshotDone, nextOffset }: MetadataUpdate): void {
    this.#chunks.push(snapshotChunk);
    this.#chunkBytes += snapshotChunk.length;
    if (this.#chunkBytes > SNAPSHOT_MAX_BYTES) {
      throw new MillraceError(
        'POLICY_VIOLATION',
        `a metadata snapshot of more than ${SNAPSHOT_MAX_BYTES} bytes`,
      );
    }
    if (!snapshotDone) return;
    const data = Buffer.concat(this.#chunks);
    this.#chunks = [];
    this.#chunkBytes = 0;
    this.#nextOffset = nextOffset;
    this.#options.follower.onSnapshot(data, nextOffset);
  }

  #onController(id: NodeId | -1): void {
    const { clock, directory, follower } = this.#options;
    directory.setActive(id);
    follower.onController(id);
    if (id !== -1) {
      this.#leaderless?.cancel();
      this.#leaderless = undefined;
      return;
    }
    this.#leaderless ??= clock.schedule(LEADERLESS_MAX_MS, () => {
      this.#leaderless = undefined;
      this.#stream?.close(new MillraceError('NOT_CONTROLLER', 'the controller knows no leader'));
    });
  }

  #onClosed(error: MillraceError | undefined): void {
    if (this.#isClosed) return;
    this.#leaderless?.cancel();
    this.#leaderless = undefined;
    const { clock, logger } = this.#options;
    if (error !== undefined && error.code !== this.#lastErrorCode) {
      this.#lastErrorCode = error.code;
      const source = this.#source;
      const fields = { event: 'metadata_stream_lost', source, code: error.code, reason: error.message };
      logger.info(fields, 'lost a controller; following another');
    }
    this.#retry = clock.schedule(this.#pauseMs, () => this.#open());
    this.#pauseMs = Math.min(this.#pauseMs * 2, PAUSE_MAX_MS);
  }
}
