/** The splitter loses nothing and adds nothing, wherever the chunks happen to end. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

function splitAll(chunks: readonly Buffer[]): string[] {
  const splitter = new LineSplitter(1024);
  const lines = chunks.flatMap((chunk) => splitter.split(chunk));
  const rest = splitter.rest();
  return (rest ? [...lines, rest] : lines).map((line) => line.toString('latin1'));
}

test('joined lines are the input, for any text and any chunks', () => {
  fc.assert(
    fc.property(
      fc.array(fc.constantFrom('a', 'bc', '\n', '\r\n', '', 'é'), { maxLength: 60 }),
      fc.array(fc.integer({ min: 1, max: 5 }), { minLength: 1, maxLength: 20 }),
      (words, sizes) => {
        const input = Buffer.from(words.join(''));
        const chunks: Buffer[] = [];
        for (let at = 0, i = 0; at < input.length; i++) {
          const size = sizes[i % sizes.length]!;
          chunks.push(input.subarray(at, at + size));
          at += size;
        }
        const expected = input.toString('latin1').split('\n');
        if (expected.at(-1) === '') expected.pop();
        expect(splitAll(chunks)).toEqual(expected);
      },
    ),
  );
});

test('a last line without a line break is a line', () => {
  expect(splitAll([Buffer.from('one\ntwo')])).toEqual(['one', 'two']);
});

test('a line longer than the limit is refused with its number', () => {
  const splitter = new LineSplitter(4);
  splitter.split(Buffer.from('1234\n123'));
  expect(() => splitter.split(Buffer.from('45\n'))).toThrow('line 2 of the input is longer than 4 bytes');
});
