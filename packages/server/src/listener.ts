/**
 * Listener addresses as Kafka writes them: `NAME://host:port,NAME://host:port`.
 * Only text to data; nothing here opens a socket.
 */
import { MillraceError } from '@millrace/core';

export interface Listener {
  /** `GRPC`, or a name that `listener.security.protocol.map` maps. */
  readonly name: string;
  /** Empty means every interface. */
  readonly host: string;
  /** 0 lets the operating system choose. */
  readonly port: number;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface Voter extends Address {
  readonly id: number;
}

const PORT_MAX = 65_535;

/** @throws {MillraceError} INVALID_CONFIG that names the key and the faulty part. */
export function parseListeners(key: string, items: readonly string[]): Listener[] {
  const listeners = items.map((item) => {
    const match = /^([A-Za-z][A-Za-z0-9_]*):\/\/(\[[^\]]*\]|[^:]*):(\d+)$/.exec(item);
    const port = Number(match?.[3]);
    if (!match || port > PORT_MAX) {
      throw new MillraceError('INVALID_CONFIG', `${key}: "${item}" must be NAME://host:port`);
    }
    return { name: match[1]!.toUpperCase(), host: match[2]!.replace(/^\[|\]$/g, ''), port };
  });
  const names = listeners.map(({ name }) => name);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined)
    throw new MillraceError('INVALID_CONFIG', `${key}: listener ${twice} is named twice`);
  return listeners;
}

/** `host:9191,[::1]:9191`. @throws {MillraceError} INVALID_CONFIG. */
export function parseAddresses(key: string, items: readonly string[]): Address[] {
  return items.map((item) => {
    const match = /^(\[[^\]]*\]|[^:]+):(\d+)$/.exec(item);
    const port = Number(match?.[2]);
    if (!match || port > PORT_MAX)
      throw new MillraceError('INVALID_CONFIG', `${key}: "${item}" must be host:port`);
    return { host: match[1]!.replace(/^\[|\]$/g, ''), port };
  });
}

/** `1@host:9191,2@host:9191`. @throws {MillraceError} INVALID_CONFIG. */
export function parseVoters(key: string, items: readonly string[]): Voter[] {
  const voters = items.map((item) => {
    const match = /^(\d+)@(\[[^\]]*\]|[^:]+):(\d+)$/.exec(item);
    const port = Number(match?.[3]);
    if (!match || port > PORT_MAX)
      throw new MillraceError('INVALID_CONFIG', `${key}: "${item}" must be ID@host:port`);
    return { id: Number(match[1]), host: match[2]!.replace(/^\[|\]$/g, ''), port };
  });
  if (new Set(voters.map(({ id }) => id)).size !== voters.length) {
    throw new MillraceError('INVALID_CONFIG', `${key}: a voter id stands twice`);
  }
  return voters;
}
