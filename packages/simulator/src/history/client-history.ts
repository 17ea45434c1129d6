/**
 * What the clients of a cluster did and heard: the only evidence that `findAnomalies` judges by. Values are unique,
 * so that one can be told from its copy. Collects and counts; never judges.
 */

/** acknowledged: it must be there. refused: it must not. unknown: either, for ever. */
export type SendOutcome = 'acknowledged' | 'refused' | 'unknown';

/** One record that a producer was asked to send. */
export interface Sent {
  readonly producer: string;
  /** `topic-partition`. */
  readonly partition: string;
  readonly value: string;
  outcome: SendOutcome;
  /** Where it was said to be; -1 if that was not said. */
  offset: number;
}

export interface PolledRecord {
  readonly offset: number;
  readonly value: string;
}

/** What one poll returned of one partition. */
export interface Polled {
  readonly consumer: string;
  readonly partition: string;
  readonly records: readonly PolledRecord[];
  /** The position was set since this consumer's last poll of the partition: it may lie anywhere. */
  readonly afterSeek: boolean;
}

export class ClientHistory {
  /** In the order in which each producer was asked to send. */
  readonly sent: Sent[] = [];
  /** In the order in which each consumer saw them. */
  readonly polled: Polled[] = [];
  readonly #logStarts = new Map<string, number>();
  readonly #freshPositions = new Set<string>();

  /** Call it before the send leaves; settle the result later. Unsettled means unknown. */
  send(producer: string, partition: string, value: string): Sent {
    const sent: Sent = { producer, partition, value, outcome: 'unknown', offset: -1 };
    this.sent.push(sent);
    return sent;
  }

  /** The consumer's position in the partition was set: by an assignment, a seek or a reset. */
  seek(consumer: string, partition: string): void {
    this.#freshPositions.add(`${consumer} ${partition}`);
  }

  poll(consumer: string, partition: string, records: readonly PolledRecord[]): void {
    if (records.length === 0) return;
    const afterSeek = this.#freshPositions.delete(`${consumer} ${partition}`);
    this.polled.push({ consumer, partition, records, afterSeek });
  }

  /** Records below may be gone, by retention or on request. */
  moveLogStart(partition: string, offset: number): void {
    this.#logStarts.set(partition, Math.max(offset, this.logStart(partition)));
  }

  logStart(partition: string): number {
    return this.#logStarts.get(partition) ?? 0;
  }

  get acknowledged(): number {
    return this.sent.reduce((count, { outcome }) => count + (outcome === 'acknowledged' ? 1 : 0), 0);
  }
}
