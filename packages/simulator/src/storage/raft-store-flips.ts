/**
 * Damage at rest in the metadata store: LevelDB cannot run on a simulated disk, so its files lie in a real folder that
 * the caller provides. A store is filled from a seed and closed, its files are damaged one at a time, and what opens then
 * must refuse or load exactly what was there.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { below, SeededRandom } from '@millrace/core';
import { LevelRaftStore } from '@millrace/metadata-quorum';
import type { DurableState, Entry, HardState, Snapshot } from '@millrace/raft';
import { type FlipReport, newOutcomes } from './flip-campaign.ts';
import type { RaftStoreJudge } from './raft-store-judge.ts';

const WRITES = 80;
/** Damages of one store, before the next seed makes another. */
const PER_STORE = 40;
const STORE = 'metadata';
/** So many tables LevelDB begins to merge. */
const MERGED_TABLES = 4;
/** How often to look, once a millisecond, whether it has. */
const MERGE_POLLS = 1000;
/** In every report, and in the numbers that replay a damage. */
const RAFT_STORE = 'raft store:';
const RAFT_DAMAGES_FROM = 1000;

type Files = ReadonlyMap<string, Buffer>;

/** All damages of one seed, added to the report. @param folder of its own; emptied. @param only the one damage to look at */
export async function flipRaftStore(
  seed: number,
  folder: string,
  report: FlipReport,
  judge: RaftStoreJudge,
  only?: number,
): Promise<void> {
  const path = join(folder, STORE);
  clear(folder);
  await fill(path, new SeededRandom(seed));
  const files = filesIn(folder);
  const expected = await loaded(path);
  const types = new Map<string, string[]>();
  for (const [name, { length }] of files) {
    if (length > 0) types.set(raftFileType(name), [...(types.get(raftFileType(name)) ?? []), name]);
  }
  const names = [...types.keys()].sort();
  for (let damage = RAFT_DAMAGES_FROM; damage < RAFT_DAMAGES_FROM + PER_STORE; damage++) {
    if (only !== undefined && only !== damage) continue;
    const random = new SeededRandom(seed * 7919 + damage);
    const type = names[below(random, names.length)]!;
    const candidates = types.get(type)!;
    const name = candidates[below(random, candidates.length)]!;
    clear(folder);
    for (const [other, bytes] of files) writeFileSync(join(folder, other), bytes);
    const what = damageFile(folder, name, files, random, report);
    const { outcome, reason } = await judge({ path, expected, isOpenedTwice: below(random, 3) === 0 });
    if (outcome === 'violation') report.failures.push({ seed, damage, what, error: reason });
    if (outcome === 'ended') report.endings.push({ seed, damage, what, error: reason });
    const outcomes = report.outcomes.get(type) ?? newOutcomes();
    outcomes[outcome]++;
    report.outcomes.set(type, outcomes);
  }
  clear(folder);
}

/** Elections, appends, truncations, snapshots of both kinds, and restarts, in which LevelDB rearranges its files. */
async function fill(path: string, random: SeededRandom): Promise<void> {
  let store = await LevelRaftStore.open(path);
  let { entries, logStart } = await store.load();
  let term = 1;
  const voters = [{ id: 1, directoryId: 'AAAAAAAAAAAAAAAAAAAAAQ', address: 'host:1' }];
  const endIndex = (): number => entries.at(-1)?.index ?? logStart.index;
  const next = (): Entry[] => {
    const from = endIndex() + 1;
    return Array.from({ length: 1 + below(random, 4) }, (_, i) => ({
      index: from + i,
      term,
      kind: 'data' as const,
      data: bytesOf(random, below(random, 20) === 0 ? 20_000 : 200),
    }));
  };
  const hardState = (): HardState => ({
    term,
    votedFor: below(random, 2) === 0 ? undefined : { id: 1, directoryId: voters[0]!.directoryId },
    voters,
    commitIndex: logStart.index,
    quorumId: voters[0]!.directoryId,
  });
  const snapshotAt = (index: number): Snapshot => {
    const sizeBytes = below(random, 4) === 0 ? 1_200_000 : below(random, 5000);
    return { index, term, voters, data: bytesOf(random, sizeBytes) };
  };
  for (let i = 0; i < WRITES; i++) {
    const kind = below(random, 20);
    if (kind === 0) {
      await store.close();
      store = await LevelRaftStore.open(path);
      await merged(path);
      await store.load();
    } else if (kind < 3) {
      term++;
      await store.write({ hardState: hardState() });
    } else if (kind < 6 && entries.length > 0) {
      const truncateFrom = endIndex() - below(random, Math.min(5, entries.length));
      term++;
      entries = entries.filter(({ index }) => index < truncateFrom);
      const added = next();
      await store.write({ truncateFrom, entries: added, hardState: hardState() });
      entries = [...entries, ...added];
    } else if (kind === 6 && entries.length > 8) {
      const compactTo = entries[below(random, entries.length - 4)]!;
      await store.saveSnapshot(snapshotAt(endIndex() - 1), compactTo.index, compactTo.term);
      logStart = { index: compactTo.index, term: compactTo.term };
      entries = entries.filter(({ index }) => index > compactTo.index);
    } else if (kind === 7 && below(random, 4) === 0) {
      const installSnapshot = snapshotAt(endIndex() + below(random, 3));
      await store.write({ installSnapshot, hardState: hardState() });
      logStart = { index: installSnapshot.index, term };
      entries = [];
    } else {
      const added = next();
      await store.write({ entries: added });
      entries = [...entries, ...added];
    }
  }
  await store.close();
}

