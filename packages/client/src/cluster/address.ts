/** Addresses as people write them: `host:port`, `[::1]:9191`. */
import { MillraceError } from '@millrace/core';
import type { Address } from './transport.ts';

const PORT_DEFAULT = 9191;

/** @throws {MillraceError} INVALID_CONFIG, naming the entry that is no address. */
export function parseBootstrap(bootstrap: string | readonly string[]): Address[] {
  const given: unknown = typeof bootstrap === 'string' ? bootstrap.split(',') : bootstrap;
  if (!Array.isArray(given) || !given.every((entry) => typeof entry === 'string')) {
    throw new MillraceError('INVALID_CONFIG', 'bootstrap must be host:port, as text or as a list of texts');
  }
  const entries = given.map((entry) => entry.trim()).filter((entry) => entry !== '');
  if (entries.length === 0) throw new MillraceError('INVALID_CONFIG', 'bootstrap names no address');
  return entries.map(parseAddress);
}

export function formatAddress({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

function parseAddress(entry: string): Address {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+))(?::(\d{1,5}))?$/.exec(entry);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? PORT_DEFAULT : Number(match[3]);
  if (host === undefined || port < 1 || port > 65_535) {
    throw new MillraceError(
      'INVALID_CONFIG',
      `bootstrap entry "${entry}" is not host:port, with a port from 1 to 65535`,
    );
  }
  return { host, port };
}
