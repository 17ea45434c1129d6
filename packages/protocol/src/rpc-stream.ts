/** One typed, long-lived message stream, seen from either end. Messages keep their order; nothing is dropped silently. */
import type { MillraceError } from '@millrace/core';

export interface RpcStream<Outgoing> {
  /**
   * Sends a message. False means that more than the buffer limit waits for the network: send no more until `drained`.
   * After the end of the stream it does nothing and returns false.
   * @throws {MillraceError} INVALID_REQUEST if a number does not fit its field.
   */
  send(message: Outgoing): boolean;
  /**
   * Resolves when there is room again, or when at most `mostBytes` wait for the network; at once if it is so already.
   * Also resolves when the stream ends.
   */
  drained(mostBytes?: number): Promise<void>;
  /** Encoded bytes that wait for the network. */
  readonly bufferedBytes: number;
  /** Stops taking messages from the network: HTTP/2 flow control then holds the sender back. A few may still arrive. */
  pause(): void;
  resume(): void;
  readonly closed: boolean;
  /** Ends the stream: with an error the peer sees that error; without one, everything sent so far is delivered first. */
  close(error?: MillraceError): void;
}

export interface StreamHandlers<Incoming> {
  /** What it throws ends the stream with that error. */
  onMessage(message: Incoming): void;
  /** Called exactly once, last; never before the function that opened the stream has returned. Without an error: an orderly end. */
  onClosed(error: MillraceError | undefined): void;
}

/** What a server's handler adds. */
export interface ServerStreamHandlers<Incoming> extends StreamHandlers<Incoming> {
  /** The client sends no more but still listens. Without this handler the stream then ends. */
  onEnd?(): void;
  /** The server goes down: finish what is in hand, then close. Without this handler the stream ends at once. */
  onDrain?(): void;
}
