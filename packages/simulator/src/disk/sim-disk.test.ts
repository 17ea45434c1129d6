import { SeededRandom } from '@millrace/core';
import { describe, expect, test } from 'vitest';
import { DROP_ALL, EveryChoice, KEEP_ALL } from './crash-choices.ts';
import { type DiskFault, type DiskOperation, NO_FAULTS } from './disk-faults.ts';
import { extentOf, FaultAtlas, WHOLE_DISK } from './fault-atlas.ts';
import { SimDisk } from './sim-disk.ts';

const text = (disk: SimDisk, path: string): string | undefined => disk.get(path)?.toString();

/** A directory and a file in it, all durable. */
async function diskWithFile(contents: string): Promise<SimDisk> {
  const disk = new SimDisk();
  const fs = disk.mount();
  fs.mkdirSync('/d');
  const file = fs.openSync('/d/f', { create: true });
  file.writeSync([Buffer.from(contents)], 0);
  await file.datasync();
  await fs.syncDirectory('/d');
  await fs.syncDirectory('/');
  return disk;
}

/** Every state that a power loss can leave, as texts of one file. */
function statesOf(disk: SimDisk, path: string): Set<string | undefined> {
  const found = new Set<string | undefined>();
  const choices = new EveryChoice();
  do {
    const copy = disk.copy();
    copy.crash(choices);
    found.add(text(copy, path));
  } while (choices.next());
  return found;
}

describe('a power loss', () => {
  test('keeps what was synced and nothing that was not, if it keeps nothing', async () => {
    const disk = await diskWithFile('old');
    const fs = disk.mount();
    const file = fs.openSync('/d/f');
    file.writeSync([Buffer.from('newer')], 0);
    file.truncateSync(4);
    fs.renameSync('/d/f', '/d/g');
    disk.crash(DROP_ALL);
    expect([disk.paths(), text(disk, '/d/f')]).toEqual([['/d/f'], 'old']);
  });

  test('keeps everything if only the process died', async () => {
    const disk = await diskWithFile('old');
    const fs = disk.mount();
    fs.openSync('/d/f').writeSync([Buffer.from('newer')], 0);
    fs.renameSync('/d/f', '/d/g');
    disk.crash(KEEP_ALL);
    expect([disk.paths(), text(disk, '/d/g')]).toEqual([['/d/g'], 'newer']);
  });

  test('may keep each write or not, whatever came after it', async () => {
    const disk = await diskWithFile('....');
    const file = disk.mount().openSync('/d/f');
    file.writeSync([Buffer.from('a')], 0);
    file.writeSync([Buffer.from('b')], 1);
    file.writeSync([Buffer.from('c')], 4);
    expect([...statesOf(disk, '/d/f')].sort()).toEqual(
      [
        '....',
        '....\0',
        '....c',
        '.b..',
        '.b..\0',
        '.b..c',
        'a...',
        'a...\0',
        'a...c',
        'ab..',
        'ab..\0',
        'ab..c',
      ].sort(),
    );
  });

  test('loses a file whose name was never synced, and a rename as a whole', async () => {
    const disk = await diskWithFile('old');
    const fs = disk.mount();
    const file = fs.openSync('/d/f.tmp', { create: true });
    file.writeSync([Buffer.from('new')], 0);
    await file.datasync();
    fs.renameSync('/d/f.tmp', '/d/f');
    expect(statesOf(disk, '/d/f')).toEqual(new Set(['old', 'new']));
    await fs.syncDirectory('/d');
    expect(statesOf(disk, '/d/f')).toEqual(new Set(['new']));
  });

  test('tears a write at sectors and leaves the old ones between', async () => {
    const disk = await diskWithFile('o'.repeat(2048));
    disk
      .mount()
      .openSync('/d/f')
      .writeSync([Buffer.alloc(2048, 'n')], 0);
    const sectors = [...statesOf(disk, '/d/f')].map((state) =>
      state!.match(/.{512}/g)!.map((part) => new Set(part)),
    );
    expect(sectors.every((parts) => parts.every((part) => part.size === 1))).toBe(true);
    expect(sectors.some((parts) => parts[0]!.has('n') && parts[3]!.has('o'))).toBe(true);
    expect(sectors.some((parts) => parts[0]!.has('o') && parts[3]!.has('n'))).toBe(true);
  });

  test('is the same for the same seed', async () => {
    const disk = await diskWithFile('old');
    const file = disk.mount().openSync('/d/f');
    for (let i = 0; i < 100; i++) file.writeSync([Buffer.from(`${i},`)], file.sizeSync());
    const [one, other] = [disk.copy(), disk.copy()];
    one.crash(new SeededRandom(5));
    other.crash(new SeededRandom(5));
    expect(text(one, '/d/f')).toBe(text(other, '/d/f'));
  });

  test('leaves a copy of the disk as it was', async () => {
    const disk = await diskWithFile('old');
    const file = disk.mount().openSync('/d/f');
    file.writeSync([Buffer.from('new')], 0);
    const copy = disk.copy();
    file.writeSync([Buffer.from('later')], 0);
    copy.crash(DROP_ALL);
    expect([text(copy, '/d/f'), text(disk, '/d/f')]).toEqual(['old', 'later']);
  });
});

