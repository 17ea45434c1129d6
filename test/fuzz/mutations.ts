/** What is done to a request: to the meaning of its fields, to the batch in it, to its bytes, to its size. Seeded. */
import { below, type Random } from '@millrace/core';
import { encodeRequest, type Field, type Fields, hasVersion } from '@millrace/kafka-api';
import { crc32c } from '@millrace/records';
import { mendMessageSet } from './message-set.ts';
import { fieldsOf, type StartingPoint } from './starting-points.ts';

const SIZE_BYTES = 4;
const CRC_AT = 17;
const CRC_START = 21;
const MAGIC_AT = 16;

export interface Mutant {
  readonly mutation: string;
  readonly start: StartingPoint;
  /** With its size before it. */
  readonly bytes: Buffer;
  /** The size does not say where the frame ends: nothing that follows on the connection is what it seems. */
  readonly isUnframed: boolean;
}

const INTERESTING = [
  0, 1, -1, -2, 2, 7, 16, 127, 128, -128, 255, 256, 1_000, 4_096, 32_767, 32_768, -32_768, 65_535, 65_536,
  1_000_000, 0x7fff_ffff, -0x8000_0000, 0x7fff_fffe, 0x1000_0000, 1_000_000_000,
] as const;
const INTERESTING_INT64 = [
  ...INTERESTING,
  2 ** 53 - 1,
  -(2 ** 53 - 1),
  2 ** 40,
  -(2 ** 33),
  4_102_444_800_000,
];
const TEXTS = [
  '',
  'here',
  '../../etc',
  'a'.repeat(300),
  'ü\u0000',
  '.',
  '..',
  '__consumer_offsets',
  '*',
  '((((',
  'x',
];

/** A mutant of one of the starting points; the same one for the same random numbers. */
export function mutantOf(points: readonly StartingPoint[], random: Random): Mutant {
  const start = pick(points, random);
  const kind = below(random, 100);
  if (kind < 30) return whole('field', start, frameOf(mutateFields(start, random), random));
  if (kind < 42) return whole('batch', start, frameOf(mutateBatches(start, random), random));
  const frame = frameOf(start, random);
  if (kind < 62) return whole('bits and bytes', start, resized(mutateBytes(frame, random)));
  if (kind < 72) return whole('integer', start, resized(overwriteInteger(frame, random)));
  if (kind < 78) return whole('cut short', start, resized(cut(frame, random)));
  if (kind < 84) return whole('extended', start, resized(extend(frame, random)));
  if (kind < 91)
    return whole('spliced', start, resized(splice(frame, frameOf(pick(points, random), random), random)));
  if (kind < 94) return whole('header', start, mutateHeader(frame, random));
  const bytes = kind < 96 ? cut(frame, random) : lieAboutSize(frame, random);
  return { mutation: kind < 96 ? 'half a frame' : 'wrong size', start, bytes, isUnframed: true };
}

const whole = (mutation: string, start: StartingPoint, bytes: Buffer): Mutant => ({
  mutation,
  start,
  bytes,
  isUnframed: false,
});

function pick<T>(values: readonly T[], random: Random): T {
  return values[below(random, values.length)]!;
}

function frameOf({ api, version, message }: StartingPoint, random: Random): Buffer {
  const clientId = pick([null, 'fuzz', ''], random);
  const correlationId = random.uint32() | 0;
  return Buffer.concat(encodeRequest(api, { version, correlationId, clientId }, message as never));
}

/** A place in a message and what may stand there. */
interface Leaf {
  readonly holder: Record<string | number, unknown>;
  readonly key: string | number;
  readonly type: string;
}

function mutateFields(start: StartingPoint, random: Random): StartingPoint {
  const message = copied(start.message) as Record<string, unknown>;
  const leaves = leavesOf(fieldsOf(start), message, start.version);
  for (let count = 1 + below(random, 3); count > 0 && leaves.length > 0; count--) {
    const { holder, key, type } = pick(leaves, random);
    holder[key] = mutatedValue(type, holder[key], random);
  }
  return { ...start, message };
}

function copied(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copied);
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, copied(inner)]));
}

function leavesOf(fields: Fields, holder: Record<string, unknown>, version: number): Leaf[] {
  return Object.entries(fields).flatMap(([key, field]) =>
    hasVersion(field.versions, version) ? leavesIn(field, holder, key, version) : [],
  );
}

function leavesIn(field: Field, holder: Record<string, unknown>, key: string, version: number): Leaf[] {
  const value = holder[key];
  if (value === null || value === undefined) return [];
  if (field.type === 'struct') return leavesOf(field.fields!, value as Record<string, unknown>, version);
  if (!Array.isArray(value)) return [{ holder, key, type: field.type }];
  const inner = value.flatMap((item: unknown, index): Leaf[] =>
    field.fields === undefined
      ? [{ holder: value as never, key: index, type: field.element! }]
      : leavesOf(field.fields, item as Record<string, unknown>, version),
  );
  return [{ holder, key, type: 'array' }, ...inner];
}

const REPEATS = [0, 2, 3, 10, 500];

