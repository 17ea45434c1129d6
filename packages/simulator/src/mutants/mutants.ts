/** Every guard that can be taken out, by world. A rule of the replication protocol without a mutant is a rule untested. */
import { CLASSIC_MUTANTS } from './classic-mutants.ts';
import { GROUP_MUTANTS } from './group-mutants.ts';
import type { Mutant } from './mutant.ts';
import { PARTITION_MUTANTS } from './partition-mutants.ts';
import { RAFT_MUTANTS } from './raft-mutants.ts';
import { STORAGE_MUTANTS } from './storage-mutants.ts';

export const MUTANTS: readonly Mutant[] = [
  ...RAFT_MUTANTS,
  ...PARTITION_MUTANTS,
  ...GROUP_MUTANTS,
  ...CLASSIC_MUTANTS,
  ...STORAGE_MUTANTS,
];
