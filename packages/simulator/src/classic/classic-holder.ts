/** A member of the classic protocol as judges see it: what it believes to hold, and since when. */
import { formatTopicPartition, type TopicPartition } from '@millrace/core';
import type { Holder } from '../groups/group-observation.ts';
import type { GroupWatch } from '../groups/group-watch.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ClassicClient } from './classic-client.ts';

export class ClassicHolder implements Holder {
  readonly clientId: string;
  readonly since = new Map<string, number>();
  readonly #life: SimLife;
  readonly #client: () => ClassicClient;
  #isOver = false;

  /** @param client is there before anybody asks what it holds. */
  constructor(life: SimLife, clientId: string, client: () => ClassicClient) {
    this.#life = life;
    this.clientId = clientId;
    this.#client = client;
  }

  get groupId(): string {
    return this.#client().terms.groupId;
  }

  get staticGeneration(): number | undefined {
    const { terms, joinedGeneration } = this.#client();
    return terms.groupInstanceId === undefined ? undefined : joinedGeneration;
  }

  get isOver(): boolean {
    return this.#isOver || !this.#life.isCurrent;
  }

  believes(partition: string): boolean {
    return !this.isOver && this.#client().held.has(partition);
  }

  given(partitions: readonly TopicPartition[], watch: GroupWatch, others: readonly Holder[]): void {
    const keys = partitions.map(formatTopicPartition);
    const { truth } = watch;
    // What reaches it after it was thrown out was given to it before.
    const removals = truth.removalsOf(this.clientId) - (truth.isOut(this.clientId) ? 1 : 0);
    for (const key of keys) this.since.set(key, removals);
    watch.given(this, keys, others);
  }

  over(): void {
    this.#isOver = true;
  }
}
