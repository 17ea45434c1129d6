/** What the command line of the simulator takes, and what it refuses. */
import { describe, expect, test } from 'vitest';
import { chooseMutants } from '../mutants/choose-mutants.ts';
import { MUTANTS } from '../mutants/mutants.ts';
import { parseMutantsOptions } from '../mutants/mutants-command.ts';
import { replayCommand } from './campaign-report.ts';
import { parseSimulateOptions } from './simulate-options.ts';

const parse = (text: string) => parseSimulateOptions(text === '' ? [] : text.split(' '));

describe('seeds', () => {
  test('are one of the first unless something else is asked for', () => {
    expect(parse('')).toMatchObject({ world: 'cluster', firstSeed: 1, seedCount: 1, hasGroups: undefined });
    expect(parse('--minutes 2')).toMatchObject({ seedCount: undefined, minutes: 2 });
    expect(parse('--seed 4294967295')).toMatchObject({ firstSeed: 4_294_967_295 });
  });

  test.each(['9007199254740993', '1.5', '4294967296', '4294967297', '-1', '1e3', '0x10', ''])(
    'seed "%s" is refused with the range that is right',
    (seed) => {
      expect(() => parseSimulateOptions([`--seed=${seed}`])).toThrow('from 0 to 4294967295');
    },
  );

  test('none, or no time for any, is refused', () => {
    expect(() => parse('--seeds 0')).toThrow('--seeds 0: must be a whole number from 1');
    expect(() => parse('--minutes 0')).toThrow('--minutes 0: must be a number from 0.01');
    expect(() => parse('--seed 4294967295 --seeds 2')).toThrow('from 1 to 1');
  });
});

describe('what would be ignored is refused', () => {
  test.each([
    ['--world raft --clients 2', '--clients means nothing in the world raft'],
    ['--world crashes --faults loss', '--faults means nothing in the world crashes'],
    ['--world flips --fault-ms 100', '--fault-ms means nothing'],
    ['--world crashes --clients 1', '--clients means nothing'],
    ['--world crashes --shrink', '--shrink means nothing'],
    ['--world commits --faults loss', '--faults means nothing'],
    ['--world partition --groups on', '--groups means nothing in the world partition'],
    ['--trace --seeds 2', '--seeds means nothing with --trace'],
    ['--trace --shrink', '--shrink means nothing with --trace'],
    ['--trace --twice', '--twice means nothing with --trace'],
    ['--trace --json x', '--json means nothing with --trace'],
    ['--jobs 0', '--jobs 0: must be a whole number from 1'],
    ['--groups maybe', 'must be on or off'],
    ['--world moon', 'no such world: moon'],
  ])('%s', (text, message) => {
    expect(() => parse(text)).toThrow(message);
  });
});

test('a kind of fault that a world does not have is refused, and is not among all', () => {
  expect(() => parse('--world raft --faults torn-write')).toThrow('no such fault here: torn-write');
  const inRaft = parse('--world raft --faults all')!.faults!;
  expect(inRaft).toContain('sync-error');
  expect(inRaft).not.toContain('read-error');
  expect(parse('--world cluster --faults torn-write,lost-rename')!.faults).toEqual([
    'torn-write',
    'lost-rename',
  ]);
});

test('groups are on, off, or as the seed has them; the command that replays says which', () => {
  expect(parse('--groups on')!.hasGroups).toBe(true);
  expect(parse('--groups off')!.hasGroups).toBe(false);
  expect(parse('--world commits --classic on')!.hasClassic).toBe(true);
  expect(parse('')!.hasClassic).toBeUndefined();
  const replay = replayCommand({ world: 'cluster', seed: 65, options: { hasGroups: false } });
  expect(replay).toBe('npm run simulate -- --world cluster --seed 65 --groups off');
});

describe('mutants', () => {
  test.each([
    [['0'], 'from 1 to'],
    [['-1'], /from 1 to|Unknown option/],
    [['1.5'], 'from 1 to'],
    [['100000'], 'from 1 to'],
    [['nope'], 'there is no mutant "nope"'],
    [['1', '2'], 'separated by commas'],
    [['1', '--seeds-max', 'abc'], '--seeds-max abc: must be a whole number'],
    [['1', '--seeds-max', '0'], '--seeds-max 0'],
    [['1', '--jobs', '0'], '--jobs 0'],
    [['1', '--seed', '3'], 'Unknown option'],
  ])('%j is refused', (args, message) => {
    expect(() => parseMutantsOptions(args)).toThrow(message);
  });

  test('are all of them, those named, or a count of which the first twelve are of every world', () => {
    expect(parseMutantsOptions([])!.mutants).toBe(MUTANTS);
    expect(parseMutantsOptions(['--help'])).toBeUndefined();
    expect(chooseMutants('no-pre-vote, no-stickiness').map(({ name }) => name)).toEqual([
      'no-pre-vote',
      'no-stickiness',
    ]);
    const sample = chooseMutants('12');
    expect(new Set(sample).size).toBe(12);
    expect(new Set(sample.map(({ world }) => world))).toEqual(new Set(MUTANTS.map(({ world }) => world)));
    expect(new Set(chooseMutants(`${MUTANTS.length}`))).toEqual(new Set(MUTANTS));
  });
});
