/**
 * From a request's frame to its answer's pieces: reads the header, finds the handler, decodes, encodes. The one place
 * that knows what becomes of requests that no handler may see: of an unknown API, of a version that is not served.
 */
import { type Failure, failure } from '@millrace/broker';
import { MillraceError } from '@millrace/core';
import type { KafkaRequestHandler } from '../connection/kafka-connection.ts';
import { APIS, type ApiName, type RequestOf, type ResponseDraftOf } from '../schemas/api-table.ts';
import { type RequestHeader, readRequest, readRequestHeader } from '../schemas/request-frame.ts';
import { encodeResponse } from '../schemas/response-frame.ts';
import { WireReader } from '../wire/wire-reader.ts';
import { ApiCensus } from './api-census.ts';
import { ConnectionEnd, type Handler, type RequestFacts, type Surroundings } from './handler.ts';
import { handlerTable } from './handler-table.ts';

const SIZE_BYTES = 4;

/** The handler of requests for a `KafkaListener`. */
export function kafkaRequestHandler(around: Surroundings): KafkaRequestHandler {
  const handlers = handlerTable(around);
  const census = new ApiCensus(around.logger);
  return (frame, connection, memory) => {
    const from = new WireReader(frame);
    const header = readRequestHeader(from);
    const { api, apiVersion } = header;
    if (api === undefined) throw new ConnectionEnd(`API ${header.apiKey} is not spoken here`);
    const handler = handlers[api];
    const facts = { version: apiVersion, clientId: header.clientId ?? '', connection, memory };
    const { lowest, highest } = APIS[api].served;
    if (apiVersion < lowest || apiVersion > highest) return refuseVersion(api, header, from, handler, facts);
    const request = readRequest(api, from, apiVersion);
    census.note(api, apiVersion, facts.clientId, connection);
    return answer(api, header, request, handler as Handler<typeof api>, facts);
  };
}

async function answer<N extends ApiName>(
  api: N,
  { apiVersion, correlationId }: RequestHeader,
  request: RequestOf<N>,
  handler: Handler<N>,
  facts: RequestFacts,
): Promise<readonly Buffer[] | undefined> {
  let response: ResponseDraftOf<N> | undefined;
  try {
    response = await handler.handle(request, facts);
  } catch (error) {
    response = handler.refuse(request, failureIn(error), facts);
  }
  return response && encoded(api, apiVersion, correlationId, response);
}

/** Only an operating error can be said in an answer. */
function failureIn(error: unknown): Failure {
  if (error instanceof MillraceError) return failure(error.code, error.message);
  throw error;
}

/**
 * A version that the schemas still have is refused in its own words. ApiVersions is refused in the oldest ones, which
 * every client reads (KIP-511). For anything else there are no words.
 */
async function refuseVersion(
  api: ApiName,
  { apiVersion, correlationId }: RequestHeader,
  from: WireReader,
  handler: object,
  facts: RequestFacts,
): Promise<readonly Buffer[]> {
  const fault = failure('UNSUPPORTED_VERSION');
  if (api === 'apiVersions') {
    const request = { clientSoftwareName: '', clientSoftwareVersion: '' };
    const response = (handler as Handler<'apiVersions'>).refuse(request, fault, facts);
    return encoded(api, 0, correlationId, response);
  }
  const { request: codec, name } = APIS[api];
  if (apiVersion < codec.lowestVersion || apiVersion > codec.highestVersion) {
    throw new ConnectionEnd(`${name} has no version ${apiVersion} here`);
  }
  const request = readRequest(api, from, apiVersion);
  const response = (handler as Handler<ApiName>).refuse(request as never, fault, facts);
  return encoded(api, apiVersion, correlationId, response);
}

function encoded<N extends ApiName>(
  api: N,
  version: number,
  correlationId: number,
  response: ResponseDraftOf<N>,
): readonly Buffer[] {
  const pieces = encodeResponse(api, version, correlationId, response);
  // The connection puts the size before it.
  pieces[0] = pieces[0]!.subarray(SIZE_BYTES);
  return pieces;
}
