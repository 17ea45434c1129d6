/** Kafka's protocol on the simulated network: a stream of frames without their sizes, as one connection carries them. */
import type { Codec, DuplexMethod } from '@millrace/protocol';

/** Beside the port of the node itself. */
export const KAFKA_PORT = 9_092;

/** Copies, so that the two ends share no memory. */
const frames: Codec<Buffer> = {
  name: 'kafka.Frame',
  encode: (frame) => Buffer.from(frame),
  frame: (frame) => frame,
  decode: (bytes) => bytes,
};

export const kafkaConnection: DuplexMethod<Buffer, Buffer> = {
  path: '/kafka/Connection',
  kind: 'duplex',
  request: frames,
  response: frames,
};
