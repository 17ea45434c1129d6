/** The near end of the network floors: how many bytes per second two processes exchange with nothing behind them. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { fileURLToPath } from 'node:url';
import { Client, type ClientDuplexStream, credentials } from '@grpc/grpc-js';
import { sleepMs } from '../monotonic-clock.ts';
import { MessagePool } from './message-pool.ts';
import { type PeerPorts, SINK_PATH, SOURCE_PATH, WINDOW_BYTES } from './stream-contract.ts';

/** Enough that neither end ever waits for the other's turn. */
const IN_FLIGHT = 8;
const WARMUP_SHARE = 0.3;

const same = (frame: Buffer): Buffer => frame;

/** What `counted` grows by in a second, after a warm-up. */
async function ratePerS(measureMs: number, counted: () => number): Promise<number> {
  await sleepMs(measureMs * WARMUP_SHARE);
  const [startedMs, before] = [performance.now(), counted()];
  await sleepMs(measureMs);
  return ((counted() - before) / (performance.now() - startedMs)) * 1000;
}

async function withCall<T>(
  port: number,
  path: string,
  use: (call: ClientDuplexStream<Buffer, Buffer>) => Promise<T>,
): Promise<T> {
  const client = new Client(`127.0.0.1:${port}`, credentials.createInsecure(), {
    'grpc-node.flow_control_window': WINDOW_BYTES,
    'grpc.max_receive_message_length': -1,
    'grpc.enable_retries': 0,
    'grpc.enable_channelz': 0,
  });
  const call = client.makeBidiStreamRequest(path, same, same);
  call.on('error', () => undefined);
  try {
    return await use(call);
  } finally {
    call.cancel();
    client.close();
  }
}

/** A second process to talk to, for as long as `use` runs. */
export async function withPeer<T>(use: (peer: NetworkPeer) => Promise<T>): Promise<T> {
  const child = fork(fileURLToPath(new URL('./stream-peer.js', import.meta.url)));
  try {
    const [ports] = (await once(child, 'message')) as [PeerPorts];
    return await use(new NetworkPeer(child.pid!, ports));
  } finally {
    await ended(child);
  }
}

async function ended(child: ChildProcess): Promise<void> {
  const exit = once(child, 'exit');
  child.kill('SIGKILL');
  await exit;
}

export class NetworkPeer {
  readonly pid: number;
  readonly #ports: PeerPorts;

  constructor(pid: number, ports: PeerPorts) {
    this.pid = pid;
    this.#ports = ports;
  }

  /** Bytes per second over one gRPC stream in messages of that size, each acknowledged, several under way. */
  grpcUp(messageBytes: number, measureMs: number): Promise<number> {
    return withCall(this.#ports.grpcPort, SINK_PATH, (call) => {
      const pool = new MessagePool(messageBytes);
      let acknowledged = 0;
      call.on('data', () => {
        acknowledged += messageBytes;
        call.write(pool.next());
      });
      for (let sent = 0; sent < IN_FLIGHT; sent++) call.write(pool.next());
      return ratePerS(measureMs, () => acknowledged);
    });
  }

  /** The same from server to client, held back by flow control alone. */
  grpcDown(messageBytes: number, measureMs: number): Promise<number> {
    return withCall(this.#ports.grpcPort, SOURCE_PATH, (call) => {
      let received = 0;
      call.on('data', (message: Buffer) => {
        received += message.length;
      });
      const request = Buffer.alloc(4);
      request.writeUInt32BE(messageBytes);
      call.write(request);
      return ratePerS(measureMs, () => received);
    });
  }

  /** Bytes per second over a bare socket, written in pieces of that size. */
  async tcpUp(messageBytes: number, measureMs: number): Promise<number> {
    const socket = connect(this.#ports.tcpPort, '127.0.0.1');
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    const pool = new MessagePool(messageBytes);
    const fill = (): void => {
      while (!socket.destroyed && socket.write(pool.next()));
    };
    socket.on('drain', fill);
    fill();
    const rate = await ratePerS(measureMs, () => socket.bytesWritten - socket.writableLength);
    socket.destroy();
    return rate;
  }
}
