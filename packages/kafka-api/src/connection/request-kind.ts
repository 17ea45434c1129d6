/**
 * The little that a connection must know of a request before anybody decodes it: its API key, the first int16 of its
 * frame, tells how large its answer may be. Nobody knows the size itself before the answer is there.
 */

/** Produce: a small answer, and the broker may hold producers back. Fetch: up to `fetch.max.bytes`. */
export type RequestKind = 'produce' | 'fetch' | 'other';

const KIND_OF_API_KEY: Readonly<Record<number, RequestKind>> = { 0: 'produce', 1: 'fetch' };

/**
 * Requests of a kind that one connection has in hand at most. A client that asks often and reads never could else
 * make this process hold any amount of answers.
 */
export const IN_HAND_MAX: Readonly<Record<RequestKind, number>> = { produce: Infinity, fetch: 1, other: 16 };

export function requestKind(frame: Buffer): RequestKind {
  return KIND_OF_API_KEY[frame.readInt16BE(0)] ?? 'other';
}
