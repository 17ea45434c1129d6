/** Limits of the gRPC door. Every limit that protects a process from its peers is named here, with its unit. */
import { bytes, type ConfigOf, configSchema, count, GiB, KiB, MiB, millis } from '@millrace/core';

export const rpcConfig = configSchema('rpc', {
  'socket.request.max.bytes': bytes({
    default: 100 * MiB,
    min: 1 * KiB,
    max: 1 * GiB,
    doc: 'Largest message accepted; a larger one fails its call and changes nothing.',
  }),
  'max.connections': count({
    default: 10_000,
    min: 1,
    doc: 'Connections to one listener; further ones are refused.',
  }),
  'max.concurrent.streams': count({
    default: 1_024,
    min: 16,
    max: 2 ** 31 - 1,
    doc: 'Calls open at one time on one connection; further ones wait in the client.',
  }),
  'max.unary.in.flight': count({
    default: 10_000,
    min: 1,
    doc: 'Unary calls being answered at one time by one listener; further ones fail with NODE_OVERLOADED.',
  }),
  'stream.window.bytes': bytes({
    default: 8 * MiB,
    min: 65_535,
    max: 2 ** 31 - 1,
    doc: 'HTTP/2 receive window of one stream: how far a sender may run ahead of this process. 65,535 costs 2 to 6 times in throughput.',
  }),
  'connection.window.bytes': bytes({
    default: 32 * MiB,
    min: 65_535,
    max: 2 ** 31 - 1,
    doc: 'HTTP/2 receive window of one connection, shared by its streams.',
  }),
  'stream.send.buffer.bytes': bytes({
    default: 4 * MiB,
    min: 64 * KiB,
    doc: 'Encoded messages that may wait for the network on one stream before its writer is told to stop.',
  }),
  'connections.max.idle.ms': millis({
    default: 600_000,
    min: 1_000,
    max: 2 ** 31 - 1,
    doc: 'A connection without any open call for this long is closed.',
  }),
  'connection.setup.timeout.ms': millis({
    default: 10_000,
    min: 10,
    max: 2 ** 31 - 1,
    doc: 'A peer that has not begun HTTP/2 properly by then is cut off; so is one that leaves a message half sent for that long.',
  }),
  'keepalive.time.ms': millis({
    default: 5_000,
    min: 100,
    max: 2 ** 31 - 1,
    doc: 'Idle time after which the server asks a peer whether it is still there.',
  }),
  'keepalive.timeout.ms': millis({
    default: 5_000,
    min: 100,
    max: 2 ** 31 - 1,
    doc: 'A peer that does not answer within this time is cut off.',
  }),
});

export type RpcConfig = ConfigOf<typeof rpcConfig>;
