/** The Kafka door. Schemas and codec of Kafka's protocol; the listener stands on them. */
export type { ConnectionFacts, KafkaRequestHandler } from './connection/kafka-connection.ts';
export { RequestTurns } from './connection/request-turns.ts';
export { kafkaRequestHandler } from './handlers/dispatcher.ts';
export type { Surroundings } from './handlers/handler.ts';
export { type KafkaListenerConfig, kafkaConfig } from './kafka-config.ts';
export { KafkaListener, type KafkaListenerOptions } from './kafka-listener.ts';
export {
  APIS,
  type Api,
  type ApiName,
  apiNameOf,
  type RequestDraftOf,
  type RequestOf,
  type ResponseDraftOf,
  type ResponseOf,
  type VersionWindow,
} from './schemas/api-table.ts';
export {
  decodeRequest,
  encodeRequest,
  type RequestHeader,
  readRequest,
  readRequestHeader,
} from './schemas/request-frame.ts';
export { decodeResponse, encodeResponse } from './schemas/response-frame.ts';
export type { Codec } from './wire/codec.ts';
export { MalformedFrame } from './wire/malformed-frame.ts';
export {
  type Field,
  type Fields,
  hasVersion,
  type MessageDraftOf,
  type MessageOf,
  type MessageSchema,
  type Versions,
  versionRange,
} from './wire/schema.ts';
export { WireReader } from './wire/wire-reader.ts';
export { WireWriter } from './wire/wire-writer.ts';
