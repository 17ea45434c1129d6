/** What both ends of the network floors agree on. */

export const SINK_PATH = '/millrace.bench.Stream/Sink';
export const SOURCE_PATH = '/millrace.bench.Stream/Source';
export const ACK_BYTES = 16;
/** As wide as Millrace's own. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

export interface PeerPorts {
  readonly grpcPort: number;
  readonly tcpPort: number;
}
