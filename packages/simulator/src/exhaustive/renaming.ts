/**
 * Voters are alike: a state and the same state with other names differ in nothing that matters. What is found is
 * therefore known by a digest under every renaming of the voters, of which the smallest counts. Numbers only.
 */

/** Node ids count from 1; place 0 is never read. */
export type Renaming = readonly number[];

export const VOTERS = 3;

export const RENAMINGS: readonly Renaming[] = [
  [0, 1, 2, 3],
  [0, 1, 3, 2],
  [0, 2, 1, 3],
  [0, 2, 3, 1],
  [0, 3, 1, 2],
  [0, 3, 2, 1],
];

/** Two numbers of 32 bits for each renaming, in the order of `RENAMINGS`. */
export type Digests = Uint32Array;

/** @param describe all that tells this thing from others, with its voters renamed. */
export function digestsOf(describe: (renaming: Renaming) => string): Digests {
  const digests = new Uint32Array(2 * RENAMINGS.length);
  RENAMINGS.forEach((renaming, i) => {
    const text = describe(renaming);
    digests[2 * i] = hash(text, 0x9747b28c);
    digests[2 * i + 1] = hash(text, 0x3c6ef372);
  });
  return digests;
}

/** MurmurHash3's mixing over the characters of a text. */
function hash(text: string, seed: number): number {
  let h = seed;
  for (let i = 0; i < text.length; i++) {
    let k = Math.imul(text.charCodeAt(i), 0xcc9e2d51);
    k = (k << 15) | (k >>> 17);
    h ^= Math.imul(k, 0x1b873593);
    h = (h << 13) | (h >>> 19);
    h = (Math.imul(h, 5) + 0xe6546b64) | 0;
  }
  return mix(h ^ text.length);
}

/** MurmurHash3's last step: every bit of the input changes half of the output. */
export function mix(value: number): number {
  let h = value;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
