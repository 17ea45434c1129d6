/**
 * The metadata quorum to which a broker belongs: the first one that registered it or told it metadata, for good. Never
 * changes its mind: two quorums under one cluster id know nothing of each other's topics.
 */
import { checkQuorum } from './request-header.ts';

/** Where it is kept; a `LogStore` is one. */
export interface QuorumKeeper {
  /** Empty while unknown. */
  readonly quorumId: string;
  /** Durable once it resolves. @throws {MillraceError} (rejects) DISK_FULL, KAFKA_STORAGE_ERROR, CLOSED */
  keepQuorumId(quorumId: string): Promise<void>;
}

export class KnownQuorum {
  readonly #keeper: QuorumKeeper;
  #id: string;
  #keeping: Promise<void> | undefined;

  constructor(keeper: QuorumKeeper) {
    this.#keeper = keeper;
    this.#id = keeper.quorumId;
  }

  /** Empty while unknown. */
  get id(): string {
    return this.#id;
  }

  /**
   * What a controller said of itself, empty if it does not know.
   * @returns what resolves once it is durable; undefined if there is nothing to wait for.
   * @throws {MillraceError} (at once) NOT_CONTROLLER from another quorum.
   */
  learn(quorumId: string): Promise<void> | undefined {
    checkQuorum(this.#id, quorumId);
    if (quorumId === '' || quorumId === this.#keeper.quorumId) return undefined;
    this.#id = quorumId;
    this.#keeping ??= this.#keep(quorumId);
    return this.#keeping;
  }

  async #keep(quorumId: string): Promise<void> {
    try {
      await this.#keeper.keepQuorumId(quorumId);
    } finally {
      this.#keeping = undefined;
    }
  }
}
