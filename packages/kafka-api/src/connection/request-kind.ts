/** The little that a connection must know of a request before anybody decodes it: its API key, the first int16 of its frame. */

const PRODUCE = 0;
const FETCH = 1;

/** The broker may hold producers back. */
export function isProduce(frame: Buffer): boolean {
  return frame.readInt16BE(0) === PRODUCE;
}

/** Its answer may be as large as `fetch.max.bytes`, and nobody knows before. */
export function hasLargeAnswer(frame: Buffer): boolean {
  return frame.readInt16BE(0) === FETCH;
}
