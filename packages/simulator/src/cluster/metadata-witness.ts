/**
 * Sees every committed metadata image of every controller, and knows the newest. Each decision is judged once, when it
 * is first seen; what other controllers apply later must be the same.
 */
import {
  emptyImage,
  encodeSnapshot,
  type MetadataDelta,
  type MetadataImage,
  type PartitionImage,
  partitionOf,
} from '@millrace/metadata';
import type { SimLife } from '../world/sim-process.ts';
import type { ClusterNode } from './cluster-node.ts';

/** A partition before and after one entry of the metadata log; `before` is undefined if it is new. */
export interface Decided {
  readonly before: PartitionImage | undefined;
  readonly after: PartitionImage;
  readonly imageBefore: MetadataImage;
  readonly image: MetadataImage;
  /** Decisions in between were not seen. */
  readonly isJump: boolean;
}

export interface WitnessPort {
  decided(decided: Decided): void;
  /** Brokers changed. */
  brokersDecided(image: MetadataImage): void;
  violated(text: string): never;
}

/** Fingerprints of decisions kept for comparison. */
const KEPT_MAX = 20_000;

export class MetadataWitness {
  readonly #port: WitnessPort;
  readonly #subscribed = new WeakSet<SimLife>();
  /** What each (topic, partition, partition epoch) was decided to be. */
  readonly #decisions = new Map<string, string>();
  #frontier: MetadataImage = emptyImage;

  constructor(port: WitnessPort) {
    this.#port = port;
  }

  /** The newest committed metadata that any controller has applied. */
  get image(): MetadataImage {
    return this.#frontier;
  }

  /** Call it after each event of a node: listens as soon as there is something to listen to. */
  look({ node, process }: ClusterNode): void {
    const { life } = process;
    const controller = node?.controller;
    if (life === undefined || controller === undefined || this.#subscribed.has(life)) return;
    this.#subscribed.add(life);
    controller.subscribe({ onMetadata: (image, delta) => this.#onMetadata(image, delta) }, -1);
  }

  /** Invariant 16, of those that have applied equally much. */
  compare(nodes: readonly ClusterNode[]): void {
    const digests = new Map<number, { readonly name: string; readonly bytes: Buffer }>();
    for (const { node, name } of nodes) {
      const image = node?.controller?.image();
      if (image === undefined || image.offset === 0) continue;
      const bytes = encodeSnapshot(image);
      const other = digests.get(image.offset);
      if (other === undefined) digests.set(image.offset, { name, bytes });
      else if (!other.bytes.equals(bytes)) {
        this.#port.violated(
          `invariant 16 equal-offsets-equal-state: ${other.name} and ${name} differ at offset ${image.offset}`,
        );
      }
    }
  }

  #onMetadata(image: MetadataImage, delta: MetadataDelta): void {
    const isNews = image.offset > this.#frontier.offset;
    const before = this.#frontier;
    if (isNews) this.#frontier = image;
    for (const after of delta.changedPartitions) {
      this.#compareDecision(after);
      if (!isNews) continue;
      const old = partitionOf(before, after.topicId, after.partition);
      this.#port.decided({ before: old, after, imageBefore: before, image, isJump: delta.isSnapshot });
    }
    if (isNews && delta.brokersChanged.length > 0) this.#port.brokersDecided(image);
  }

  #compareDecision(after: PartitionImage): void {
    const key = `${after.topicId}-${after.partition}@${after.partitionEpoch}`;
    const print = JSON.stringify(after);
    const known = this.#decisions.get(key);
    if (known === undefined) {
      if (this.#decisions.size < KEPT_MAX) this.#decisions.set(key, print);
    } else if (known !== print) {
      this.#port.violated(`invariant 16 equal-offsets-equal-state: ${known} and ${print}`);
    }
  }
}
