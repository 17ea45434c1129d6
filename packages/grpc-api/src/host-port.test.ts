import { expect, test } from 'vitest';
import { formatHostPort, hostOf, parseHostPort } from './host-port.ts';

test.each([
  ['host:9191', { host: 'host', port: 9191 }],
  ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
  ['[::1]:65535', { host: '::1', port: 65535 }],
])('%s is a host and a port, and the same text again', (text, address) => {
  expect(parseHostPort(text)).toEqual(address);
  expect(formatHostPort(address)).toBe(text);
});

test.each(['', 'host', 'host:', ':9191', 'host:0', 'host:65536', 'a:b:1', '[]:1'])('"%s" is none', (text) => {
  expect(parseHostPort(text)).toBeUndefined();
});

test.each([
  ['10.0.0.1:9', '10.0.0.1'],
  ['::ffff:10.0.0.1:9', '10.0.0.1'],
  ['::1:9', '::1'],
  ['[::1]:9', '::1'],
  ['memory', 'memory'],
])('the other end of %s is %s', (peer, host) => expect(hostOf(peer)).toBe(host));
