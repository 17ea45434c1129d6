/** What every file system must do, as a suite that each implementation's test runs. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { FileSystem } from '../file-system.ts';

/** @param home a directory of its own, made if missing. */
export function testFileSystem(name: string, disk: FileSystem, home: string): void {
  describe(`a file system: ${name}`, () => {
    const path = (file: string): string => `${home}/${file}`;
    beforeAll(() => disk.mkdirSync(home));

    test('reads back what several buffers wrote, and says how much there was', async () => {
      const file = disk.openSync(path('a'), { create: true });
      const parts = Array.from({ length: 3000 }, (_, i) => Buffer.from(`${i},`));
      const whole = Buffer.concat(parts);
      file.writeSync(parts, 0);
      await file.write([Buffer.from('x'), Buffer.from('y')], 100_000);
      const target = Buffer.alloc(whole.length);
      expect(file.readSync(target, 0)).toBe(whole.length);
      expect(target.equals(whole)).toBe(true);
      expect(file.sizeSync()).toBe(100_002);
      expect(await file.read(Buffer.alloc(10), 99_998)).toBe(4);
      expect(await file.read(Buffer.alloc(10), 200_000)).toBe(0);
      await file.datasync();
      file.closeSync();
    });

    test('bytes that a truncation cut off are zeros when the file grows again', () => {
      const file = disk.openSync(path('b'), { create: true });
      file.writeSync([Buffer.alloc(200_000, 7)], 0);
      file.truncateSync(70_000);
      file.truncateSync(100_000);
      const target = Buffer.alloc(40_000);
      expect(file.readSync(target, 60_000)).toBe(40_000);
      expect(target.subarray(0, 10_000).every((byte) => byte === 7)).toBe(true);
      expect(target.subarray(10_000).every((byte) => byte === 0)).toBe(true);
      file.closeSync();
    });

    test('a rename replaces its target and an open file keeps its contents', () => {
      const file = disk.openSync(path('new'), { create: true });
      file.writeSync([Buffer.from('new')], 0);
      const old = disk.openSync(path('old'), { create: true });
      old.writeSync([Buffer.from('older')], 0);
      disk.renameSync(path('new'), path('old'));
      expect(disk.statSync(path('new'))).toBeUndefined();
      expect(disk.statSync(path('old'))?.sizeBytes).toBe(3);
      const target = Buffer.alloc(5);
      expect(old.readSync(target, 0)).toBe(5);
      file.closeSync();
      old.closeSync();
      disk.unlinkSync(path('old'));
    });

    test('directories are made with their parents, listed in order, renamed and removed whole', async () => {
      disk.mkdirSync(path('d/e/f'));
      disk.mkdirSync(path('d/e/f'));
      for (const file of ['c', 'a', 'b']) disk.openSync(path(`d/e/${file}`), { create: true }).closeSync();
      await disk.syncDirectory(path('d/e'));
      expect(disk.readdirSync(path('d/e'))).toEqual([
        { name: 'a', isDirectory: false },
        { name: 'b', isDirectory: false },
        { name: 'c', isDirectory: false },
        { name: 'f', isDirectory: true },
      ]);
      disk.renameSync(path('d/e'), path('d/g'));
      expect(disk.statSync(path('d/g'))?.isDirectory).toBe(true);
      expect(disk.readdirSync(path('d/g')).length).toBe(4);
      disk.removeSync(path('d'));
      disk.removeSync(path('d'));
      expect(disk.statSync(path('d/g/a'))).toBeUndefined();
    });

    test('what is missing is ENOENT', async () => {
      const missing = expect.objectContaining({ code: 'ENOENT' });
      expect(() => disk.openSync(path('none'))).toThrow(missing);
      expect(() => disk.openSync(path('none/none'), { create: true })).toThrow(missing);
      expect(() => disk.readdirSync(path('none'))).toThrow(missing);
      expect(() => disk.unlinkSync(path('none'))).toThrow(missing);
      expect(() => disk.renameSync(path('none'), path('other'))).toThrow(missing);
      await expect(disk.lock(path('none'))).rejects.toThrow(missing);
      await expect(disk.space(path('none'))).rejects.toThrow(missing);
      expect(disk.statSync(path('none'))).toBeUndefined();
    });

    test('the disk has a size, and room in it', async () => {
      const { totalBytes, usableBytes } = await disk.space(home);
      expect(usableBytes).toBeGreaterThan(0);
      expect(usableBytes).toBeLessThanOrEqual(totalBytes);
      expect(Number.isSafeInteger(totalBytes)).toBe(true);
    });

    test('a directory has one owner until it is released', async () => {
      const lock = await disk.lock(home);
      await expect(disk.lock(home)).rejects.toMatchObject({ code: 'DIRECTORY_LOCKED' });
      await lock.release();
      await (await disk.lock(home)).release();
    });
  });
}
