/** Settings of one broker that hold while it runs, under Kafka's names where Kafka has them. This table is the only place they exist. */
import { bytes, type ConfigOf, configSchema, count, flag, MiB, millis } from '@millrace/core';

export const brokerConfig = configSchema('broker', {
  'broker.heartbeat.interval.ms': millis({
    default: 2000,
    min: 10,
    doc: 'How often the broker tells the controller that it lives.',
  }),
  'controlled.shutdown.enable': flag({
    default: true,
    doc: 'Hand leadership over before stopping.',
  }),
  'controlled.shutdown.timeout.ms': millis({
    default: 8000,
    min: 0,
    doc: 'How long a stopping broker waits for its leaderships to move before it stops anyway.',
  }),
  'decompressed.batch.max.bytes': bytes({
    default: 16 * MiB,
    min: MiB,
    doc: 'A produced batch that would be larger than this, decompressed, is refused as too large, since its records are checked before they are stored; producers are held back once this much was decompressed in one turn.',
  }),
  'fetch.max.bytes': bytes({
    default: 55 * MiB,
    min: 1024,
    doc: 'Most bytes in one answer to a consumer, whatever it asks for.',
  }),
  'initial.broker.registration.timeout.ms': millis({
    default: 60_000,
    min: 100,
    doc: 'How long a starting broker tries to register, for instance while its former life still has a session.',
  }),
  'log.open.concurrency': count({
    default: 32,
    min: 1,
    max: 1024,
    doc: 'Partition logs that are opened or recovered at the same time.',
  }),
  'queued.max.fetches': count({
    default: 20_000,
    min: 1,
    doc: 'Consumer fetches that may wait for data at a time; beyond it fetches are answered at once.',
  }),
  'queued.max.group.requests': count({
    default: 100_000,
    min: 1,
    doc: 'Requests to coordinators of groups that may wait for an answer at a time; each offset to commit counts as one. Beyond half of it committers are held back, beyond it refused with NODE_OVERLOADED.',
  }),
  'queued.max.request.bytes': bytes({
    default: 64 * MiB,
    min: MiB,
    doc: 'Produced bytes that may wait for replicas at a time. Beyond it producers are held back, beyond twice as much refused with NODE_OVERLOADED. Likewise bytes of requests, half received or in hand, of all connections of a Kafka listener: beyond it no further request is read from a connection that holds 64 KiB of them, beyond twice as much rests of half received ones come a few at a time, side by side while together they are at most half of it for those of up to 1/64 of it, and as much for larger ones. What a connection holds up to 64 KiB is always read.',
  }),
  'replica.fetch.backoff.ms': millis({
    default: 1000,
    min: 1,
    doc: 'How long a follower waits after a failed fetch of a partition, and at most before it connects again.',
  }),
  'replica.fetch.max.bytes': bytes({
    default: MiB,
    min: 1024,
    doc: 'Soft limit of what a follower gets for one partition in one answer; the first batch always fits.',
  }),
  'replica.fetch.response.max.bytes': bytes({
    default: 10 * MiB,
    min: 1024,
    doc: 'Soft limit of one answer to a follower.',
  }),
  'replica.fetch.wait.max.ms': millis({
    default: 500,
    min: 1,
    doc: 'How long a leader holds a fetch of a follower when there is nothing new.',
  }),
  'replica.lag.time.max.ms': millis({
    default: 30_000,
    min: 10,
    doc: 'A follower that was not caught up for this long leaves the in-sync replicas.',
  }),
  'replica.socket.timeout.ms': millis({
    default: 30_000,
    min: 100,
    doc: 'A follower that hears nothing from its leader for this long connects again.',
  }),
  'request.timeout.ms': millis({
    default: 30_000,
    min: 1,
    doc: 'Limit of a request that names none.',
  }),
});

export type BrokerConfig = ConfigOf<typeof brokerConfig>;
