/**
 * One process per data directory, without flock, which Node.js lacks: the owner listens on a Unix socket in
 * the directory. The kernel closes it however the process dies, so a socket that refuses connections is
 * stale, whatever pid namespace its owner lived in. Never decides by process ids or by the age of a file.
 */
import fs from 'node:fs';
import net from 'node:net';
import { basename, dirname } from 'node:path';
import { MillraceError } from '@millrace/core';
import { type DirectoryLock, diskErrorCode } from './file-system.ts';

/** Longest path that fits a socket address on every Unix. */
const SOCKET_PATH_MAX = 100;
const ATTEMPTS_MAX = 20;

/** @param path of the socket to create; its directory exists. @throws {MillraceError} DIRECTORY_LOCKED */
export async function lockDirectory(path: string): Promise<DirectoryLock> {
  const directoryFd = fs.openSync(dirname(path), 'r');
  try {
    return await acquire(path, directoryFd);
  } catch (error) {
    fs.closeSync(directoryFd);
    throw error;
  }
}

let attempts = 0;

async function acquire(path: string, directoryFd: number): Promise<DirectoryLock> {
  const own = `${path}.${process.pid}.${attempts++}`;
  fs.rmSync(own, { force: true });
  const server = await listen(addressOf(own, directoryFd));
  const identity = identityOf(own);
  try {
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
      if (link(own, path)) {
        // A rival that set the stale socket aside may have caught this one instead: it would be gone by now.
        await isAlive(addressOf(path, directoryFd));
        if (identityOf(path) !== identity) break;
        fs.unlinkSync(own);
        return { release: () => release(server, path, identity, directoryFd) };
      }
      const found = identityOf(path);
      if (await isAlive(addressOf(path, directoryFd))) break;
      setStaleAside(path, `${own}.stale`, found);
    }
    throw new MillraceError(
      'DIRECTORY_LOCKED',
      `another process uses the data directory ${dirname(path)}; stop it first`,
    );
  } catch (error) {
    server.close();
    fs.rmSync(own, { force: true });
    throw error;
  }
}

/** Removes the socket that was found dead. If a rival has put a living one in its place, that one goes back. */
function setStaleAside(path: string, aside: string, found: string | undefined): void {
  if (found === undefined || identityOf(path) !== found) return;
  try {
    fs.renameSync(path, aside);
  } catch (error) {
    if (diskErrorCode(error) === 'ENOENT') return;
    throw error;
  }
  if (identityOf(aside) !== found) link(aside, path);
  fs.rmSync(aside, { force: true });
}

/** Inode numbers alone are reused. */
function identityOf(path: string): string | undefined {
  const stat = fs.statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat && `${stat.ino} ${stat.birthtimeNs}`;
}

/** Hard links are made or refused in one step, which is what makes the lock exclusive. */
function link(from: string, to: string): boolean {
  try {
    fs.linkSync(from, to);
    return true;
  } catch (error) {
    if (diskErrorCode(error) === 'EEXIST') return false;
    throw error;
  }
}

function listen(address: string): Promise<net.Server> {
  return new Promise((resolve, reject) => {
    const server = net.createServer((socket) => socket.destroy());
    server.once('error', reject);
    server.listen(address, () => {
      server.removeListener('error', reject);
      // Probes may fail in any way they like; that must not end the owner.
      server.on('error', () => {});
      server.unref();
      resolve(server);
    });
  });
}

function isAlive(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = net.connect(address);
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', (error) => {
      const code = diskErrorCode(error);
      resolve(code !== 'ECONNREFUSED' && code !== 'ENOENT' && code !== 'ENOTSOCK');
    });
  });
}

/** Deep directories do not fit a socket address; on Linux the open directory gives them a short name. */
function addressOf(path: string, directoryFd: number): string {
  if (Buffer.byteLength(path) <= SOCKET_PATH_MAX) return path;
  return process.platform === 'linux' ? `/proc/self/fd/${directoryFd}/${basename(path)}` : path;
}

async function release(
  server: net.Server,
  path: string,
  identity: string | undefined,
  directoryFd: number,
): Promise<void> {
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
  });
  // Only the own socket is removed: a successor may hold the path already.
  if (identityOf(path) === identity) fs.rmSync(path, { force: true });
  fs.closeSync(directoryFd);
}
