/** Invariant 56: two runs of one seed are the same, event for event. */

export const sameSeedSameTrace = {
  number: 56,
  name: 'same-seed-same-trace',
  /** @param hashes of the traces of all runs of the seed; undefined of one that broke off. */
  judge(hashes: readonly (string | undefined)[], violated: (text: string) => void): void {
    if (hashes.some((hash) => hash !== hashes[0])) violated(`two runs differ: ${hashes.join(', ')}`);
  },
};
