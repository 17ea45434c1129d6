import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import fc from 'fast-check';
import type protobuf from 'protobufjs';
import { expect, test } from 'vitest';
import * as protocol from '../index.ts';
import type { Codec } from './codec.ts';
import { NESTED_MESSAGES_MAX } from './wire-reader.ts';

interface Generator {
  generate(): string;
  outputFile: string;
  loadRoot(): protobuf.Root;
}

const script = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'scripts', 'generate.js');
const { generate, outputFile, loadRoot } = (await import(pathToFileURL(script).href)) as Generator;
const root = loadRoot();

const codecs = Object.values(protocol).filter(
  (value): value is Codec<Record<string, unknown>> => typeof value === 'object' && 'encode' in value,
);

const { MAX_SAFE_INTEGER } = Number;
const UINT32_MAX = 2 ** 32 - 1;
const RANGES: Record<string, [number, number]> = {
  uint32: [0, UINT32_MAX],
  int32: [-(2 ** 31), 2 ** 31 - 1],
  sint32: [-(2 ** 31), 2 ** 31 - 1],
  uint64: [0, MAX_SAFE_INTEGER],
  int64: [-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER],
  sint64: [-MAX_SAFE_INTEGER, MAX_SAFE_INTEGER],
};

function arbitraryOf(field: protobuf.Field): fc.Arbitrary<unknown> {
  if (field.resolvedType && 'fieldsArray' in field.resolvedType) return messageOf(field.resolvedType);
  if (field.resolvedType) return fc.constantFrom(0, 1, 2, 3);
  if (field.type === 'string') return fc.string({ unit: 'grapheme', maxLength: 60 });
  if (field.type === 'bytes') return fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
  if (field.type === 'bool') return fc.boolean();
  const [min, max] = RANGES[field.type]!;
  const edges = fc.constantFrom(
    min,
    max,
    0,
    Math.max(min, -1),
    127,
    128,
    16_383,
    16_384,
    2 ** 28,
    Math.min(max, UINT32_MAX),
  );
  return fc.oneof(
    edges,
    max > UINT32_MAX
      ? fc.maxSafeInteger().map((n) => (min < 0 ? n : Math.abs(n)))
      : fc.integer({ min: min, max: max }),
  );
}

/** Messages as decoders return them: every field set, an absent `optional` or failure as undefined. */
function messageOf(type: protobuf.Type): fc.Arbitrary<Record<string, unknown>> {
  const shape = type.fieldsArray.map((field): [string, fc.Arbitrary<unknown>] => {
    field.resolve();
    const value = arbitraryOf(field);
    if (field.map)
      return [
        field.name,
        fc.dictionary(fc.string({ maxLength: 5 }), value, { maxKeys: 3, noNullPrototype: false }),
      ];
    if (field.repeated) return [field.name, fc.array(value, { maxLength: 4 })];
    const optional = field.partOf !== null || field.resolvedType?.name === 'Failure';
    return [field.name, optional ? fc.option(value, { nil: undefined }) : value];
  });
  const message = fc.record(Object.fromEntries(shape));
  const union = type.oneofsArray.find((oneof) => oneof.fieldsArray.length > 1);
  if (!union) return message;
  // Of a oneof at most one member is set.
  const names = union.fieldsArray.map((field) => field.name);
  return fc.tuple(message, fc.constantFrom(...names)).map(([full, kept]) => {
    const others = names.filter((name) => name !== kept);
    return { ...full, ...Object.fromEntries(others.map((name) => [name, undefined])) };
  });
}

test('the generated module is what the .proto files give today', async () => {
  expect(await readFile(outputFile, 'utf8'), 'run: npm run gen -w packages/protocol').toBe(generate());
});

test('there is a codec for every message', () => {
  expect(codecs.length).toBeGreaterThan(80);
});

test.each(codecs.map((codec) => [codec.name, codec] as const))(
  '%s survives the wire both ways, and protobufjs reads and writes the same',
  (name, codec) => {
    const type = root.lookupType(name);
    const normal = { longs: Number, defaults: true, arrays: true, objects: true, bytes: Buffer } as const;
    fc.assert(
      fc.property(messageOf(type), (message) => {
        const bytes = codec.encode(message);
        expect(codec.decode(bytes)).toEqual(message);
        const theirs = type.toObject(type.decode(bytes), normal);
        expect(codec.decode(Buffer.from(type.encode(type.fromObject(theirs)).finish()))).toEqual(message);
      }),
      { numRuns: 30 },
    );
  },
);

