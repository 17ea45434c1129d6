/**
 * Reads all sockets of a process into one piece of memory. Node gives every read a buffer of 64 KiB of its own
 * otherwise, and what is allocated and collected for it costs a busy broker a fifth of its time. Must never let a chunk
 * be looked at after its receiver has returned.
 */
import { type OnReadOpts, Socket, type SocketConstructorOpts } from 'node:net';
import { KiB } from '@millrace/core';

const READ_BYTES = 64 * KiB;
const memory = Buffer.allocUnsafeSlow(READ_BYTES);

/** Of a socket that a server accepted: what Node reads it by. */
interface SocketInside {
  _handle?: object | null;
}

/**
 * Begins to read `accepted`, a socket of a server with `pauseOnConnect`.
 *
 * Only clients' sockets can be told by documented means where to read to. So the connection moves to a socket that is
 * made as a client's, and the accepted one ends without it. Where Node has no such inside, it is read as usual, and
 * gives way to nobody.
 * @param receive is given chunks that are valid until it returns; false asks to let other sockets have their turn before
 * the next one.
 * @returns the socket to write to, pause and end.
 */
export function readSocket(accepted: Socket, receive: (chunk: Buffer) => boolean): Socket {
  const inside = accepted as Socket & SocketInside;
  const handle = inside._handle;
  if (handle === undefined || handle === null) {
    accepted.on('data', receive);
    accepted.resume();
    return accepted;
  }
  inside._handle = null;
  const readOn = (): void => {
    if (!socket.isPaused()) socket.read(0);
  };
  const onread = {
    buffer: memory,
    callback: (bytes: number): boolean => {
      const mayReadOn = receive(memory.subarray(0, bytes));
      if (!mayReadOn) setImmediate(readOn);
      return mayReadOn;
    },
  };
  const options: SocketConstructorOpts & { handle: object; onread: OnReadOpts } = {
    handle,
    allowHalfOpen: true,
    onread,
  };
  const socket = new Socket(options);
  accepted.destroy();
  socket.read(0);
  return socket;
}
