/** What holds for every message of every API in every version. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { arbitraryMessage } from '../testing/arbitrary-message.ts';
import type { Codec } from '../wire/codec.ts';
import { MalformedFrame } from '../wire/malformed-frame.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { APIS } from './api-table.ts';

const codecs = Object.values(APIS).flatMap(
  ({ request, response }) => [request, response] as unknown as Codec[],
);
const messages = codecs.flatMap((codec) =>
  Array.from({ length: codec.highestVersion - codec.lowestVersion + 1 }, (_, index) => ({
    codec,
    version: codec.lowestVersion + index,
    at: `${codec.schema.name} v${codec.lowestVersion + index}`,
  })),
);
const SEED = 5;

function encoded(codec: Codec, version: number, message: Readonly<Record<string, unknown>>): Buffer {
  const to = new WireWriter();
  codec.encode(to, version, message);
  expect(to.length).toBe(to.finish().reduce((sum, part) => sum + part.length, 0));
  return Buffer.concat(to.finish());
}

/** Undefined if the bytes are malformed; any other failure is passed on. */
function decodedOrRefused(codec: Codec, version: number, bytes: Buffer): unknown {
  try {
    return codec.decode(new WireReader(bytes), version);
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined;
    throw error;
  }
}

/** Elements of all arrays in a message. */
function elementsOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return 0;
  const own = Array.isArray(value) ? value.length : 0;
  return Object.values(value).reduce<number>((sum, inner) => sum + elementsOf(inner), own);
}

const samplesOf = (codec: Codec, version: number, numRuns: number) =>
  fc.sample(arbitraryMessage(codec.schema, version), { seed: SEED, numRuns });

describe('every message', () => {
  test('comes back as it was, with defaults for fields that the version lacks', () => {
    for (const { codec, version } of messages)
      fc.assert(
        fc.property(arbitraryMessage(codec.schema, version), (message) => {
          const bytes = encoded(codec, version, message);
          const from = new WireReader(bytes);
          expect(codec.decode(from, version)).toEqual(message);
          expect(from.left).toBe(0);
        }),
        { seed: SEED, numRuns: 8 },
      );
  });

  test('is refused wherever it is cut off', () => {
    for (const { codec, version, at } of messages) {
      const [sample] = samplesOf(codec, version, 3).map((message) => encoded(codec, version, message));
      for (let length = 0; length < sample!.length; length++)
        expect(
          decodedOrRefused(codec, version, sample!.subarray(0, length)),
          `${at} at ${length}`,
        ).toBeUndefined();
    }
  });

  test('is either read or refused after bytes have changed, and never has more elements than bytes', () => {
    for (const { codec, version, at } of messages)
      fc.assert(
        fc.property(
          arbitraryMessage(codec.schema, version),
          fc.array(fc.tuple(fc.nat(), fc.constantFrom(0, 1, 0x7f, 0x80, 0xff)), {
            minLength: 1,
            maxLength: 4,
          }),
          (message, changes) => {
            const bytes = encoded(codec, version, message);
            if (bytes.length === 0) return;
            for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
            const read = decodedOrRefused(codec, version, bytes);
            expect(elementsOf(read), at).toBeLessThanOrEqual(bytes.length);
          },
        ),
        { seed: SEED, numRuns: 12 },
      );
  });

  test('is read in spite of tagged fields that nobody knows', () => {
    const unknown = Buffer.from([1, 100, 3, 0xff, 0xff, 0xff]);
    for (const { codec, version } of messages.filter((message) => message.codec.isFlexible(message.version)))
      for (const message of samplesOf(codec, version, 4)) {
        const bytes = encoded(codec, version, message);
        if (Object.values(codec.schema.fields).some(({ tag }) => tag !== undefined)) continue;
        expect(bytes.at(-1)).toBe(0);
        const longer = Buffer.concat([bytes.subarray(0, -1), unknown]);
        const from = new WireReader(longer);
        expect(codec.decode(from, version)).toEqual(message);
        expect(from.left).toBe(0);
      }
  });
});
