import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { MemoryFileSystem } from './memory-file-system.ts';
import { NodeFileSystem } from './node-file-system.ts';
import { testFileSystem } from './testing/file-system-contract.ts';

const root = mkdtempSync(join(tmpdir(), 'millrace-storage-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

testFileSystem('NodeFileSystem', new NodeFileSystem(), join(root, 'real'));
testFileSystem('MemoryFileSystem', new MemoryFileSystem(), '/memory/home');

test('a full MemoryFileSystem writes what fits and then says ENOSPC', async () => {
  const disk = new MemoryFileSystem({ capacityBytes: 100 });
  const file = disk.openSync('/f', { create: true });
  expect(() => file.writeSync([Buffer.alloc(80), Buffer.alloc(80)], 0)).toThrow(
    expect.objectContaining({ code: 'ENOSPC' }),
  );
  expect(file.sizeSync()).toBe(100);
  expect(await disk.space('/')).toEqual({ totalBytes: 100, usableBytes: 0 });
  file.truncateSync(10);
  expect(await disk.space('/')).toEqual({ totalBytes: 100, usableBytes: 90 });
  file.writeSync([Buffer.alloc(90)], 10);
});

// Node 20's own recursive mkdir never returns there.
test.runIf(process.platform === 'linux')('a folder where none can be made is an error, not a hang', () => {
  const disk = new NodeFileSystem();
  for (const path of ['/proc/nope', '/proc/nope/below'])
    expect(() => disk.mkdirSync(path)).toThrow(expect.objectContaining({ code: 'ENOENT' }));
});
