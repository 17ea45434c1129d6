/** Passes on when this node's idea of the active controller changes, once for each change. Holds no opinion of its own. */
import type { NodeId } from '@millrace/core';

export interface LeaderView {
  leaderId(): NodeId | undefined;
  isActive(): boolean;
  /** @returns what ends the subscription. */
  onLeaderChange(listener: () => void): () => void;
}

export class LeaderWatch {
  readonly #view: LeaderView;
  readonly #listeners = new Set<() => void>();
  readonly #unsubscribe: () => void;
  #leaderId: NodeId | -1;
  #isActive: boolean;

  constructor(view: LeaderView) {
    this.#view = view;
    this.#leaderId = this.leaderId;
    this.#isActive = view.isActive();
    this.#unsubscribe = view.onLeaderChange(() => this.#look());
  }

  /** -1 while none is known. */
  get leaderId(): NodeId | -1 {
    return this.#view.leaderId() ?? -1;
  }

  /** @returns what ends the subscription. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    this.#unsubscribe();
    this.#listeners.clear();
  }

  #look(): void {
    const leaderId = this.leaderId;
    const isActive = this.#view.isActive();
    if (leaderId === this.#leaderId && isActive === this.#isActive) return;
    this.#leaderId = leaderId;
    this.#isActive = isActive;
    for (const listener of [...this.#listeners]) listener();
  }
}
