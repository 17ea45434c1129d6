/** The one failure of reading: bytes that are no message. It never says more than where and why, and costs its sender the connection. */

/** Bytes from a client do not make the message that their header announces. The connection that sent them is closed. */
export class MalformedFrame extends Error {
  override readonly name = 'MalformedFrame';
}
