/**
 * Makes a checkout ready to run: installs what the lock file asks for and builds what changed.
 * Does nothing that is done already, so that `npm start` and `npm test` can call it every time.
 */
import { execFileSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const modules = join(root, 'node_modules');
const installedLock = join(modules, '.millrace-installed-lock');
const builtStamp = join(modules, '.millrace-built');
const lock = readFileSync(join(root, 'package-lock.json'), 'utf8');

function run(title, command, args) {
  process.stderr.write(`${title} ...\n`);
  try {
    execFileSync(command, args, { cwd: root, stdio: ['ignore', 2, 2] });
  } catch (error) {
    process.stderr.write(`${title} failed with exit code ${error.status}\n`);
    process.exit(1);
  }
}

function isInstalled() {
  return existsSync(installedLock) && readFileSync(installedLock, 'utf8') === lock;
}

/** The newest change under the sources and build settings, in ms. */
function newestSourceMs(folder) {
  let newest = 0;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === 'dist' || entry.name === 'node_modules') continue;
    const path = join(folder, entry.name);
    newest = Math.max(newest, entry.isDirectory() ? newestSourceMs(path) : statSync(path).mtimeMs);
  }
  return newest;
}

function isBuilt() {
  if (!existsSync(builtStamp)) return false;
  const builtMs = statSync(builtStamp).mtimeMs;
  if (statSync(join(root, 'tsconfig.json')).mtimeMs > builtMs) return false;
  return (
    newestSourceMs(join(root, 'packages')) <= builtMs &&
    newestSourceMs(join(root, 'test')) <= builtMs &&
    readdirSync(join(root, 'packages'), { withFileTypes: true }).every(
      (entry) => !entry.isDirectory() || existsSync(join(root, 'packages', entry.name, 'dist', 'index.js')),
    )
  );
}

if (!isInstalled()) {
  run('installing dependencies', 'npm', [
    'ci',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
  mkdirSync(modules, { recursive: true });
  writeFileSync(installedLock, lock);
}
if (!isBuilt()) {
  const startedAt = new Date();
  run('building', process.execPath, [join(modules, 'typescript', 'bin', 'tsc'), '-b']);
  writeFileSync(builtStamp, '');
  // What was edited during the build is newer than its beginning.
  utimesSync(builtStamp, startedAt, startedAt);
}
