/** Randomness from the operating system. Only composition roots use it; everything below is given a `Random`. */
import { randomFillSync } from 'node:crypto';
import type { Random } from '@millrace/core';

const POOL_BYTES = 1024;

/** Draws from a small pool, so that one system call serves many draws. */
export function systemRandom(): Random {
  const pool = Buffer.alloc(POOL_BYTES);
  let position = POOL_BYTES;
  return {
    uint32(): number {
      if (position === POOL_BYTES) {
        randomFillSync(pool);
        position = 0;
      }
      const value = pool.readUInt32LE(position);
      position += 4;
      return value;
    },
  };
}
