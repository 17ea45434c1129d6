/** This broker's copy of the cluster's metadata: applies the committed log and tells one listener what changed. Decides nothing. */
import type { NodeId } from '@millrace/core';
import {
  applyRecords,
  decodeEntry,
  decodeSnapshot,
  deltaBetween,
  emptyImage,
  type MetadataDelta,
  type MetadataImage,
} from '@millrace/metadata';
import type {
  ControllerChannel,
  MetadataLogEntry,
  MetadataLogFollower,
  MetadataSubscription,
} from './controller-channel.ts';

export interface MetadataViewOptions {
  readonly controllers: Pick<ControllerChannel, 'followMetadata'>;
  readonly onChange: (image: MetadataImage, delta: MetadataDelta) => void;
  /** Another controller is active than before. */
  readonly onControllerChange?: (id: NodeId) => void;
  /** The metadata log cannot be read: nothing this broker knows can be trusted further. */
  readonly onFailure: (error: unknown) => void;
}

export class MetadataView implements MetadataLogFollower {
  readonly #options: MetadataViewOptions;
  #image: MetadataImage = emptyImage;
  #controllerId: NodeId | -1 = -1;
  #subscription: MetadataSubscription | undefined;
  #waiters: { readonly until: (image: MetadataImage) => boolean; readonly resolve: () => void }[] = [];

  constructor(options: MetadataViewOptions) {
    this.#options = options;
  }

  get image(): MetadataImage {
    return this.#image;
  }

  /** Where changes go, or -1 while unknown. */
  get controllerId(): NodeId | -1 {
    return this.#controllerId;
  }

  start(): void {
    this.#subscription = this.#options.controllers.followMetadata(this.#image.offset, this);
  }

  /** Resolves once an applied image passes the test. Never, if none does: whoever waits has a deadline. */
  async until(test: (image: MetadataImage) => boolean): Promise<void> {
    if (test(this.#image)) return;
    await new Promise<void>((resolve) => {
      this.#waiters.push({ until: test, resolve });
    });
  }

  onSnapshot(data: Buffer, nextOffset: number): void {
    if (nextOffset <= this.#image.offset) return;
    this.#guarded(() => {
      const image = decodeSnapshot(data, nextOffset);
      this.#adopt(image, deltaBetween(this.#image, image));
    });
  }

  onEntries(entries: readonly MetadataLogEntry[], nextOffset: number): void {
    this.#guarded(() => {
      const fresh = entries.filter((entry) => entry.offset >= this.#image.offset);
      const before = this.#image;
      if (fresh.length === 1) {
        const { image, delta } = applied(before, fresh[0]!);
        this.#adopt(skipTo(image, nextOffset), delta);
        return;
      }
      let image = before;
      for (const entry of fresh) image = applied(image, entry).image;
      image = skipTo(image, nextOffset);
      // Several entries at once show as their outcome; partitions cannot tell the difference (P3).
      if (image !== before) this.#adopt(image, deltaBetween(before, image));
    });
  }

  onController(id: NodeId | -1): void {
    const isNews = id !== this.#controllerId;
    this.#controllerId = id;
    if (isNews && id !== -1) this.#options.onControllerChange?.(id);
  }

  close(): void {
    this.#subscription?.close();
  }

  #adopt(image: MetadataImage, delta: MetadataDelta): void {
    this.#image = image;
    this.#options.onChange(image, delta);
    const ready = this.#waiters.filter((waiter) => waiter.until(image));
    if (ready.length === 0) return;
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const waiter of ready) waiter.resolve();
  }

  #guarded(apply: () => void): void {
    try {
      apply();
    } catch (error) {
      this.close();
      this.#options.onFailure(error);
    }
  }
}

function applied(image: MetadataImage, { offset, data }: MetadataLogEntry): ReturnType<typeof applyRecords> {
  // A void entry was decided for another offset: it changes nothing but is passed.
  return applyRecords(image, decodeEntry(data, offset) ?? [], offset);
}

/** Entries of the quorum itself hold no metadata but take up offsets. */
function skipTo(image: MetadataImage, nextOffset: number): MetadataImage {
  return nextOffset > image.offset ? { ...image, offset: nextOffset } : image;
}
