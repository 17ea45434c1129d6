/** Bytes that outlive what they came in. Never a window, neither on a message nor on Node's pool: it would keep all of that. */

/** A copy in memory of its own. */
export function ownCopy(bytes: Buffer): Buffer {
  const copy = Buffer.allocUnsafeSlow(bytes.length);
  bytes.copy(copy);
  return copy;
}
