import { expect, test } from 'vitest';
import { fuzzOptions } from './fuzz/fuzz-options.ts';

test('the fuzzer sends a million frames of one seed unless its environment says otherwise', () => {
  expect(fuzzOptions({})).toEqual({ frames: 1_000_000, seed: 1 });
  expect(fuzzOptions({ FUZZ_FRAMES: '5000', FUZZ_SEED: '7' })).toEqual({ frames: 5_000, seed: 7 });
  for (const wrong of ['10', '1e9', '-1', ''])
    expect(() => fuzzOptions({ FUZZ_FRAMES: wrong })).toThrow(RangeError);
});