function mutatedValue(type: string, value: unknown, random: Random): unknown {
  switch (type) {
    case 'array': {
      const items = value as readonly unknown[];
      const repeats = pick(REPEATS, random);
      // The same things many times over, in one request.
      return Array.from(
        { length: Math.min(items.length * repeats, 1_000) },
        (_, i) => items[i % items.length],
      );
    }
    case 'string':
      return below(random, 3) === 0 ? `${String(value)}${below(random, 1_000)}` : pick(TEXTS, random);
    case 'bytes':
    case 'records':
      return mutateBytes(value as Buffer, random);
    case 'boolean':
      return value !== true;
    case 'uuid':
      return pick(['A'.repeat(22), `${'A'.repeat(21)}Q`, `${'_'.repeat(21)}w`], random);
    case 'int64':
      return pick(INTERESTING_INT64, random);
    case 'float64':
      return pick([0, -1, Number.NaN, Infinity], random);
    default:
      return narrowed(type, pick(INTERESTING, random));
  }
}

function narrowed(type: string, value: number): number {
  if (type === 'int8') return (value << 24) >> 24;
  if (type === 'int16') return (value << 16) >> 16;
  return type === 'uint16' ? value & 0xffff : value;
}

/** Changes batches of a Produce request, and mostly makes the checksum right again: the rest is what is to be read. */
function mutateBatches(start: StartingPoint, random: Random): StartingPoint {
  const message = copied(start.message) as Record<string, unknown>;
  const batches = leavesOf(fieldsOf(start), message, start.version).filter(({ type }) => type === 'records');
  if (batches.length === 0) return mutateFields(start, random);
  for (const { holder, key } of batches) {
    const changed = mutateBatch(holder[key] as Buffer, random);
    if (below(random, 10) < 8) mend(changed);
    holder[key] = changed;
  }
  return { ...start, message };
}

function mutateBatch(bytes: Buffer, random: Random): Buffer {
  const way = below(random, 8);
  if (way === 0) return cut(bytes, random);
  if (way === 1) return Buffer.concat([bytes, bytes]);
  if (way === 2) return extend(bytes, random);
  if (way < 5) return overwriteInteger(bytes, random);
  return mutateBytes(bytes, random);
}

function mend(bytes: Buffer): void {
  if (bytes[MAGIC_AT] !== 2) mendMessageSet(bytes);
  else if (bytes.length > CRC_START) bytes.writeUInt32BE(crc32c(bytes.subarray(CRC_START)), CRC_AT);
}

function mutateBytes(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  if (changed.length === 0) return changed;
  for (let count = 1 + below(random, 6); count > 0; count--) {
    const at = below(random, changed.length);
    if (below(random, 2) === 0) changed[at]! ^= 1 << below(random, 8);
    else changed[at] = pick([0, 1, 0x7f, 0x80, 0xfe, 0xff, random.uint32() & 0xff], random);
  }
  return changed;
}

function overwriteInteger(bytes: Buffer, random: Random): Buffer {
  const changed = Buffer.from(bytes);
  const width = pick([1, 2, 4, 8], random);
  if (changed.length < width) return changed;
  const at = below(random, changed.length - width + 1);
  if (width === 8) changed.writeBigInt64BE(BigInt(pick(INTERESTING_INT64, random)), at);
  else changed.writeIntBE(narrowed(`int${width * 8}`, pick(INTERESTING, random)), at, width);
  return changed;
}

function cut(bytes: Buffer, random: Random): Buffer {
  return Buffer.from(bytes.subarray(0, below(random, bytes.length + 1)));
}

function extend(bytes: Buffer, random: Random): Buffer {
  const at = below(random, bytes.length + 1);
  const from = below(random, bytes.length + 1);
  const more =
    below(random, 2) === 0
      ? Buffer.alloc(1 + below(random, 300), random.uint32())
      : bytes.subarray(from, from + below(random, 300));
  return Buffer.concat([bytes.subarray(0, at), more, bytes.subarray(at)]);
}

function splice(one: Buffer, other: Buffer, random: Random): Buffer {
  return Buffer.concat([
    one.subarray(0, SIZE_BYTES + below(random, one.length)),
    other.subarray(below(random, other.length)),
  ]);
}

/** The same bytes under another API or version. */
function mutateHeader(frame: Buffer, random: Random): Buffer {
  const changed = Buffer.from(frame);
  if (below(random, 2) === 0) changed.writeInt16BE(below(random, 80) - 2, SIZE_BYTES);
  if (below(random, 2) === 0) changed.writeInt16BE(below(random, 20) - 2, SIZE_BYTES + 2);
  return changed;
}

function lieAboutSize(frame: Buffer, random: Random): Buffer {
  const changed = Buffer.from(frame);
  const size = frame.length - SIZE_BYTES;
  const lie = pick(
    [size + 1, size - 1, size + below(random, 1_000), below(random, size), ...INTERESTING],
    random,
  );
  changed.writeInt32BE(narrowed('int32', lie), 0);
  return changed;
}

/** With a size that is true again, so that the frame is read for what it says. */
function resized(frame: Buffer): Buffer {
  const changed = frame.length < SIZE_BYTES ? Buffer.alloc(SIZE_BYTES) : frame;
  changed.writeInt32BE(changed.length - SIZE_BYTES, 0);
  return changed;
}
