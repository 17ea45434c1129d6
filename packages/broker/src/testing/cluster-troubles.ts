/**
 * What befalls three brokers at random, one trouble at a time, and its end: they die and return, links between them break
 * and heal, one loses sight of the controller. Judges nothing.
 */
import { below, type NodeId, type SeededRandom } from '@millrace/core';
import type { TestCluster } from './test-cluster.ts';

export const TROUBLED_NODES: readonly NodeId[] = [1, 2, 3];

/** So that what goes wrong is noticed within steps, not minutes. */
export const TROUBLED_CONFIG: Readonly<Record<string, string>> = {
  'replica.lag.time.max.ms': '600',
  'replica.fetch.wait.max.ms': '100',
  'replica.fetch.backoff.ms': '50',
  'replica.socket.timeout.ms': '400',
};

export class ClusterTroubles {
  readonly #cluster: TestCluster;
  readonly #random: SeededRandom;
  readonly #mayKill: () => boolean;
  readonly #cuts = new Set<string>();
  readonly #away = new Set<NodeId>();

  constructor(cluster: TestCluster, random: SeededRandom, mayKill: () => boolean = () => true) {
    this.#cluster = cluster;
    this.#random = random;
    this.#mayKill = mayKill;
  }

  /** Draws one of `outOf` things, of which the first seven are troubles, their ends, or time. @returns whether it was one of these. */
  async strike(outOf: number): Promise<boolean> {
    const cluster = this.#cluster;
    const node = this.#drawn();
    const other = this.#drawn();
    switch (below(this.#random, outOf)) {
      case 0:
        if (cluster.brokers.size === TROUBLED_NODES.length && this.#mayKill()) await cluster.kill(node);
        return true;
      case 1:
        await this.#startAll();
        return true;
      case 2:
        if (node !== other) this.#cut(node, other);
        return true;
      case 3:
        this.#healAll();
        return true;
      case 4:
        if (this.#away.size === 0 && cluster.brokers.has(node)) {
          this.#away.add(node);
          cluster.controller.cut(node);
        }
        return true;
      case 5:
        this.#reachAll();
        return true;
      case 6:
        await cluster.run(below(this.#random, 1500));
        return true;
      default:
        return false;
    }
  }

  async end(): Promise<void> {
    this.#healAll();
    this.#reachAll();
    await this.#startAll();
  }

  #drawn(): NodeId {
    return TROUBLED_NODES[below(this.#random, TROUBLED_NODES.length)]!;
  }

  async #startAll(): Promise<void> {
    for (const id of TROUBLED_NODES) if (!this.#cluster.brokers.has(id)) await this.#cluster.start(id);
  }

  #cut(a: NodeId, b: NodeId): void {
    this.#cuts.add(`${a} ${b}`);
    this.#cluster.network.cut(a, b);
  }

  #healAll(): void {
    for (const pair of this.#cuts) {
      const [a, b] = pair.split(' ').map(Number);
      this.#cluster.network.heal(a!, b!);
    }
    this.#cuts.clear();
  }

  #reachAll(): void {
    for (const id of this.#away) this.#cluster.controller.heal(id);
    this.#away.clear();
  }
}
