/** What one look at all lanes finds to send: at most one request for each leader. Decides nothing and sends nothing. */
import type { PartitionLeader } from '../cluster/metadata-state.ts';
import type { Lane } from './accumulator-state.ts';
import type { AttemptPart, BrokerLink } from './broker-link.ts';

/** A lane whose batch may not go yet, at a leader that has room. */
export interface WaitingLane {
  readonly lane: Lane;
  readonly leader: PartitionLeader;
  readonly link: BrokerLink;
  readonly readyMs: number;
}

export class RequestDraft {
  readonly parts: AttemptPart[] = [];
  #sizeBytes = 0;
  #hasLingered = false;

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  /** One of the batches goes because its linger is over, not because it is full. */
  get hasLingered(): boolean {
    return this.#hasLingered;
  }

  add(part: AttemptPart, hasLingered: boolean): void {
    this.parts.push(part);
    this.#hasLingered ||= hasLingered;
    this.#sizeBytes += part.batch.sizeBytes;
  }
}

export class SendRound {
  readonly requests = new Map<BrokerLink, RequestDraft>();
  readonly waiting: WaitingLane[] = [];
  /** Another look would send more. */
  hasMore = false;
  #nextReadyMs = Number.POSITIVE_INFINITY;

  /** When the first lane that is not ready yet will be. */
  get nextReadyMs(): number {
    return this.#nextReadyMs;
  }

  lookAgainAt(atMs: number): void {
    if (atMs < this.#nextReadyMs) this.#nextReadyMs = atMs;
  }

  requestTo(link: BrokerLink): RequestDraft {
    let draft = this.requests.get(link);
    if (draft === undefined) {
      draft = new RequestDraft();
      this.requests.set(link, draft);
    }
    return draft;
  }
}
