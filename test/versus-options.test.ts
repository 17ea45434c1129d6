/** The command line of `npm run bench -- --versus kafka`. */
import { expect, test } from 'vitest';
import { parseVersusOptions } from './bench/versus/versus-options.ts';

const ROWS = ['produce-100', 'produce-1024', 'consume-100'];
const parse = (...args: string[]) => parseVersusOptions(['--versus', 'kafka', ...args], ROWS);

test('without more it runs every row, a few short slices each', () => {
  expect(parse()).toEqual({ only: undefined, pairs: 4, seconds: 2, json: undefined });
});

test('rows are chosen by name or by how their names begin', () => {
  expect(parse('--only', 'consume-100,produce-*', '--pairs', '10', '--seconds', '12.5')).toEqual({
    only: ['consume-100', 'produce-100', 'produce-1024'],
    pairs: 10,
    seconds: 12.5,
    json: undefined,
  });
  expect(parse('--list')).toBeUndefined();
});

test('what is wrong is named', () => {
  expect(() => parse('--only', 'latency')).toThrow('no such row: latency');
  expect(() => parse('--pairs', '0')).toThrow('--pairs takes a number from 1 to 100');
  expect(() => parse('--seconds', 'long')).toThrow('--seconds takes');
  expect(() => parseVersusOptions(['--versus', 'nats'], ROWS)).toThrow('--versus takes kafka');
});
