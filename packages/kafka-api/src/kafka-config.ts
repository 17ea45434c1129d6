/** Limits of the Kafka door that the other doors do not have. Every one is named here, with its unit, under Kafka's name where Kafka has one. */
import { bytes, type ConfigOf, configSchema, count, KiB, MiB, millis } from '@millrace/core';

const INT32_MAX = 2 ** 31 - 1;

export const kafkaConfig = configSchema('kafka', {
  'max.connections.per.ip': count({
    default: INT32_MAX,
    min: 1,
    max: INT32_MAX,
    doc: 'Kafka connections from one address; further ones are refused.',
  }),
  'max.connection.creation.rate': count({
    default: INT32_MAX,
    min: 1,
    max: INT32_MAX,
    doc: 'Kafka connections accepted in one second; further ones are refused until it is over.',
  }),
  'max.incremental.fetch.session.cache.slots': count({
    default: 1_000,
    min: 0,
    max: INT32_MAX,
    doc: 'Fetch sessions of Kafka consumers that a listener keeps; a consumer without one asks for all its partitions every time.',
  }),
  'queued.max.requests.per.connection': count({
    default: 1_000,
    min: 1,
    max: 100_000,
    doc: 'Requests of one Kafka connection in hand at one time; beyond it nothing more is read from it.',
  }),
  'queued.max.request.bytes.per.connection': bytes({
    default: 16 * MiB,
    min: 64 * KiB,
    doc: 'Bytes of requests of one Kafka connection in hand at one time; beyond it nothing more is read from it. One request larger than this still passes.',
  }),
  'queued.max.response.bytes': bytes({
    default: 256 * MiB,
    min: 1 * MiB,
    doc: 'Answers of all Kafka connections that their clients have not taken yet. The answer to a fetch takes a quarter of what is left of it at most, but may always bring 64 KiB or one record batch; while nothing is left no fetch begins on a connection whose client has not taken its answers.',
  }),
  'queued.max.response.bytes.per.connection': bytes({
    default: 4 * MiB,
    min: 64 * KiB,
    doc: 'Answers that the client of one Kafka connection has not taken yet; beyond it no further request of it begins. One answer larger than this still passes.',
  }),
  'request.buffers.bytes': bytes({
    default: 32 * MiB,
    min: 0,
    doc: 'Memory of requests of Kafka clients that nobody needs any more, kept for the next ones; 0 for none.',
  }),
  'request.receive.timeout.ms': millis({
    default: 30_000,
    min: 10,
    max: INT32_MAX,
    doc: 'A Kafka client that stalls in the middle of a request for this long, or sends slower than 10 bytes per millisecond for so long that it is behind by as much, is cut off: after 10 s at most while what it has sent keeps others from being read. Time in which nothing is read from it does not count.',
  }),
  'response.send.timeout.ms': millis({
    default: 30_000,
    min: 10,
    max: INT32_MAX,
    doc: 'A Kafka client that takes nothing of its answers for this long is cut off.',
  }),
});

/** With the keys that other schemas declare and that mean the same here: whoever composes a node joins them. */
export type KafkaListenerConfig = ConfigOf<typeof kafkaConfig> & {
  /** Largest request. */
  readonly 'socket.request.max.bytes': number;
  /** Bytes of requests in hand, of all connections. */
  readonly 'queued.max.request.bytes': number;
  readonly 'max.connections': number;
  readonly 'connections.max.idle.ms': number;
  /** A first request must have come by then. */
  readonly 'connection.setup.timeout.ms': number;
};
