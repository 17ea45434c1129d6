/**
 * What a node may do with a frame. Judged by the bytes alone, with the listener's own codec, which tests of their own
 * hold against Kafka's: a frame that can be read is answered, in words of its version; any other ends its connection,
 * and so does one that is too long.
 */
import { MiB } from '@millrace/core';
import {
  APIS,
  type ApiName,
  apiNameOf,
  type Codec,
  decodeRequest,
  MalformedFrame,
  readRequestHeader,
  WireReader,
} from '@millrace/kafka-api';

const HEAD_BYTES = 8;
/** The node's `socket.request.max.bytes`, which lists that a mutation repeats may go beyond. */
const FRAME_BYTES_MAX = 100 * MiB;
/** Requests that wait for other requests, or for records, as long as the client says. */
const WAITING = new Set<ApiName | undefined>(['fetch', 'joinGroup', 'syncGroup']);

export interface Expected {
  readonly api: ApiName | undefined;
  /** Nobody can answer it: the connection has to end. */
  readonly isUnanswerable: boolean;
  /** No answer is expected, and the connection ends if it fails. */
  readonly isSilent: boolean;
  readonly mayWait: boolean;
  readonly correlationId: number;
  /** Of the answer. */
  readonly version: number;
}

/** @param frame without its size. */
export function expectedOf(frame: Buffer): Expected {
  const nothing = { isUnanswerable: true, isSilent: false, mayWait: false, correlationId: 0, version: 0 };
  if (frame.length < HEAD_BYTES || frame.length > FRAME_BYTES_MAX) return { ...nothing, api: undefined };
  const api = apiNameOf(frame.readInt16BE(0));
  const version = frame.readInt16BE(2);
  const correlationId = frame.readInt32BE(4);
  if (api === undefined) return { ...nothing, api };
  const { lowestVersion, highestVersion } = APIS[api].request;
  const isKnown = version >= lowestVersion && version <= highestVersion;
  const request = isKnown || api === 'apiVersions' ? readable(frame, isKnown) : undefined;
  if (request === undefined) return { ...nothing, api };
  return {
    api,
    isUnanswerable: false,
    isSilent: api === 'produce' && request.acks === 0,
    mayWait: WAITING.has(api),
    correlationId,
    version: isKnown ? version : 0,
  };
}

/** Of a version that nobody knows only the header is read. */
function readable(frame: Buffer, isKnown: boolean): { readonly acks?: number } | undefined {
  try {
    if (isKnown) return decodeRequest(frame).request as { acks?: number };
    readRequestHeader(new WireReader(frame));
    return {};
  } catch (error) {
    if (error instanceof MalformedFrame) return undefined;
    throw error;
  }
}

/** What is wrong with an answer; undefined for nothing. */
export function faultOfAnswer({ api, version }: Expected, answer: Buffer): string | undefined {
  const { response } = APIS[api!];
  const from = new WireReader(answer.subarray(4), Infinity);
  try {
    if (api !== 'apiVersions' && response.isFlexible(version) && from.unsignedVarint() !== 0) {
      return 'its header has tagged fields';
    }
    (response as unknown as Codec).decode(from, version);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
  return from.left === 0 ? undefined : `${from.left} bytes are left over`;
}
