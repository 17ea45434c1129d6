/**
 * Which batches of idempotent producers are under way on one connection, or were refused a moment ago: one that was sent
 * behind such a batch is no beginning. Its predecessor may have been refused (by a node that does not lead yet, for want
 * of replicas, for its size) and will come again; were the later one taken first, the earlier could never follow, and
 * clients that then number anew would have records taken for duplicates. Pure. Looks no further than one connection,
 * on which clients resend in order.
 */

/** So many requests an idempotent producer has in flight on a connection. */
const IN_FLIGHT_MAX = 5;
/** Beyond it the oldest are forgotten: what was sent behind them may begin anywhere. */
const REMEMBERED_MAX = 1_000;
const SEQUENCES = 2 ** 31;

/** Of a batch header; a BatchView fits. */
export interface SequencedBatch {
  readonly producerId: number;
  readonly producerEpoch: number;
  readonly baseSequence: number;
}

interface Unacknowledged {
  /** The number of its request. */
  readonly request: number;
  readonly baseSequence: number;
}

export class PipelinedBatches {
  /** Of each producer in each partition the earliest. */
  readonly #unacknowledged = new Map<string, Unacknowledged>();
  #requests = 0;

  get size(): number {
    return this.#unacknowledged.size;
  }

  /** @returns the number of the request that begins. */
  nextRequest(): number {
    this.#requests += 1;
    for (const [key, { request }] of this.#unacknowledged) {
      if (!this.#isPast(request)) break;
      this.#unacknowledged.delete(key);
    }
    return this.#requests;
  }

  /** A batch of `request` is sent. @returns whether an earlier one of its producer may yet have to be appended before. */
  isBehind(request: number, partition: string, batch: SequencedBatch): boolean {
    const key = keyOf(partition, batch);
    const earlier = this.#unacknowledged.get(key);
    if (earlier !== undefined && !this.#isPast(earlier.request) && isAfter(batch, earlier)) return true;
    this.#remember(key, request, batch);
    return false;
  }

  appended(partition: string, batch: SequencedBatch): void {
    const key = keyOf(partition, batch);
    if (this.#unacknowledged.get(key)?.baseSequence === batch.baseSequence) this.#unacknowledged.delete(key);
  }

  refused(request: number, partition: string, batch: SequencedBatch): void {
    const key = keyOf(partition, batch);
    const earliest = this.#unacknowledged.get(key);
    if (earliest === undefined || isAfter(earliest, batch)) this.#remember(key, request, batch);
  }

  #remember(key: string, request: number, { baseSequence }: SequencedBatch): void {
    this.#unacknowledged.delete(key);
    this.#unacknowledged.set(key, { request, baseSequence });
    if (this.#unacknowledged.size <= REMEMBERED_MAX) return;
    for (const oldest of this.#unacknowledged.keys()) {
      this.#unacknowledged.delete(oldest);
      return;
    }
  }

  #isPast(request: number): boolean {
    return this.#requests - request >= IN_FLIGHT_MAX;
  }
}

function keyOf(partition: string, { producerId, producerEpoch }: SequencedBatch): string {
  return `${producerId}/${producerEpoch}/${partition}`;
}

/** Sequences wrap, so "after" means the shorter way round. */
function isAfter(
  later: Pick<SequencedBatch, 'baseSequence'>,
  earlier: Pick<SequencedBatch, 'baseSequence'>,
): boolean {
  const ahead = (later.baseSequence - earlier.baseSequence + SEQUENCES) % SEQUENCES;
  return ahead > 0 && ahead < SEQUENCES / 2;
}
