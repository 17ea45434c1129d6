/**
 * Kafka's small text files: offset checkpoints, leader epochs, `partition.metadata`, `meta.properties` and the
 * marker of a clean shutdown. Only formats: text in, values out, undefined for a text that is not whole.
 */
import { crc32c } from '@millrace/records';

/** What `leader-epoch-checkpoint` holds: each epoch with its first offset. */
export interface EpochStart {
  readonly epoch: number;
  readonly startOffset: number;
}

export interface PartitionOffset {
  readonly topic: string;
  readonly partition: number;
  readonly offset: number;
}

/** No topic can have this name: to Kafka's tools the checksum is an entry of a partition that is not there. */
const CHECKSUM_TOPIC = '..';

/** As Kafka's, with a last entry whose offset is the CRC-32C of those before it: a flipped digit is not an offset. */
export function formatOffsets(entries: readonly PartitionOffset[]): string {
  const lines = entries.map(({ topic, partition, offset }) => `${topic} ${partition} ${offset}`);
  return formatLines([...lines, `${CHECKSUM_TOPIC} 0 ${crcOfLines(lines)}`]);
}

/** Undefined also without a checksum, or with a wrong one. */
export function parseOffsets(text: string): PartitionOffset[] | undefined {
  const entries = parseLines(
    text,
    /^(\/?[a-zA-Z0-9._-]{1,249}) (\d{1,9}) (\d{1,16})$/,
    ([topic, partition, offset]) => ({ topic: topic!, partition: Number(partition), offset: Number(offset) }),
  );
  const last = entries?.pop();
  if (entries === undefined || last?.topic !== CHECKSUM_TOPIC) return undefined;
  return last.offset === crcOfLines(text.split('\n').slice(2, -2)) ? entries : undefined;
}

function crcOfLines(lines: readonly string[]): number {
  return crc32c(Buffer.from(lines.join('\n')));
}

/** No epoch and no offset is as large: Kafka drops the entry when it opens the log, since it begins beyond the end. */
const CHECKSUM_EPOCH = 2 ** 31 - 1;
const CHECKSUM_BASE = 2 ** 52;

/** As Kafka's, with a last entry that holds the CRC-32C of those before it. */
export function formatEpochs(entries: readonly EpochStart[]): string {
  const lines = entries.map(({ epoch, startOffset }) => `${epoch} ${startOffset}`);
  return formatLines([...lines, `${CHECKSUM_EPOCH} ${CHECKSUM_BASE + crcOfLines(lines)}`]);
}

/** Undefined also unless epochs and offsets strictly increase, or if a checksum is wrong. Files written by Kafka have none. */
export function parseEpochs(text: string): EpochStart[] | undefined {
  const entries = parseEpochLines(text);
  if (entries?.at(-1)?.epoch !== CHECKSUM_EPOCH) return entries;
  return formatEpochs(entries.slice(0, -1)) === text ? entries.slice(0, -1) : undefined;
}

function parseEpochLines(text: string): EpochStart[] | undefined {
  const entries = parseLines(text, /^(\d{1,10}) (\d{1,16})$/, ([epoch, startOffset]) => ({
    epoch: Number(epoch),
    startOffset: Number(startOffset),
  }));
  const isIncreasing = entries?.every((entry, i) => {
    const before = entries[i - 1];
    return before === undefined || (before.epoch < entry.epoch && before.startOffset < entry.startOffset);
  });
  return isIncreasing ? entries : undefined;
}

/**
 * Kafka reads the first two lines; the third keeps a flipped bit, or the file of another folder, from passing for
 * another topic.
 */
export function formatPartitionMetadata(topicId: string, folderName: string): string {
  const text = `version: 0\ntopic_id: ${topicId}\n`;
  return `${text}crc32c: ${checksum(text + folderName)}\n`;
}

/** The topic id. Files written by Kafka have no checksum. */
export function parsePartitionMetadata(text: string, folderName: string): string | undefined {
  const match = /^(version: 0\ntopic_id: ([A-Za-z0-9_-]{22})\n?)(?:crc32c: ([0-9a-f]{8})\n)?$/.exec(text);
  if (match === null || (match[3] !== undefined && match[3] !== checksum(match[1]! + folderName)))
    return undefined;
  return match[2];
}

function checksum(text: string): string {
  return crc32c(Buffer.from(text)).toString(16).padStart(8, '0');
}

export interface MetaProperties {
  readonly clusterId: string;
  readonly nodeId: number;
  readonly directoryId: string;
  /** The metadata quorum that the node's broker is part of; absent until it was registered. */
  readonly quorumId?: string;
}

export function formatMetaProperties({ clusterId, nodeId, directoryId, quorumId }: MetaProperties): string {
  const quorum = quorumId === undefined ? '' : `quorum.id=${quorumId}\n`;
  const identity = `cluster.id=${clusterId}\nnode.id=${nodeId}\ndirectory.id=${directoryId}\n`;
  const text = `#\nversion=1\n${identity}${quorum}`;
  return `${text}crc32c=${checksum(text)}\n`;
}

/** Undefined unless every value is there and, if the text has a checksum, as it was written. */
export function parseMetaProperties(text: string): MetaProperties | undefined {
  const [, covered, crc] = /^([\s\S]*\n)crc32c=(.*)\n$/.exec(text) ?? [];
  if (covered !== undefined && crc !== checksum(covered)) return undefined;
  const values = new Map(
    text
      .split('\n')
      .filter((line) => line.includes('=') && !line.startsWith('#'))
      .map((line) => [line.slice(0, line.indexOf('=')).trim(), line.slice(line.indexOf('=') + 1).trim()]),
  );
  const clusterId = values.get('cluster.id') ?? '';
  const nodeId = values.get('node.id') ?? '';
  const directoryId = values.get('directory.id') ?? '';
  const isWhole =
    values.get('version') === '1' &&
    clusterId !== '' &&
    /^\d{1,10}$/.test(nodeId) &&
    /^[A-Za-z0-9_-]{22}$/.test(directoryId);
  if (!isWhole) return undefined;
  const quorumId = values.get('quorum.id');
  return { clusterId, nodeId: Number(nodeId), directoryId, ...(quorumId && { quorumId }) };
}

export function formatCleanShutdown(brokerEpoch: number): string {
  return JSON.stringify({ version: 0, brokerEpoch });
}

/** The broker epoch; -1 if the marker does not tell one. */
export function parseCleanShutdown(text: string): number {
  return Number(/"brokerEpoch":\s*(-?\d{1,16})\b/.exec(text)?.[1] ?? -1);
}

/** Version line, count line, then one line an entry. */
function formatLines(lines: readonly string[]): string {
  return `0\n${lines.length}\n${lines.map((line) => `${line}\n`).join('')}`;
}

function parseLines<T>(
  text: string,
  pattern: RegExp,
  toEntry: (fields: readonly string[]) => T,
): T[] | undefined {
  const lines = text.split('\n');
  if (lines.pop() !== '' || lines[0] !== '0' || lines[1] !== String(lines.length - 2)) return undefined;
  const entries: T[] = [];
  for (const line of lines.slice(2)) {
    const match = pattern.exec(line);
    if (match === null) return undefined;
    entries.push(toEntry(match.slice(1)));
  }
  return entries;
}
