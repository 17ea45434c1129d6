/** `node dist/storage/storage-main.js crashes|compactions|flips [--states N] [--seed N] [--state N]`. Exit code 1 on a violation. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runStorageWorld } from './storage-world.ts';

// Refusals are expected by the thousand, and their stacks cost more than the refusals.
Error.stackTraceLimit = 3;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { states: { type: 'string' }, seed: { type: 'string' }, state: { type: 'string' } },
});
const named = positionals[0];
const campaign = named === 'flips' || named === 'compactions' ? named : 'crashes';
const scratchFolder = mkdtempSync(join(tmpdir(), 'storage-world-'));
process.on('exit', () => rmSync(scratchFolder, { recursive: true, force: true }));
const isWell = await runStorageWorld({
  campaign,
  states: Number(values.states ?? (campaign === 'flips' ? 10_000 : 100_000)),
  firstSeed: Number(values.seed ?? 1),
  ...(values.state !== undefined && { state: Number(values.state) }),
  scratchFolder,
  nowMs: () => performance.now(),
  print: (line) => console.log(line),
});
process.exitCode = isWell ? 0 : 1;
