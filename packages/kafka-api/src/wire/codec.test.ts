import { describe, expect, test } from 'vitest';
import { APIS, type RequestDraftOf } from '../schemas/api-table.ts';
import { decodeRequest, encodeRequest } from '../schemas/request-frame.ts';
import { decodeResponse, encodeResponse } from '../schemas/response-frame.ts';
import { Codec } from './codec.ts';
import { MalformedFrame } from './malformed-frame.ts';
import { array, arrayOf, bytes, int32, message, string, struct } from './schema.ts';
import { WireReader } from './wire-reader.ts';
import { WireWriter } from './wire-writer.ts';

const header = { version: 9, correlationId: 7, clientId: 'me' };
const batch = Buffer.alloc(2000, 7);

describe('produce', () => {
  const request = {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'orders', partitionData: [{ index: 3, records: batch }] }],
  };

  test.each([3, 8, 9, 11])('v%i comes back, with defaults for what was left out', (version) => {
    const frame = Buffer.concat(encodeRequest('produce', { ...header, version }, request));
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(decodeRequest(frame.subarray(4))).toEqual({
      header: { apiKey: 0, api: 'produce', apiVersion: version, correlationId: 7, clientId: 'me' },
      request: { ...request, transactionalId: null },
    });
  });

  test('hands out records as a view into the frame', () => {
    const frame = Buffer.concat(encodeRequest('produce', header, request)).subarray(4);
    const { request: read } = decodeRequest(frame) as { request: RequestDraftOf<'produce'> };
    const { records } = read.topicData[0]!.partitionData[0]! as { records: Buffer };
    expect(records.buffer).toBe(frame.buffer);
    expect(records).toEqual(batch);
  });
});

describe('fetch', () => {
  test.each([4, 11, 12, 17])(
    'v%i answers with records that nobody copied, in several parts or one',
    (version) => {
      const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 9, abortedTransactions: null };
      const partitions = [
        { ...partition, records: [batch, batch] },
        { ...partition, partitionIndex: 1, records: batch },
        { ...partition, partitionIndex: 2, records: null },
      ];
      const topicId = version < 13 ? undefined : 'AAECAwQFBgcICQoLDA0ODw';
      const topic = version < 13 ? 'orders' : undefined;
      const parts = encodeResponse('fetch', version, 1, { responses: [{ topic, topicId, partitions }] });
      expect(parts.filter((part) => part === batch)).toHaveLength(3);
      const { response } = decodeResponse('fetch', version, Buffer.concat(parts).subarray(4));
      const read = response.responses[0]!.partitions.map(({ records }) => records?.length);
      expect(read).toEqual([4000, 2000, undefined]);
    },
  );
});

describe('a header', () => {
  test('of a response of ApiVersions is the old one in every version', () => {
    const response = { errorCode: 0, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] };
    const frame = Buffer.concat(encodeResponse('apiVersions', 3, 5, response)).subarray(4);
    expect(frame.subarray(0, 6).toString('hex')).toBe('000000050000');
    expect(decodeResponse('apiVersions', 3, frame).response.apiKeys).toHaveLength(1);
  });

  test('may have tagged fields, and no client id', () => {
    const plain = Buffer.concat(
      encodeRequest('heartbeat', { ...header, version: 4, clientId: null }, heartbeat),
    );
    const tags = plain.indexOf(Buffer.from('ffff00', 'hex')) + 2;
    const frame = Buffer.concat([
      plain.subarray(4, tags),
      Buffer.from('01630155', 'hex'),
      plain.subarray(tags + 1),
    ]);
    const { header: read, request } = decodeRequest(frame);
    expect(read).toMatchObject({ api: 'heartbeat', clientId: null });
    expect(request).toMatchObject(heartbeat);
  });

  test('is read of APIs that are not spoken here', () => {
    const frame = Buffer.from('03e7000000000009ffff', 'hex');
    expect(decodeRequest(frame).header).toMatchObject({ apiKey: 999, api: undefined, correlationId: 9 });
  });
});

const heartbeat = { groupId: 'g', generationId: 1, memberId: 'm' };

