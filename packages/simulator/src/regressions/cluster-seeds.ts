/**
 * Seeds of whole clusters that failed once, each with what was wrong and the commit that mended it. They are run by a unit
 * test for ever, as far as their worlds are still what they were: a change of the workload gives a seed another life.
 */

export interface KeptSeed {
  readonly seed: number;
  /** The invariant that was broken. */
  readonly invariant: string;
  /** What was wrong with the code. */
  readonly cause: string;
  /** Subject of the commit that mended it. */
  readonly mendedBy: string;
  /** Its world has groups: seeds of the time before there were any go on without. */
  readonly hasGroups?: boolean;
  /** Its groups have members of the classic protocol: seeds of the time before there were any go on without. */
  readonly hasClassic?: boolean;
}

export const CLUSTER_SEEDS: readonly KeptSeed[] = [
  {
    seed: 119,
    invariant: '46 committed-offsets-never-go-back',
    cause: 'a commit that failed was sent again, with the newest epoch, after its partition was given up',
    mendedBy: 'client: commits of partitions that were given up are not sent again',
    hasGroups: true,
  },
  {
    seed: 1,
    invariant: '46 committed-offsets-never-go-back',
    cause:
      'a member that was taking a partition over left it out of a full heartbeat, so the group gave it to another one',
    mendedBy: 'client: a member says what it has from when it begins to take it over',
    hasGroups: true,
  },
  {
    seed: 654,
    invariant: '47 one-owner-per-partition',
    cause: 'the same: both members believed to hold the partition, and both were right',
    mendedBy: 'client: a member says what it has from when it begins to take it over',
    hasGroups: true,
  },
  {
    seed: 1086,
    invariant: '46 committed-offsets-never-go-back',
    cause:
      'a record that was read before its partition was lost was committed after the partition had come back',
    mendedBy: 'client: what was read before its partition was lost is not committed after',
    hasGroups: true,
  },
  {
    seed: 65,
    invariant: '39 client-histories-are-sound, inconsistent-offsets',
    cause: 'a folder with a rotten partition.metadata passed for a stray, and its empty successor led',
    mendedBy: 'storage: a folder whose journal begins later is damaged, not a stray',
  },
  {
    seed: 59,
    invariant: '39 client-histories-are-sound, duplicate',
    cause: 'retention and a power loss took a batch and every snapshot that told of its producer',
    mendedBy: 'storage: producers are durable before the batches that tell of them go',
  },
  {
    seed: 238,
    invariant: '18 metadata-history-is-linearizable',
    cause: 'the admin answered TOPIC_ALREADY_EXISTS for a topic that its own first attempt had made',
    mendedBy: 'client: a change that may be our own is not called refused',
  },
  {
    seed: 240,
    invariant: '59 replicas-are-in-sync',
    cause: 'the sync of a damaged log, ended by its repair, took the repaired one offline',
    mendedBy: 'storage: a sync of files that a repair moved aside does not fail the new log',
  },
  {
    seed: 1090,
    invariant: '60 all-clients-finish',
    cause: 'a read of a damaged length at the end of a segment went round for ever and stopped the node',
    mendedBy: 'storage: a read that meets a damaged length ends',
  },
  {
    seed: 23,
    invariant: '39 client-histories-are-sound, inconsistent-offsets',
    cause: 'rot in what a truncation had left passed for a torn tail: the recovery point on disk was older',
    mendedBy: 'storage: what a truncation left is durable, so damage in it is no tail',
  },
  {
    seed: 231,
    invariant: '39 client-histories-are-sound, inconsistent-offsets',
    cause: 'a log closed while it was cut kept the sequences of what was cut: a retry of it was acknowledged',
    mendedBy: 'storage: a log is closed after its truncation',
  },
  {
    seed: 61646,
    invariant: '39 client-histories-are-sound, inconsistent-offsets',
    cause:
      'no fault of the code: after healing every hurt node was killed at once, with all copies of a page-cache log',
    mendedBy: 'simulator: hurt nodes restart one after another where records are in page caches',
  },
  {
    seed: 61046,
    invariant: '62 losses-are-explained',
    cause:
      'the journal kept an old file for a damaged log and let newer ones go: the hole damaged every log of the node',
    mendedBy: 'storage: what the journal keeps for a damaged log leaves no hole behind it',
  },
  {
    seed: 60728,
    invariant: '58 partitions-have-leaders',
    cause:
      'no fault of the code: a dial that a paused process never took up was not made again when that process died',
    mendedBy: 'simulator: a dial that waits for a paused process outlives it',
  },
  {
    seed: 61720,
    invariant: '59 replicas-are-in-sync',
    cause:
      'a cut found no batch at its offset, as the last one had a rotten base offset, cut nothing and was tried for ever',
    mendedBy: 'storage: a cut that finds no batch where one must be tells of damage',
  },
  {
    seed: 62366,
    invariant: '18 metadata-history-is-linearizable',
    cause: 'the admin took a repeated growth for done by what a broker showed that was behind',
    mendedBy: 'client: whether a growth is our own is asked of the controller',
  },
  {
    seed: 61460,
    invariant: '18 metadata-history-is-linearizable',
    cause: 'no fault of the code: a deletion asked twice, of unknown outcome, took effect twice',
    mendedBy: 'simulator: a call of unknown outcome may take effect twice, too',
  },
  {
    seed: 301255,
    invariant: '39 client-histories-are-sound, inconsistent-offsets',
    cause:
      'no fault of the code: the operator ended a copy in a page cache while another was in sync that a new controller fenced at once',
    mendedBy: 'simulator: the operator waits until controllers have settled',
  },
  {
    seed: 300732,
    invariant: '49 damage-is-explained',
    cause:
      'a log that could not be opened left its files open: after its repair, segments of the same names were written to those moved aside',
    mendedBy: 'storage: files that move with their folder are opened no more under its name',
  },
  {
    seed: 300563,
    invariant: '39 client-histories-are-sound, nonmonotonic-poll',
    cause:
      'a reader fell behind the log start of a leader, asked for the start at the next one, which had not heard of the deletion, and began anew',
    mendedBy: 'client: a reader that fell behind the log start is never sent back',
  },
  {
    seed: 63465,
    invariant: '39 client-histories-are-sound, nonmonotonic-poll',
    cause:
      'the first record was asked of a new leader, which had deleted less than the one that refused the reader',
    mendedBy: 'client: a reader that fell behind the log start is never sent back',
  },
  {
    seed: 33,
    invariant: '55 nothing-is-left-open',
    cause: 'a read that was under way when the store was closed opened its segment once more',
    mendedBy: 'storage: a store that is closed opens no file',
  },
  {
    seed: 504,
    invariant: '46 committed-offsets-never-go-back',
    cause:
      'a leader that was replaced unheard told a member with a commit of the next epoch that its records were cut, and the group read anew from 0',
    mendedBy: 'broker: a replaced leader does not judge what its successor wrote',
  },
  {
    seed: 400102,
    invariant: '47 one-owner-per-partition',
    cause: 'no fault of the code: a member slept through being thrown out, and read an answer of before',
    mendedBy: 'simulator: a member that slept through being thrown out may believe what it likes',
  },
  {
    seed: 70012,
    invariant: '47 one-owner-per-partition',
    cause:
      'a consumer that closed still showed its partitions as assigned while the group gave them to another',
    mendedBy: 'client: who leaves has nothing any more when the group hears of it',
    hasGroups: true,
  },
  {
    seed: 1000061,
    invariant: '53 every-call-ends',
    cause: 'DeleteRecords waited for the disk without a limit',
    mendedBy:
      "broker: a stalled disk delays neither a deletion nor a lookup of offsets beyond the request's time",
    hasGroups: true,
  },
  {
    seed: 1000582,
    invariant: '24 electable-replicas-hold-all-committed',
    cause: 'a damaged replica was emptied by metadata of before its return to the in-sync set',
    mendedBy: 'broker: a damaged replica is emptied only once the controller is known to know of the damage',
    hasGroups: true,
  },
  {
    seed: 1001059,
    invariant: '61 groups-settle',
    cause: 'no fault of the code: the program of a member never committed again what had failed last',
    mendedBy: 'simulator: a member whose commit failed commits again when it is idle',
    hasGroups: true,
  },
  {
    seed: 1001926,
    invariant: '24 electable-replicas-hold-all-committed',
    cause: 'a repaired replica was let in on the word of the log that it had lost',
    mendedBy: 'broker: a repaired replica counts again once it holds all that it acknowledged',
    hasGroups: true,
  },
  {
    seed: 1002063,
    invariant: 'no process ends without a reason',
    cause: 'the late registration of a former life took the id for a moment, and the broker ended at once',
    mendedBy: 'broker: who has just started waits for its id however it lost it',
    hasGroups: true,
  },
  {
    seed: 1004265,
    invariant: '46 committed-offsets-never-go-back',
    cause: 'a commit without an epoch led its reader to a replaced leader, whose log ended earlier',
    mendedBy: 'client: a commit of given offsets names the newest epoch that was read',
    hasGroups: true,
  },
  {
    seed: 1004196,
    invariant: '18 metadata-history-is-linearizable',
    cause: 'a growth that had been made was told as refused, on the word of a broker that was behind',
    mendedBy: 'client: a broker that is behind does not turn a growth into a refusal',
    hasGroups: true,
  },
  {
    seed: 1004264,
    invariant: '39 client-histories-are-sound',
    cause:
      'a damaged header told sequences that were never written, and a new batch passed for a retry of them',
    mendedBy: 'storage: sequences are read again only from batches whose checksum is right',
    hasGroups: true,
  },
  {
    seed: 2001460,
    invariant: '24 electable-replicas-hold-all-committed',
    cause: 'an old disk was put back while a leader waited for the word that its owner is in sync again',
    mendedBy: 'simulator: an old disk is put back only where no leader counts on what it loses',
    hasGroups: true,
  },
  {
    seed: 2002111,
    invariant: '59 replicas-are-in-sync',
    cause: 'a follower that was registered again while it ran stood under its old epoch on idle partitions',
    mendedBy: 'broker: a follower that is registered again while it runs counts with its new epoch',
    hasGroups: true,
  },
  {
    seed: 2000,
    invariant: '61 groups-settle',
    cause:
      'a member that was thrown out before its group moved back to the classic protocol was told that there is no group, and never joined again',
    mendedBy: 'groups: who was thrown out before the group became a classic one is told to join again',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 3000307,
    invariant: '61 groups-settle',
    cause: 'a classic member that had asked for its id only kept the SDK out, with a refusal that ends it',
    mendedBy: 'groups: a classic member that only has its id yet keeps nobody out',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 540,
    invariant: '47 one-owner-per-partition',
    cause:
      'a member gave up a partition that it could not begin, was not told that another had it, and took it again',
    mendedBy: 'groups: who gave up a partition by itself is told when it is given to another',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 4001633,
    invariant: '61 groups-settle',
    cause: 'a consumer never asked for metadata again after a try that had outlived its caller failed',
    mendedBy: 'client: metadata is asked for again also after a try that outlived its caller',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 4001281,
    invariant: '46 committed-offsets-never-go-back',
    cause: 'a commit of a connection that had broken arrived after a newer one of the same member',
    mendedBy: 'groups: a commit that a newer one of the same sender has overtaken is refused',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 5001503,
    invariant: '39 client-histories-are-sound',
    cause:
      'leader epochs were rebuilt from a log whose first batch could not be read: followers cut to a wrong offset',
    mendedBy: 'storage: what is rebuilt from a log is rebuilt from all of it, or the log is damaged',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 594,
    invariant: '47 one-owner-per-partition',
    cause:
      'what a classic member had yet to give up was free once its group had gone to its protocol and back',
    mendedBy: 'groups: a classic member keeps what it has yet to give up when its group changes the protocol',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 236,
    invariant: '46 committed-offsets-never-go-back',
    cause: 'a leader that was replaced unheard called an offset out of range: its reader began again',
    mendedBy:
      'broker: a leader out of contact with the controller calls no offset beyond its end out of range',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 8_000_937,
    invariant: '59 replicas-are-in-sync',
    cause:
      'what a follower waited for was compacted while it was read: it was answered nothing, and heard no more',
    mendedBy: 'broker: a follower is never answered with nothing where the log goes on',
    hasGroups: true,
    hasClassic: true,
  },
  {
    seed: 9_003_976,
    invariant: '61 groups-settle',
    cause:
      'a static member started anew before it let go of what others were to get: nobody began the round for that',
    mendedBy: 'groups: a round begins when a static member that had to give something up starts anew',
    hasGroups: true,
    hasClassic: true,
  },
];
