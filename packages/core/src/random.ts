/**
 * Randomness as an interface. Pure code draws from what it is given; a seed replays it.
 * `SeededRandom` is xoshiro128** (Blackman and Vigna, 2018); never use it for secrets.
 */

export interface Random {
  /** An integer in 0 .. 2^32-1. */
  uint32(): number;
}

/** A number in [0, 1). */
export function unit(random: Random): number {
  return random.uint32() / 2 ** 32;
}

/** An integer in 0 .. bound-1. `bound` is at most 2^32. */
export function below(random: Random, bound: number): number {
  return Math.floor(unit(random) * bound);
}

/** A shuffled copy. */
export function shuffled<T>(random: Random, items: readonly T[]): T[] {
  const result = [...items];
  for (let i = result.length - 1; i > 0; i--) {
    const j = below(random, i + 1);
    [result[i], result[j]] = [result[j]!, result[i]!];
  }
  return result;
}

/** A repeatable stream of numbers. `fork` gives an independent stream, so that one consumer does not shift another. */
export class SeededRandom implements Random {
  #a: number;
  #b: number;
  #c: number;
  #d: number;

  constructor(seed: number) {
    const next = splitMix32(seed);
    this.#a = next();
    this.#b = next();
    this.#c = next();
    this.#d = next();
  }

  uint32(): number {
    const result = Math.imul(rotateLeft(Math.imul(this.#b, 5), 7), 9) >>> 0;
    const shifted = this.#b << 9;
    this.#c ^= this.#a;
    this.#d ^= this.#b;
    this.#b ^= this.#c;
    this.#a ^= this.#d;
    this.#c ^= shifted;
    this.#d = rotateLeft(this.#d, 11);
    return result;
  }

  fork(): SeededRandom {
    return new SeededRandom(this.uint32());
  }
}

function rotateLeft(value: number, by: number): number {
  return (value << by) | (value >>> (32 - by));
}

function splitMix32(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x9e3779b9) | 0;
    let z = state;
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b);
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35);
    return (z ^ (z >>> 16)) >>> 0;
  };
}