describe('a version that lacks a field', () => {
  const { request } = APIS.heartbeat;

  test('carries the default, given or left out', () => {
    expect(() => request.encode(new WireWriter(), 2, heartbeat)).not.toThrow();
    expect(() => request.encode(new WireWriter(), 2, { ...heartbeat, groupInstanceId: null })).not.toThrow();
  });

  test('refuses any other value', () => {
    const draft = { ...heartbeat, groupInstanceId: 'static' };
    expect(() => request.encode(new WireWriter(), 2, draft)).toThrow(
      'HeartbeatRequest v2 cannot carry groupInstanceId',
    );
  });

  test('drops the value of a field that may be ignored', () => {
    const draft = { errorCode: 0, throttleTimeMs: 5 };
    const frame = Buffer.concat(encodeResponse('heartbeat', 0, 1, draft)).subarray(4);
    expect(decodeResponse('heartbeat', 0, frame).response).toEqual({ errorCode: 0, throttleTimeMs: 0 });
  });
});

test('a version that the schema lacks is refused', () => {
  for (const version of [-1, 5, 1.5, 99])
    expect(() => APIS.heartbeat.request.encode(new WireWriter(), version, heartbeat)).toThrow(
      `HeartbeatRequest has no version ${version} here`,
    );
});

describe('null', () => {
  const codec = new Codec(
    message(
      'Sample',
      { versions: '0-1', flexible: '1+' },
      {
        text: string('0+', { nullable: '1+' }),
        blob: bytes('0+', { nullable: '1+' }),
        list: arrayOf('0+', 'int32', { nullable: '1+' }),
        inner: struct('0+', { id: int32('0+') }, { nullable: '1+' }),
        tagged: array('1+', { id: int32('0+') }, { nullable: '1+', default: null, tag: 3 }),
      },
    ),
  );
  const nothing = { text: null, blob: null, list: null, inner: null };
  const empty = { text: '', blob: Buffer.alloc(0), list: [], inner: { id: 0 } };

  test('comes back where it is allowed, and differs from empty', () => {
    for (const draft of [nothing, empty]) {
      const to = new WireWriter();
      codec.encode(to, 1, draft);
      expect(codec.decode(new WireReader(Buffer.concat(to.finish())), 1)).toEqual({ ...draft, tagged: null });
    }
  });

  test('is not written where it is not allowed', () => {
    for (const name of ['text', 'blob', 'list'] as const)
      expect(() => codec.encode(new WireWriter(), 0, { ...empty, [name]: null })).toThrow('null where');
  });

  test.each(['ffff', '0000 ffffffff', '0000 00000000 ffffffff', 'fffe'])(
    'is refused when read (%s)',
    (hex) => {
      const frame = Buffer.from(`${hex}00000000000000000000`.replaceAll(' ', ''), 'hex');
      expect(() => codec.decode(new WireReader(frame), 0)).toThrow(MalformedFrame);
    },
  );

  test('of a tagged field is told from an empty one, although only one of them is written', () => {
    const to = new WireWriter();
    codec.encode(to, 1, { ...nothing, tagged: [] });
    expect(codec.decode(new WireReader(Buffer.concat(to.finish())), 1).tagged).toEqual([]);
  });
});

describe('counts', () => {
  const frameOf = (count: string) => Buffer.from(`0000000000000000${count}${'00'.repeat(64)}`, 'hex');

  test.each(['7fffffff', '00010000'])('of %s elements in 64 bytes are refused at once', (count) => {
    // ListOffsets v1: replica id, then topics of at least six bytes each.
    const frame = frameOf(count).subarray(4);
    expect(() => APIS.listOffsets.request.decode(new WireReader(frame), 1)).toThrow(MalformedFrame);
  });

  test('of small elements cannot make a request fill the memory, or take a second: 65,536 are the most', () => {
    const decoded = (elements: number) => {
      const frame = Buffer.alloc(4 + elements * 2);
      frame.writeInt32BE(elements, 0);
      return APIS.describeGroups.request.decode(new WireReader(frame), 0).groups.length;
    };
    expect(decoded(65_536)).toBe(65_536);
    expect(() => decoded(65_537)).toThrow('more than the 65536 elements that one frame may have');
  });
});