test('64-bit fields hold every safe integer, exactly', () => {
  const field = (offset: number) => ({
    topicId: '',
    partition: 0,
    leaderEpoch: 0,
    offset,
    timestamp: offset,
  });
  for (const value of [
    0,
    1,
    -1,
    63,
    64,
    -64,
    -65,
    2 ** 31,
    -(2 ** 31),
    2 ** 32,
    -(2 ** 32),
    2 ** 53 - 1,
    1 - 2 ** 53,
  ]) {
    expect(protocol.PartitionOffset.decode(protocol.PartitionOffset.encode(field(value)))).toMatchObject({
      offset: value,
      timestamp: value,
    });
  }
});

test.each([2 ** 53, -(2 ** 53), 0.5, Number.NaN, Infinity])(
  '%d does not fit and is refused by the encoder',
  (offset) => {
    const message = { topicId: '', partition: 0, leaderEpoch: 0, offset, timestamp: 0 };
    expect(() => protocol.PartitionOffset.encode(message)).toThrow(
      expect.objectContaining({ code: 'INVALID_REQUEST' }),
    );
  },
);

test('a negative number does not fit an unsigned field', () => {
  const message = { topicId: '', partition: -1, leaderEpoch: 0, offset: 0, timestamp: 0 };
  expect(() => protocol.PartitionOffset.encode(message)).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST' }),
  );
});

test.each([
  ['a number beyond 2^53', [0x10, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]],
  ['a number of eleven bytes', [0x10, ...new Array(10).fill(0xff), 1]],
  ['a number cut short', [0x10, 0x80]],
  ['a part longer than the message', [0x0a, 200, 1]],
  ['a nested part longer than its parent', [0x0a, 2, 0x22, 5, 1, 1, 1, 1, 1]],
  ['field number 0', [0x00, 1]],
  ['an unknown wire type', [0x0f]],
  ['an end of a group that never began', [0x0c]],
])('%s is malformed: INVALID_REQUEST', (_what, bytes) => {
  expect(() => protocol.FollowMetadataRequest.decode(Buffer.from(bytes))).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST', message: expect.stringContaining('malformed') }),
  );
});

test('no bytes whatever make a decoder throw anything but INVALID_REQUEST', () => {
  const decode = (codec: Codec<unknown>, bytes: Buffer): void => {
    try {
      codec.decode(bytes);
    } catch (error) {
      expect(error).toMatchObject({ code: 'INVALID_REQUEST' });
    }
  };
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 64 }), fc.nat(codecs.length - 1), (bytes, at) =>
      decode(codecs[at]!, Buffer.from(bytes)),
    ),
    { numRuns: 3_000 },
  );
});

test('unknown fields are passed over: an older program reads what a newer one sends', () => {
  const bytes = Buffer.concat([
    protocol.PartitionRef.encode({ topicId: 'a', partition: 3 }),
    Buffer.from([0x9a, 0x06, 1, 7, 0xa0, 0x06, 5]),
  ]);
  expect(protocol.PartitionRef.decode(bytes)).toEqual({ topicId: 'a', partition: 3 });
});

test('an empty message decodes to its defaults', () => {
  expect(protocol.ProduceRequest.decode(Buffer.alloc(0))).toEqual({
    header: { correlationId: 0, timeoutMs: 0, clientId: '', clusterId: '', quorumId: '' },
    acks: 0,
    partitions: [],
  });
});

test('decoded payloads share memory with the frame', () => {
  const records = Buffer.alloc(1_000, 1);
  const partitions = [{ topicId: 't', partition: 1, leaderEpoch: 2, records }];
  const header = { correlationId: 1, timeoutMs: 0, clientId: '', clusterId: '', quorumId: '' };
  const frame = protocol.ProduceRequest.encode({ header, acks: 1, partitions });
  const decoded = protocol.ProduceRequest.decode(frame);
  expect(decoded.partitions[0]?.records.buffer).toBe(frame.buffer);
  expect(decoded.partitions[0]?.records).toEqual(records);
});

test('a small frame cannot ask for unbounded memory', () => {
  const frame = Buffer.alloc(2 * (NESTED_MESSAGES_MAX + 1));
  for (let i = 0; i < frame.length; i += 2) frame[i] = 0x1a;
  expect(() => protocol.ProduceRequest.decode(frame)).toThrow(
    expect.objectContaining({ code: 'INVALID_REQUEST' }),
  );
});

test('a key "__proto__" in a map is a key like any other', () => {
  const topic = { name: '', partitionCount: 0, replicationFactor: 0, assignments: [] };
  const configs = Object.fromEntries([['__proto__', 'x']]);
  const decoded = protocol.NewTopic.decode(protocol.NewTopic.encode({ ...topic, configs }));
  expect(Object.entries(decoded.configs)).toEqual([['__proto__', 'x']]);
});
