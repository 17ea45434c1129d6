import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { replayScript } from './testing/group-scenario.ts';

// Each file is a script of commands with the output they produce; testing/group-scenario.ts lists them.
// `npx vitest -u` rewrites the outputs; commit a rewrite only if you can explain every changed line.
const directory = fileURLToPath(new URL('./testdata/classic/', import.meta.url));

for (const file of (await readdir(directory)).sort()) {
  test(`scenario ${file}`, async () => {
    const path = join(directory, file);
    await expect(replayScript(await readFile(path, 'utf8'))).toMatchFileSnapshot(path);
  });
}
