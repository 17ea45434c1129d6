import { describe, expect, test } from 'vitest';
import { decodeRequest, encodeRequest } from '../schemas/request-frame.ts';
import { decodeResponse, encodeResponse } from '../schemas/response-frame.ts';

const header = { version: 9, correlationId: 7, clientId: 'me' };
const records = Buffer.alloc(2000, 7);

describe('produce', () => {
  const request = {
    acks: -1,
    timeoutMs: 1000,
    topicData: [{ name: 'orders', partitionData: [{ index: 3, records }] }],
  };

  test.each([3, 8, 9, 11])('v%i comes back, with defaults for what was left out', (version) => {
    const frame = Buffer.concat(encodeRequest('produce', { ...header, version }, request));
    expect(frame.readInt32BE(0)).toBe(frame.length - 4);
    expect(decodeRequest(frame.subarray(4))).toEqual({
      header: { apiKey: 0, api: 'produce', apiVersion: version, correlationId: 7, clientId: 'me' },
      request: { ...request, transactionalId: null },
    });
  });

  test('records pass without a copy in both directions', () => {
    const parts = encodeRequest('produce', header, request);
    expect(parts.some((part) => part === records)).toBe(true);
  });
});

test('a response of ApiVersions has the old header in every version', () => {
  const response = { errorCode: 0, apiKeys: [{ apiKey: 18, minVersion: 0, maxVersion: 4 }] };
  const frame = Buffer.concat(encodeResponse('apiVersions', 3, 5, response)).subarray(4);
  expect(frame.subarray(0, 6).toString('hex')).toBe('000000050000');
  expect(decodeResponse('apiVersions', 3, frame).response.apiKeys).toHaveLength(1);
});
