/** One fetcher for each broker that leads partitions followed here. Decides who follows from whom; fetches nothing itself. */
import type { NodeId } from '@millrace/core';
import type { MetadataImage } from '@millrace/metadata';
import type { Partition } from './partition.ts';
import type { ReplicaEndpoint } from './replica-channel.ts';
import { ReplicaFetcher, type ReplicaFetcherOptions } from './replica-fetcher.ts';

export class ReplicaFetchers {
  readonly #options: Omit<ReplicaFetcherOptions, 'leaderId'>;
  /** Whose addresses brokers use among themselves; a broker without it is reached at its first endpoint. */
  readonly #listener: string;
  readonly #fetchers = new Map<NodeId, ReplicaFetcher>();
  readonly #fetcherOf = new Map<Partition, ReplicaFetcher>();
  /** Address and life of each leader, to notice when either changes. */
  readonly #known = new Map<NodeId, string>();
  #image: MetadataImage | undefined;

  constructor(options: Omit<ReplicaFetcherOptions, 'leaderId'>, listener: string) {
    this.#options = options;
    this.#listener = listener;
  }

  /** Fetches for the partition from its leader of now, or not at all. */
  assign(partition: Partition): void {
    const { leader } = partition.image;
    const fetcher = partition.isFollowing && leader !== -1 ? this.#fetcher(leader) : undefined;
    const current = this.#fetcherOf.get(partition);
    if (current !== undefined && current !== fetcher) this.#leave(partition, current);
    if (fetcher === undefined) return;
    this.#fetcherOf.set(partition, fetcher);
    fetcher.follow(partition);
  }

  release(partition: Partition): void {
    const fetcher = this.#fetcherOf.get(partition);
    if (fetcher !== undefined) this.#leave(partition, fetcher);
  }

  flushed(partition: Partition): void {
    this.#fetcherOf.get(partition)?.flushed(partition);
  }

  metadataChanged(image: MetadataImage): void {
    this.#image = image;
    for (const [id, fetcher] of this.#fetchers) this.#aim(id, fetcher);
  }

  close(): void {
    for (const fetcher of this.#fetchers.values()) fetcher.close();
    this.#fetchers.clear();
    this.#fetcherOf.clear();
  }

  #leave(partition: Partition, fetcher: ReplicaFetcher): void {
    fetcher.unfollow(partition);
    this.#fetcherOf.delete(partition);
  }

  #fetcher(leaderId: NodeId): ReplicaFetcher {
    let fetcher = this.#fetchers.get(leaderId);
    if (fetcher === undefined) {
      fetcher = new ReplicaFetcher({ ...this.#options, leaderId });
      this.#fetchers.set(leaderId, fetcher);
      this.#known.delete(leaderId);
      this.#aim(leaderId, fetcher);
    }
    return fetcher;
  }

  #aim(leaderId: NodeId, fetcher: ReplicaFetcher): void {
    const broker = this.#image?.brokers.get(leaderId);
    const found = broker?.endpoints.find(({ listener }) => listener === this.#listener);
    const address = found ?? broker?.endpoints[0];
    const life = address && `${broker!.brokerEpoch} ${address.host}:${address.port}`;
    if (life === this.#known.get(leaderId)) return;
    if (life === undefined) this.#known.delete(leaderId);
    else this.#known.set(leaderId, life);
    const endpoint: ReplicaEndpoint | undefined = address && {
      id: leaderId,
      host: address.host,
      port: address.port,
    };
    fetcher.setEndpoint(endpoint);
  }
}