describe('a faulty disk', () => {
  const once = (operation: DiskOperation, fault: DiskFault) => {
    let isDue = true;
    return {
      ...NO_FAULTS,
      fault: (found: DiskOperation) => {
        if (found !== operation || !isDue) return undefined;
        isDue = false;
        return fault;
      },
    };
  };

  test('never writes what a failed sync was about, however often it is synced again', async () => {
    for (const isEvicted of [false, true]) {
      const disk = await diskWithFile('old');
      const file = disk.mount().openSync('/d/f');
      file.writeSync([Buffer.from('new')], 0);
      disk.faults = once('datasync', { code: 'EIO', isEvicted });
      await expect(file.datasync()).rejects.toMatchObject({ code: 'EIO' });
      expect(text(disk, '/d/f')).toBe(isEvicted ? 'old' : 'new');
      file.writeSync([Buffer.from('!')], 3);
      await file.datasync();
      disk.crash(DROP_ALL);
      expect(text(disk, '/d/f')).toBe('old!');
    }
  });

  test('a failed sync loses nothing that an earlier one put on the disk', async () => {
    const disk = await diskWithFile('old');
    const file = disk.mount().openSync('/d/f');
    for (const [position, sync] of ['fails', 'works', 'fails'].entries()) {
      file.writeSync([Buffer.from('!')], position);
      if (sync === 'fails') disk.faults = once('datasync', { code: 'EIO', isEvicted: true });
      await file.datasync().catch(() => undefined);
    }
    expect(text(disk, '/d/f')).toBe('o!d');
    disk.crash(DROP_ALL);
    expect(text(disk, '/d/f')).toBe('o!d');
  });

  test('writes what fits and says that it is full', async () => {
    const disk = await diskWithFile('1234');
    disk.capacityBytes = 6;
    const view = disk.mount();
    expect(await view.space('/d')).toEqual({ totalBytes: 6, usableBytes: 2 });
    const file = view.openSync('/d/f');
    const full = expect.objectContaining({ code: 'ENOSPC' });
    expect(() => file.writeSync([Buffer.from('abcd')], 4)).toThrow(full);
    expect(text(disk, '/d/f')).toBe('1234ab');
    expect(await view.space('/d')).toEqual({ totalBytes: 6, usableBytes: 0 });
    file.writeSync([Buffer.from('x')], 0);
    disk.capacityBytes = 100;
    file.writeSync([Buffer.from('cd')], 6);
    expect(text(disk, '/d/f')).toBe('x234abcd');
  });

  test('completes in virtual time, and never for a process that died meanwhile', async () => {
    const due: (() => void)[] = [];
    const disk = new SimDisk({
      schedule: (_delayMs, run) => due.push(run),
      faults: { ...NO_FAULTS, delayMs: () => 5 },
    });
    const fs = disk.mount();
    const file = fs.openSync('/f', { create: true });
    file.writeSync([Buffer.from('a')], 0);
    let synced = 0;
    void file.datasync().then(() => synced++);
    expect(synced).toBe(0);
    due.shift()!();
    await new Promise(setImmediate);
    expect(synced).toBe(1);
    file.writeSync([Buffer.from('b')], 0);
    void file.datasync().then(() => synced++);
    disk.unmount();
    due.shift()!();
    file.writeSync([Buffer.from('c')], 0);
    await new Promise(setImmediate);
    expect([synced, text(disk, '/f'), fs.readdirSync('/')]).toEqual([1, 'b', []]);
  });

  test('is damaged at rest where it is told to be', async () => {
    const disk = await diskWithFile('abc');
    const image = disk.copy();
    disk.bitFlip('/d/f', 1, 0);
    expect(text(disk, '/d/f')).toBe('acc');
    disk.misdirect({ path: '/d/f', position: 0 }, { path: '/d/f', position: 2 }, 1);
    expect(text(disk, '/d/f')).toBe('aca');
    disk.cutAtRest('/d/f', 1);
    expect(text(disk, '/d/f')).toBe('a');
    disk.loseAtRest('/d/f');
    disk.crash(DROP_ALL);
    expect(disk.paths()).toEqual([]);
    disk.restore(image);
    expect(text(disk, '/d/f')).toBe('abc');
    disk.wipe();
    expect(disk.paths()).toEqual([]);
  });
});

test('an atlas leaves a good copy of every extent', () => {
  const atlas = new FaultAtlas(() => ['a', 'b', 'c']);
  expect([atlas.claim('a', 't-0'), atlas.claim('b', 't-0'), atlas.claim('c', 't-0')]).toEqual([
    true,
    true,
    false,
  ]);
  expect(atlas.claim('c', WHOLE_DISK)).toBe(false);
  atlas.repaired('a', 't-0');
  expect(atlas.claim('c', WHOLE_DISK)).toBe(true);
  expect([atlas.claim('a', 't-0'), atlas.claim('a', WHOLE_DISK)]).toEqual([false, false]);
  expect([extentOf('/data/t-0/00.log'), extentOf('/data/journal/1.journal')]).toEqual(['t-0', WHOLE_DISK]);
});
