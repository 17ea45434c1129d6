/**
 * A request as one frame without its length prefix: header, then message. Which of the headers a request has
 * follows from its key and version. Decides nothing about versions: whether one is served is the caller's question.
 */
import { type Codec, skipTaggedFields } from '../wire/codec.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { utf8Length, WireWriter } from '../wire/wire-writer.ts';
import { APIS, type ApiName, apiNameOf, type RequestDraftOf, type RequestOf } from './api-table.ts';

export interface RequestHeader {
  readonly apiKey: number;
  /** Undefined for an API that is not spoken here; only the header could be read then. */
  readonly api: ApiName | undefined;
  /** May be one that is not served. */
  readonly apiVersion: number;
  readonly correlationId: number;
  readonly clientId: string | null;
}

/**
 * Reads header v1, or v2 where the message is flexible. (v0 belonged to a single request of ZooKeeper's days.)
 * @throws {MalformedFrame}
 */
export function readRequestHeader(from: WireReader): RequestHeader {
  const apiKey = from.int16();
  const apiVersion = from.int16();
  const correlationId = from.int32();
  const clientIdLength = from.int16();
  // Not compact even in v2, so that a broker can read it before it knows the version.
  const clientId = clientIdLength < 0 ? null : from.text(clientIdLength);
  const api = apiNameOf(apiKey);
  if (api !== undefined && APIS[api].request.isFlexible(apiVersion)) skipTaggedFields(from);
  return { apiKey, api, apiVersion, correlationId, clientId };
}

/**
 * Reads what follows the header.
 * @throws {MalformedFrame}
 */
export function readRequest<N extends ApiName>(api: N, from: WireReader, version: number): RequestOf<N> {
  return (APIS[api].request as unknown as Codec).decode(from, version) as RequestOf<N>;
}

/** What a client sends, length prefix included. */
export function encodeRequest<N extends ApiName>(
  api: N,
  { version, correlationId, clientId }: { version: number; correlationId: number; clientId: string | null },
  request: RequestDraftOf<N>,
): Buffer[] {
  const { key, request: codec } = APIS[api];
  const to = new WireWriter();
  to.int32(0);
  to.int16(key);
  to.int16(version);
  to.int32(correlationId);
  const clientIdLength = clientId === null ? -1 : utf8Length(clientId);
  to.int16(clientIdLength);
  if (clientId !== null) to.text(clientId, clientIdLength);
  if (codec.isFlexible(version)) to.unsignedVarint(0);
  (codec as unknown as Codec).encode(to, version, request);
  return to.finishFrame();
}

/** Reads a whole request of a version that the schemas have. */
export function decodeRequest(frame: Buffer): { header: RequestHeader; request: unknown } {
  const from = new WireReader(frame);
  const header = readRequestHeader(from);
  const request = header.api && readRequest(header.api, from, header.apiVersion);
  return { header, request };
}
