/** Members as judges see them, whatever they speak: what they believe to hold, and since when. */
import type { Holder } from '../groups/group-observation.ts';
import type { GroupWatch } from '../groups/group-watch.ts';
import type { SimLife } from '../world/sim-process.ts';
import type { ClassicClient } from './classic-client.ts';

/** Its owner writes down what it is given. */
export interface WritableHolder extends Holder {
  readonly since: Map<string, number>;
  /** It believes nothing any more. */
  readonly isOver: boolean;
}

/** The member was told that these are its own from now on. */
export function bringBefore(
  watch: GroupWatch,
  holder: WritableHolder,
  partitions: readonly string[],
  others: readonly Holder[],
): void {
  const { truth } = watch;
  // What reaches it after it was thrown out was given to it before.
  const removals = truth.removalsOf(holder.clientId) - (truth.isOut(holder.clientId) ? 1 : 0);
  for (const key of partitions) holder.since.set(key, removals);
  watch.given(holder, partitions, others);
}

export class ClassicHolder implements WritableHolder {
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

  over(): void {
    this.#isOver = true;
  }
}