/**
 * LevelDB merges tables on a thread of its own as soon as it opens enough of them, and what is read meanwhile keeps the old
 * ones: if nobody waited for it, no two runs of a seed would find the same files.
 */
async function merged(path: string): Promise<void> {
  const tables = (): number => readdirSync(path).filter((name) => name.endsWith('.ldb')).length;
  const before = tables();
  if (before < MERGED_TABLES) return;
  // Among so many, some may be merged already: then nothing happens.
  for (let i = 0; i < MERGE_POLLS && tables() >= before; i++) await setTimeout(1);
}

/** @returns what was done, for people. */
function damageFile(
  folder: string,
  name: string,
  files: Files,
  random: SeededRandom,
  report: FlipReport,
): string {
  const bytes = Buffer.from(files.get(name)!);
  const position = below(random, bytes.length);
  const kind = below(random, 20);
  const path = join(folder, name);
  if (kind > 2) {
    const bit = below(random, 8);
    bytes[position]! ^= 1 << bit;
    report.flips++;
    writeFileSync(path, bytes);
    return `${name}: bit ${bit} of byte ${position} flipped`;
  }
  report.others++;
  if (kind === 0) {
    writeFileSync(path, bytes.subarray(0, position));
    return `${name}: cut at byte ${position}`;
  }
  if (kind === 1) {
    rmSync(path);
    return `${name}: lost`;
  }
  const others = [...files.values()].filter(({ length }) => length > 0);
  const other = others[below(random, others.length)]!;
  const from = below(random, other.length);
  const at = position - (position % 512);
  const sector = other.subarray(from - (from % 512), from - (from % 512) + 512);
  sector.subarray(0, bytes.length - at).copy(bytes, at);
  writeFileSync(path, bytes);
  return `${name}: the sector at byte ${at} is another one`;
}

async function loaded(path: string): Promise<DurableState> {
  const store = await LevelRaftStore.open(path);
  const state = await store.load();
  await store.close();
  return state;
}

function raftFileType(name: string): string {
  const file = name.slice(name.lastIndexOf('/') + 1);
  const numbered = /^\d+(\.\w+)$/.exec(file);
  return `${RAFT_STORE} ${numbered?.[1] ?? file.replace(/-\d+$/, '')}`;
}

function clear(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(join(folder, STORE), { recursive: true });
}

function filesIn(folder: string): Files {
  const names = (readdirSync(folder, { recursive: true }) as string[]).sort();
  const files = names.filter((name) => statSync(join(folder, name)).isFile());
  return new Map(files.map((name) => [name, readFileSync(join(folder, name))]));
}

function bytesOf(random: SeededRandom, sizeBytes: number): Buffer {
  const bytes = Buffer.alloc(sizeBytes, 97 + below(random, 26));
  // Not all alike: LevelDB compresses.
  for (let at = 0; at + 4 <= sizeBytes; at += 64) bytes.writeUInt32LE(random.uint32(), at);
  return bytes;
}
