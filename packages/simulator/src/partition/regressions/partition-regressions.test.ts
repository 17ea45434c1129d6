/** Every seed of the partition world that ever failed, for a bug of production or of the judge, with the commit that mended it. */
import { expect, test, vi } from 'vitest';
import { simulatePartition } from '../simulate-partition.ts';

// Virtual time costs little, but the machine may be busy.
vi.setConfig({ testTimeout: 60_000 });

const REGRESSIONS = [
  {
    seed: 5,
    commit: '380ade4',
    what: 'a forgotten duplicate was answered before the original was committed',
  },
  {
    seed: 57,
    commit: '9f72dd8',
    what: 'a replica whose log could not be opened was unknown to the controller',
  },
  { seed: 79, commit: 'd053777', what: 'a new leader took a batch from the middle of an unknown producer' },
  {
    seed: 267,
    commit: 'f2adacf',
    what: 'a follower kept records of an epoch that its leader knows nothing about',
  },
  {
    seed: 333,
    commit: 'eeed062',
    what: 'one failed checkpoint during a change of durability stalled a log for ever',
  },
  {
    seed: 447,
    commit: '0646260',
    what: 'an unreadable meta.properties came through as the error of the disk',
  },
  { seed: 563, commit: '4cb307c', what: 'a cut left a log that ended before it began' },
  {
    seed: 1282,
    commit: '825501d',
    what: 'what was durable when a log was cut was cut as a torn tail after a restart',
  },
  {
    seed: 4196,
    commit: 'd6e7e62',
    what: 'followers went on above a committed record that they did not have',
  },
  { seed: 4794, commit: '3d192b2', what: 'producers were rebuilt from the half of a log before its damage' },
  {
    seed: 7213,
    commit: '0643b82',
    what: 'a deletion of records went on during a cut and left a log without segments',
  },
  {
    seed: 10505,
    commit: '7daaaa6',
    what: 'a restarted follower joined the ISR with records that its leader had deleted and never had',
  },
  {
    seed: 11055,
    commit: '7daaaa6',
    what: 'a follower kept an older epoch below the log that its leader led again with',
  },
  {
    seed: 11216,
    commit: '7daaaa6',
    what: 'a deposed leader kept what it alone had written, below the log of the next one',
  },
  {
    seed: 11231,
    commit: '7daaaa6',
    what: 'two leaders wrote at one offset, and deleting one of the two hid that they differ',
  },
  {
    seed: 11205,
    commit: '24171ae',
    what: 'the sync of a folder failed and its log went on',
  },
  {
    seed: 50800,
    commit: '34b02b6',
    what: 'a sound follower out of the ISR was emptied, and forgot its producers',
  },
  {
    seed: 43937,
    commit: '0512895',
    what: 'segments were deleted although writing the log start down had failed',
  },
  {
    seed: 47032,
    commit: '7a2a0bb',
    what: 'a log seemed empty while a read rebuilt its index, and a cut took that for its end',
  },
  {
    seed: 201899,
    commit: 'd5d3d52',
    what: 'retention told of a log start above a torn tail whose epochs were not written down',
  },
  {
    seed: 203368,
    commit: 'ea2b4a7',
    what: 'a damaged batch seemed to hold the place of a cut',
  },
  {
    seed: 205673,
    commit: 'd5d3d52',
    what: 'deleted records took their producers along when a power loss tore them',
  },
  {
    seed: 207110,
    commit: 'ea2b4a7',
    what: 'a log was cut at a damaged base offset',
  },
  {
    seed: 212403,
    commit: 'f7a1bbb',
    what: 'a folder marked as damaged passed for a stray one',
  },
  {
    seed: 215029,
    commit: 'd5d3d52',
    what: 'a deletion failed half way, and epochs were written down only after it',
  },
  {
    seed: 211188,
    commit: 'f82b385',
    what: 'a replica was compared in the middle of a cut after an unclean election',
  },
  {
    seed: 214584,
    commit: 'f82b385',
    what: 'a batch that its leader had deleted was committed again after a loss',
  },
  { seed: 46997, commit: 'a900479', what: 'a cut that did not find its place cut nothing, over and over' },
] as const;

/** Judged wrongly once. */
const EXCUSED = [
  { seed: 10681, commit: '6ebdbe8', what: 'a refusal came late, when its batch had become the oldest' },
  {
    seed: 10929,
    commit: '16c690c',
    what: 'a leader that was begun anew cannot know the producers of deleted batches',
  },
  {
    seed: 44902,
    commit: '949f714',
    what: 'records below the log start of an unclean leader passed for lost',
  },
  { seed: 45008, commit: '949f714', what: 'a repeat of a deleted batch that its leader could not know' },
  {
    seed: 46577,
    commit: 'c82bee4',
    what: 'a broker without a journal and without logs was not started again',
  },
  { seed: 48671, commit: '946813d', what: 'a leader committed alone before it heard of an unclean election' },
  { seed: 11270, commit: 'c5e70e5', what: 'the only eligible log is damaged and the other replica crashed' },
  {
    seed: 11573,
    commit: 'c5e70e5',
    what: 'the only eligible log is damaged and the last leader lost its power',
  },
  { seed: 11673, commit: '6ebdbe8', what: 'a consumer that was behind waited at leaders without news' },
  {
    seed: 51647,
    commit: '99321f3',
    what: 'the model could not compare logs past a gap in what was committed',
  },
  { seed: 52744, commit: '4de2ee0', what: 'a failed sync of the simulated disk undid an earlier one' },
  {
    seed: 230216,
    commit: 'cecf2d6',
    what: 'retention ended in the log of a topic that was deleted meanwhile',
  },
  {
    seed: 1000885,
    commit: '963da8b',
    what: 'an uncleanly elected leader counted as in sync before its disk held what it began with',
  },
  {
    seed: 1017105,
    commit: '3bb5454',
    what: 'a follower counted deleted records of its own as those that its leader had brought back',
  },
  {
    seed: 316,
    commit: 'e6f0e6e',
    what: 'a follower whose log was deleted began anew before it, on an epoch that it did not know',
  },
  {
    seed: 1066,
    commit: '9a2ff79',
    what: 'the judge asked for a producer whose records retention had deleted',
  },
] as const;

test.each([...REGRESSIONS, ...EXCUSED])('seed $seed: $what (mended by $commit)', async ({ seed }) => {
  expect((await simulatePartition(seed)).seed).toBe(seed);
});
