/** Parsers of flag values, for commander: each says what is wrong in a sentence. Pure. */
import { InvalidArgumentError } from 'commander';

const INT32_MAX = 2 ** 31 - 1;

export function parseCount(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= 1) return value;
  throw new InvalidArgumentError('Give a whole number from 1 up.');
}

/** For counts that travel as 32-bit numbers: partitions, replicas. */
export function parseCount32(text: string): number {
  const value = parseCount(text);
  if (value <= INT32_MAX) return value;
  throw new InvalidArgumentError(`Give a whole number from 1 to ${INT32_MAX}.`);
}

export function parsePartition(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value <= INT32_MAX) return value;
  throw new InvalidArgumentError('Partitions are numbers from 0 up.');
}

/** `0,2,5-7` as numbers, each once, in ascending order. */
export function parsePartitions(text: string): readonly number[] {
  const partitions = new Set<number>();
  for (const part of text.split(',')) {
    const [first, last] = part.split('-').map((piece) => parsePartition(piece.trim())) as [number, number?];
    if (last !== undefined && (last < first || last - first > 100_000)) {
      throw new InvalidArgumentError(`${part} is not a range of partitions.`);
    }
    for (let partition = first; partition <= (last ?? first); partition++) partitions.add(partition);
  }
  return [...partitions].sort((a, b) => a - b);
}

/** Choices of a flag, as commander's `choices` does but also for short lists that completion should know. */
export function parseChoice<const T extends readonly string[]>(choices: T): (text: string) => T[number] {
  return (text) => {
    const found = choices.find((choice) => choice === text);
    if (found !== undefined) return found;
    throw new InvalidArgumentError(`Choose one of ${choices.join(', ')}.`);
  };
}
