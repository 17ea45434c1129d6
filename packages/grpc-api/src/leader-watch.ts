/** Tells when this node's idea of the active controller changes. Looks often rather than being told; holds no opinion. */
import type { Clock, NodeId, Timer } from '@millrace/core';

export interface LeaderView {
  leaderId(): NodeId | undefined;
  isActive(): boolean;
}

const LOOK_INTERVAL_MS = 25;

export class LeaderWatch {
  readonly #view: LeaderView;
  readonly #clock: Clock;
  readonly #listeners = new Set<() => void>();
  #timer: Timer | undefined;
  #leaderId: NodeId | -1;
  #isActive: boolean;

  constructor(view: LeaderView, clock: Clock) {
    this.#view = view;
    this.#clock = clock;
    this.#leaderId = this.leaderId;
    this.#isActive = view.isActive();
    this.#schedule();
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
    this.#timer?.cancel();
    this.#listeners.clear();
  }

  #schedule(): void {
    this.#timer = this.#clock.schedule(LOOK_INTERVAL_MS, () => {
      this.#schedule();
      this.#look();
    });
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
