/**
 * Text of others, such as names of groups and clients, made fit for a terminal: control characters would move its
 * cursor, colour it or begin a line of their own. Never used for JSON and YAML, which have escapes, nor for records.
 */

/** As long as a name may be in a column. Names of topics and ids of members fit; `-o json` has all of any. */
export const NAME_CHARS_MAX = 80;
/** In a sentence: longer than the longest topic with its partition, which is told whole. */
const WORD_CHARS_MAX = 300;
const SHORTENED_WORD_CHARS = 100;
const SENTENCE_CHARS_MAX = 2_000;

// C0, DEL and C1, line and paragraph separators, and what turns the direction of writing.
const UNPRINTABLE = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;

const SHORT_ESCAPES: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function escaped(character: string): string {
  const code = character.charCodeAt(0);
  const hex = code.toString(16);
  return (
    SHORT_ESCAPES[character] ?? (code < 256 ? `\\x${hex.padStart(2, '0')}` : `\\u${hex.padStart(4, '0')}`)
  );
}

/** One line: `a\nb`, `\x1b[31m`, `\u2028`. Text without such characters stays as it is. */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, escaped);
}

/** The same of text that has lines and tabs of its own. */
export function printableLines(text: string): string {
  return text.replace(UNPRINTABLE, (character) =>
    character === '\n' || character === '\t' ? character : escaped(character),
  );
}

/** A name inside a sentence: in quotation marks where its end could not be told from the sentence. */
export function quotedName(name: string): string {
  return /^[^\s"']*[^\s"'.,;:]$/.test(name) ? printable(name) : `"${printable(name)}"`;
}

/** @returns `text`, or its beginning and an ellipsis, `most` characters in all. */
export function shortened(text: string, most: number): string {
  if (text.length <= most) return text;
  // A surrogate that has lost its other half would be no character.
  return `${text.slice(0, most - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** One sentence, in which no name is longer than people read. */
export function readableSentence(text: string): string {
  const words = text.replace(/\S+/g, (word) =>
    word.length > WORD_CHARS_MAX ? shortened(word, SHORTENED_WORD_CHARS) : word,
  );
  return printable(shortened(words, SENTENCE_CHARS_MAX));
}
