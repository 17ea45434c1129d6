/** Offsets as CSV, the way Kafka's tool exports them: `topic,partition,offset`, or with the group in front. Pure. */
import type { TopicPartition } from '@millrace/client';
import { usageError } from './cli-error.ts';

export interface PartitionOffset extends TopicPartition {
  readonly offset: bigint;
}

export function toOffsetCsv(offsets: readonly PartitionOffset[]): string {
  return offsets.map(({ topic, partition, offset }) => `${topic},${partition},${offset}\n`).join('');
}

/** Lines of other groups are left out. @throws {CliError} USAGE naming the line. */
export function parseOffsetCsv(text: string, groupId: string, file: string): PartitionOffset[] {
  const found = new Map<string, PartitionOffset>();
  text.split(/\r?\n/).forEach((line, i) => {
    if (line.trim() === '') return;
    const fields = line.split(',').map((field) => field.trim().replace(/^"(.*)"$/, '$1'));
    const [topic, partition, offset] = fields.slice(-3) as [string, string?, string?];
    const isWhole = /^\d{1,9}$/.test(partition ?? '') && /^\d{1,18}$/.test(offset ?? '');
    if (fields.length < 3 || fields.length > 4 || topic === '' || !isWhole) {
      const text = `${file}, line ${i + 1}: ${JSON.stringify(line.slice(0, 100))} is not topic,partition,offset`;
      throw usageError(text, '"group reset … --export" writes such files.');
    }
    if (fields.length === 4 && fields[0] !== groupId) return;
    const key = `${topic}:${Number(partition)}`;
    if (found.has(key))
      throw usageError(`${file}, line ${i + 1}: ${topic}-${Number(partition)} is named twice`);
    found.set(key, { topic, partition: Number(partition), offset: BigInt(offset!) });
  });
  return [...found.values()];
}
