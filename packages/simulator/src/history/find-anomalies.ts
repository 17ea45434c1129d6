/**
 * Judges a client history by the anomaly classes of Jepsen's Kafka workload (jepsen.tests.kafka): nothing
 * acknowledged is lost, nothing is there twice, an offset has one content, and order holds. Knows nothing of
 * the cluster. A value whose outcome is unknown counts as sent once somebody has read it.
 */
import type { ClientHistory, Polled, Sent } from './client-history.ts';

export const ANOMALIES = [
  /** A refused value was read. */
  'aborted-read',
  /** A value that nobody sent was read. */
  'phantom-read',
  /** Acknowledged below the highest offset that was read, and never read. */
  'lost-write',
  /** Acknowledged above everything that was read, and never read. */
  'unseen',
  /** One value at two offsets. */
  'duplicate',
  /** Two values at one offset. */
  'inconsistent-offsets',
  /** One poll left out an offset that holds a value. */
  'int-poll-skip',
  /** Offsets inside one poll do not rise. */
  'int-nonmonotonic-poll',
  /** The next poll left out an offset that holds a value. */
  'poll-skip',
  /** The next poll went back. */
  'nonmonotonic-poll',
  /** A producer's later value stands before its earlier one. */
  'nonmonotonic-send',
] as const;

export type AnomalyKind = (typeof ANOMALIES)[number];

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly partition: string;
  readonly text: string;
}

export interface AnomalyOptions {
  /** Every partition was read to its end after the last send was settled. Without it nothing is called unseen. */
  readonly isReadToEnd: boolean;
}

export function findAnomalies(history: ClientHistory, { isReadToEnd }: AnomalyOptions): Anomaly[] {
  const partitions = new Set([...history.sent, ...history.polled].map(({ partition }) => partition));
  const sentBy = groupByPartition(history.sent);
  const polledBy = groupByPartition(history.polled);
  return [...partitions].flatMap((partition) =>
    new PartitionEvidence(
      partition,
      sentBy.get(partition) ?? [],
      polledBy.get(partition) ?? [],
      history.logStart(partition),
    ).judge(isReadToEnd),
  );
}

function groupByPartition<T extends { readonly partition: string }>(items: readonly T[]): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groups.get(item.partition);
    if (group) group.push(item);
    else groups.set(item.partition, [item]);
  }
  return groups;
}

class PartitionEvidence {
  readonly #partition: string;
  readonly #sent: readonly Sent[];
  readonly #polled: readonly Polled[];
  readonly #logStart: number;
  readonly #sentByValue: ReadonlyMap<string, Sent>;
  /** What each offset holds, by reads and by acknowledgements. */
  readonly #valueAt = new Map<number, string>();
  readonly #offsetOf = new Map<string, number>();
  readonly #read = new Set<string>();
  readonly #anomalies: Anomaly[] = [];
  #highestRead = -1;

  constructor(partition: string, sent: readonly Sent[], polled: readonly Polled[], logStart: number) {
    this.#partition = partition;
    this.#sent = sent;
    this.#polled = polled;
    this.#logStart = logStart;
    this.#sentByValue = new Map(sent.map((each) => [each.value, each]));
  }

  judge(isReadToEnd: boolean): Anomaly[] {
    for (const { value, offset, outcome } of this.#sent) {
      if (outcome === 'acknowledged' && offset >= 0) this.#place(value, offset);
    }
    for (const poll of this.#polled) this.#judgeContent(poll);
    this.#judgePositions();
    this.#judgeSends();
    this.#judgeMissing(isReadToEnd);
    return this.#anomalies;
  }

  #found(kind: AnomalyKind, text: string): void {
    this.#anomalies.push({ kind, partition: this.#partition, text });
  }

  #place(value: string, offset: number): void {
    const other = this.#valueAt.get(offset);
    if (other === undefined) this.#valueAt.set(offset, value);
    else if (other !== value)
      this.#found('inconsistent-offsets', `offset ${offset} holds ${other} and ${value}`);
    const before = this.#offsetOf.get(value);
    if (before === undefined) this.#offsetOf.set(value, offset);
    else if (before !== offset) this.#found('duplicate', `${value} is at ${before} and at ${offset}`);
  }

  #judgeContent({ consumer, records }: Polled): void {
    for (const { offset, value } of records) {
      const sent = this.#sentByValue.get(value);
      if (sent === undefined) this.#found('phantom-read', `${consumer} read ${value} at ${offset}`);
      else if (sent.outcome === 'refused')
        this.#found('aborted-read', `${consumer} read ${value} at ${offset}`);
      this.#place(value, offset);
      this.#read.add(value);
      this.#highestRead = Math.max(this.#highestRead, offset);
    }
  }

  /** After all contents are known, so that a gap is told from an offset that no record has. */
  #judgePositions(): void {
    const lastOf = new Map<string, number>();
    for (const { consumer, records, afterSeek } of this.#polled) {
      let previous = afterSeek ? undefined : lastOf.get(consumer);
      let prefix = '';
      for (const { offset } of records) {
        if (previous !== undefined) this.#judgeStep(consumer, prefix, previous, offset);
        previous = offset;
        prefix = 'int-';
      }
      if (previous !== undefined) lastOf.set(consumer, previous);
    }
  }

  #judgeStep(consumer: string, prefix: string, from: number, to: number): void {
    if (to <= from) {
      this.#found(`${prefix}nonmonotonic-poll` as AnomalyKind, `${consumer} went from ${from} to ${to}`);
      return;
    }
    for (let offset = Math.max(from + 1, this.#logStart); offset < to; offset++) {
      const skipped = this.#valueAt.get(offset);
      if (skipped === undefined) continue;
      const text = `${consumer} went from ${from} to ${to} past ${skipped} at ${offset}`;
      this.#found(`${prefix}poll-skip` as AnomalyKind, text);
      return;
    }
  }

  #judgeSends(): void {
    const lastOf = new Map<string, Sent & { readonly at: number }>();
    for (const sent of this.#sent) {
      const at = this.#offsetOf.get(sent.value);
      if (at === undefined) continue;
      const last = lastOf.get(sent.producer);
      if (last !== undefined && at < last.at) {
        this.#found(
          'nonmonotonic-send',
          `${sent.producer} sent ${last.value} (at ${last.at}) before ${sent.value} (at ${at})`,
        );
      }
      lastOf.set(sent.producer, { ...sent, at });
    }
  }

  #judgeMissing(isReadToEnd: boolean): void {
    for (const { value, offset, outcome } of this.#sent) {
      if (outcome !== 'acknowledged' || this.#read.has(value)) continue;
      // One without an offset may be among those that were deleted, if any were.
      if (this.#logStart > 0 && offset < this.#logStart) continue;
      if (offset >= 0 && offset < this.#highestRead)
        this.#found('lost-write', `${value}, acknowledged at ${offset}`);
      else if (isReadToEnd) this.#found('unseen', `${value}, acknowledged at ${offset}`);
    }
  }
}
