/**
 * A response as one frame: length, correlation id, tagged fields if the message is flexible, message. ApiVersions
 * alone never has the tagged fields: its reader does not know yet what the broker speaks (KIP-511).
 */
import { type Codec, skipTaggedFields } from '../wire/codec.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { WireWriter } from '../wire/wire-writer.ts';
import { APIS, type ApiName, type ResponseDraftOf, type ResponseOf } from './api-table.ts';

function hasTaggedHeader(api: ApiName, version: number): boolean {
  return api !== 'apiVersions' && APIS[api].response.isFlexible(version);
}

/** The frame with its length prefix, for a gathering write. Records in it are not copied. */
export function encodeResponse<N extends ApiName>(
  api: N,
  version: number,
  correlationId: number,
  response: ResponseDraftOf<N>,
): Buffer[] {
  const to = new WireWriter();
  to.int32(0);
  to.int32(correlationId);
  if (hasTaggedHeader(api, version)) to.unsignedVarint(0);
  (APIS[api].response as unknown as Codec).encode(to, version, response);
  return to.finishFrame();
}

/**
 * What a client reads, without the length prefix.
 * @throws {MalformedFrame}
 */
export function decodeResponse<N extends ApiName>(
  api: N,
  version: number,
  frame: Buffer,
): { readonly correlationId: number; readonly response: ResponseOf<N> } {
  // Who asked wants all of it.
  const from = new WireReader(frame, Infinity);
  const correlationId = from.int32();
  if (hasTaggedHeader(api, version)) skipTaggedFields(from);
  const response = (APIS[api].response as unknown as Codec).decode(from, version) as ResponseOf<N>;
  return { correlationId, response };
}
