/**
 * The listener's schemas against the classes of kafka-clients: every field of every version, and messages that
 * Kafka has encoded. 3.9 still has the oldest versions, 4.x the newest. Needs Java and Maven.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  APIS,
  type ApiName,
  apiNameOf,
  type Codec,
  encodeRequest,
  encodeResponse,
  type Fields,
  versionRange,
  WireReader,
  WireWriter,
} from '@millrace/kafka-api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { declaredBy, definedBy, type KafkaField } from './kafka-definition.ts';
import { KafkaTools } from './kafka-tools.ts';
import { fieldsOnWire } from './wire-fields.ts';

const OLD_CLIENTS = '3.9.1';
const NEW_CLIENTS = '4.4.0';

interface Sample {
  readonly filling: 'FULL' | 'NULLS' | 'BARE';
  readonly hex: string;
  readonly value: Json;
}

interface Told {
  readonly key: number;
  readonly kind: 'Request' | 'Response';
  readonly name: string;
  readonly version: number;
  /** Its bytes with correlation id 7, and of a request with client id "client-ü". */
  readonly header: string;
  readonly fields: readonly string[];
  readonly samples: readonly Sample[];
}

interface Definition {
  readonly key: number;
  readonly kind: 'Request' | 'Response';
  readonly name: string;
  readonly definition: string;
}

type Json = null | boolean | number | string | readonly Json[] | { readonly [name: string]: Json };

let folder = '';
const told = new Map<string, (Told | Definition)[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'millrace-kafka-messages-'));
  const keys = Object.values(APIS).map(({ key }) => key);
  const old = await KafkaTools.fetch(folder);
  const newest = await old.withClients(folder, NEW_CLIENTS);
  for (const [version, tools] of [
    [OLD_CLIENTS, old],
    [NEW_CLIENTS, newest],
  ] as const) {
    const lines = await tools.messages(keys);
    told.set(
      version,
      lines.map((line) => JSON.parse(line) as Told | Definition),
    );
  }
}, 300_000);

afterAll(async () => {
  await rm(folder, { recursive: true, force: true });
});

function codecOf({ key, kind }: Told | Definition): Codec<Fields> {
  const api = APIS[apiNameOf(key)!];
  return (kind === 'Request' ? api.request : api.response) as unknown as Codec<Fields>;
}

/** What kafka-clients tells of versions that the schemas have. */
function versionsTold(clients: string): Told[] {
  return told
    .get(clients)!
    .filter((line): line is Told => 'fields' in line)
    .filter((line) => {
      const codec = codecOf(line);
      return line.version >= codec.lowestVersion && line.version <= codec.highestVersion;
    });
}

/** Checks that ours says what Kafka's says, property by property; record batches are told by their size alone. */
function expectSame(ours: unknown, kafkas: Json, path: string): void {
  if (Array.isArray(kafkas)) {
    expect(ours, path).toHaveLength(kafkas.length);
    kafkas.forEach((value: Json, index) => {
      expectSame((ours as readonly unknown[])[index], value, `${path}[${index}]`);
    });
  } else if (typeof kafkas === 'object' && kafkas !== null) {
    for (const [name, value] of Object.entries(kafkas)) {
      const ourStruct = ours as Record<string, unknown>;
      if (name.endsWith('SizeInBytes'))
        expect((ourStruct[name.slice(0, -'SizeInBytes'.length)] as Buffer).length, path).toBe(value);
      else expectSame(ourStruct[name], value, `${path}.${name}`);
    }
  } else expect(Buffer.isBuffer(ours) ? ours.toString('base64') : ours, path).toBe(kafkas);
}

describe.each([OLD_CLIENTS, NEW_CLIENTS])('of kafka-clients %s', (clients) => {
  test('every message has the same fields in the same order, of the same types', () => {
    const lines = versionsTold(clients);
    expect(lines.length).toBeGreaterThan(300);
    for (const { fields, name, version, ...line } of lines) {
      const ours = fieldsOnWire(codecOf({ name, version, fields, ...line }).schema, version);
      // Older clients do not say of structures and records that they may be null.
      const comparable = (text: string) =>
        text
          .replace(/nullable_records/, 'records')
          .replace(clients === OLD_CLIENTS ? / struct nullable/ : /$^/, ' struct');
      expect(ours.map(comparable), `${name} v${version}`).toEqual(fields.map(comparable));
    }
  });

  test('every message that Kafka encodes is read as Kafka means it, and written to the same bytes', () => {
    let count = 0;
    for (const line of versionsTold(clients)) {
      const codec = codecOf(line);
      for (const { hex, value, filling } of line.samples) {
        const at = `${line.name} v${line.version} ${filling}`;
        const from = new WireReader(Buffer.from(hex, 'hex'));
        const message = codec.decode(from, line.version);
        expect(from.left, at).toBe(0);
        expectSame(message, value, at);
        const to = new WireWriter();
        codec.encode(to, line.version, message);
        expect(Buffer.concat(to.finish()).toString('hex'), at).toBe(hex);
        count++;
      }
    }
    expect(count).toBeGreaterThan(900);
  });

  test('every frame has the header that Kafka gives it', () => {
    for (const { key, kind, name, version, header, samples } of versionsTold(clients)) {
      const api = apiNameOf(key)!;
      const codec = kind === 'Request' ? APIS[api].request : APIS[api].response;
      const message = (codec as unknown as Codec).decode(
        new WireReader(Buffer.from(samples[0]!.hex, 'hex')),
        version,
      );
      // The message is of this API, which the compiler cannot know.
      const parts =
        kind === 'Request'
          ? encodeRequest(api, { version, correlationId: 7, clientId: 'client-ü' }, message as never)
          : encodeResponse(api, version, 7, message as never);
      const frame = Buffer.concat(parts);
      expect(frame.readInt32BE(0)).toBe(frame.length - 4);
      expect(frame.toString('hex', 4), `${name} v${version}`).toBe(header + samples[0]!.hex);
    }
  });

  test('every field has the same versions, default and tag, and is ignorable where it is in Kafka', () => {
    const definitions = told.get(clients)!.filter((line): line is Definition => 'definition' in line);
    expect(definitions).toHaveLength(2 * Object.keys(APIS).length);
    for (const line of definitions) {
      const { schema } = codecOf(line);
      const kafkas = definedBy(line.definition, versionRange(schema.versions));
      expect(declaredBy(schema, kafkas.versions), line.name).toEqual(kafkas.fields satisfies KafkaField[]);
    }
  });
});

test('every version that is served is known to one of them', () => {
  const known = new Set(
    [...versionsTold(OLD_CLIENTS), ...versionsTold(NEW_CLIENTS)].map(
      ({ key, kind, version }) => `${apiNameOf(key)} ${kind} ${version}`,
    ),
  );
  for (const [name, { served }] of Object.entries(APIS) as [ApiName, (typeof APIS)[ApiName]][])
    for (let version = served.lowest; version <= served.highest; version++)
      for (const kind of ['Request', 'Response'])
        expect(known.has(`${name} ${kind} ${version}`), `${name} ${kind} ${version}`).toBe(true);
});
