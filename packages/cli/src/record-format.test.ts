/** Every directive and escape, and what becomes of mistakes. */
import { expect, test } from 'vitest';
import { ByteBuffer } from './byte-buffer.ts';
import { compileFormat, type PrintableRecord } from './record-format.ts';

const RECORD: PrintableRecord = {
  topic: 'orders',
  partition: 3,
  offset: 42n,
  timestamp: 1_700_000_000_000,
  key: Buffer.from('k1'),
  value: Buffer.from([0xff, 0x00, 0x41]),
  headers: [
    { key: 'a', value: Buffer.from('1') },
    { key: 'empty', value: null },
  ],
};

function print(template: string, record: PrintableRecord = RECORD): Buffer {
  const out = new ByteBuffer(4);
  compileFormat(template)(record, out);
  return out.take();
}

test.each([
  ['%t %p %o %k %T %h\\n', 'orders 3 42 k1 1700000000000 a=1,empty\n'],
  ['%K:%S%%', '2:3%'],
  ['\\t\\r\\\\\\x41', '\t\r\\A'],
  ['zażółć %p', 'zażółć 3'],
])('format %j prints %j', (template, expected) => {
  expect(print(template).toString()).toBe(expected);
});

test('values pass byte for byte', () => {
  expect(print('%v')).toEqual(Buffer.from([0xff, 0x00, 0x41]));
  expect(print('%s')).toEqual(print('%v'));
});

test('a null key and value print nothing and have length -1', () => {
  expect(print('[%k|%v|%K|%S]', { ...RECORD, key: null, value: null }).toString()).toBe('[||-1|-1]');
});

test.each(['%q', '%', '\\q', '\\'])('%j is a usage error', (template) => {
  expect(() => compileFormat(template)).toThrow('unknown');
});
