/** What others call their groups and clients cannot take over a terminal. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { printable, printableLines, quotedName, readableSentence, shortened } from './printable.ts';

test('control characters become what people write for them', () => {
  expect(printable('a\nb\r\t\u001b[31m\u009b\u2028\u202e')).toBe('a\\nb\\r\\t\\x1b[31m\\x9b\\u2028\\u202e');
  expect(printable('Größe 名前 👩‍🚀')).toBe('Größe 名前 👩‍🚀');
  expect(printableLines('a\tb\n\u001b[2J')).toBe('a\tb\n\\x1b[2J');
});

test('no text is left that moves a cursor or begins a line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      expect(printable(text)).not.toMatch(/\p{Cc}|\p{Zl}|\p{Zp}/u);
    }),
  );
});

test.each([
  ['billing', 'billing'],
  ['my-group.v2', 'my-group.v2'],
  ['.', '"."'],
  ['two words', '"two words"'],
  ['', '""'],
  ['a\nb', '"a\\nb"'],
])('%j is told as %s in a sentence', (name, told) => {
  expect(quotedName(name)).toBe(told);
});

test('long names are shortened, between characters', () => {
  expect(shortened('x'.repeat(80), 80)).toBe('x'.repeat(80));
  expect(shortened('x'.repeat(81), 80)).toBe(`${'x'.repeat(79)}…`);
  expect(shortened('👩👩👩', 4)).toBe('👩…');
  const sentence = readableSentence(`group ${'x'.repeat(40_000)}: no such group`);
  expect(sentence).toBe(`group ${'x'.repeat(99)}… no such group`);
});
