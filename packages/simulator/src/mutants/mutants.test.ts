/** The table of mutants fits the code as it is. */
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { type Mutant, mutate } from './mutant.ts';
import { MUTANTS } from './mutants.ts';

const packages = new URL('../../../', import.meta.url);

test('no two mutants share a name', () => {
  expect(new Set(MUTANTS.map(({ name }) => name)).size).toBe(MUTANTS.length);
});

describe('the guard of a mutant stands in the code exactly once', () => {
  test.each(MUTANTS.map((mutant) => [mutant.name, mutant] as const))('%s', (_name, mutant) => {
    const source = readFileSync(new URL(mutant.module, packages), 'utf8');
    expect(mutate(mutant, source)).not.toBe(source);
  });
});

test('a guard that is gone, or there twice, is an error', () => {
  const mutant: Mutant = {
    name: 'm',
    rule: 'Q1',
    world: 'raft',
    module: 'x',
    guard: 'if (a) b();',
    replacement: '',
  };
  expect(() => mutate(mutant, 'c();')).toThrow('exactly once');
  expect(() => mutate(mutant, 'if (a) b(); if (a) b();')).toThrow('exactly once');
});
