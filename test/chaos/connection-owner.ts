/**
 * Whose connection it is: asks the kernel (Linux, /proc) which of the given processes holds the other end of a loopback
 * connection. The proxy needs it, because all processes of a test come from the same address.
 */
import { readdir, readFile, readlink } from 'node:fs/promises';

const STATE_FIELD = 9;

/** The inode of the socket that is bound to `port` and connected to `peerPort`, both on 127.0.0.1. */
async function inodeOf(port: number, peerPort: number): Promise<string | undefined> {
  const hex = (value: number): string => value.toString(16).toUpperCase().padStart(4, '0');
  const [local, remote] = [`:${hex(port)}`, `:${hex(peerPort)}`];
  for (const line of (await readFile('/proc/net/tcp', 'utf8')).split('\n')) {
    const fields = line.trim().split(/\s+/);
    if (fields[1]?.endsWith(local) && fields[2]?.endsWith(remote)) return fields[STATE_FIELD];
  }
  return undefined;
}

async function holds(pid: number, inode: string): Promise<boolean> {
  const folder = `/proc/${pid}/fd`;
  const names = await readdir(folder).catch(() => []);
  for (const name of names) {
    const target = await readlink(`${folder}/${name}`).catch(() => '');
    if (target === `socket:[${inode}]`) return true;
  }
  return false;
}

/** The key of the process in `pids` that connected from `port` to `peerPort`; undefined if it is none of them. */
export async function connectionOwner<Key>(
  pids: ReadonlyMap<Key, number>,
  port: number,
  peerPort: number,
): Promise<Key | undefined> {
  const inode = await inodeOf(port, peerPort);
  if (inode === undefined) return undefined;
  for (const [key, pid] of pids) {
    if (await holds(pid, inode)) return key;
  }
  return undefined;
}
