/** Guards of partition replication that can be taken out (reliability.md section 3). Each must be missed by a seed of the partition world. */
import type { Mutant } from './mutant.ts';

type Guard = Omit<Mutant, 'world'>;

const GUARDS: readonly Guard[] = [
  {
    name: 'watermark-moves-below-min-isr',
    rule: 'P4',
    module: 'broker/src/leader-state.ts',
    guard: 'if (this.#isr.length < this.minInSyncReplicas) return false;',
    replacement: '',
  },
  {
    name: 'watermark-ignores-proposed-members',
    rule: 'P4',
    module: 'broker/src/leader-state.ts',
    guard: 'if (follower.inMaximalIsr || this.#mayJoin(follower, log.logEndOffset, nowMs)) {',
    replacement: 'if (follower.inIsr) {',
  },
  {
    name: 'watermark-ahead-of-the-own-disk',
    rule: 'P8',
    module: 'broker/src/leader-state.ts',
    guard: 'let offset = log.flushedOffset;',
    replacement: 'let offset = log.logEndOffset;',
  },
  {
    name: 'watermark-ahead-of-a-followers-disk',
    rule: 'P8',
    module: 'broker/src/replica-session.ts',
    guard: 'acknowledgedOffset: Math.min(position.flushedOffset, fetchOffset),',
    replacement: 'acknowledgedOffset: fetchOffset,',
  },
  {
    name: 'acks-all-does-not-wait',
    rule: 'P5',
    module: 'broker/src/produce.ts',
    guard: 'return acks === -1 && partition.highWatermark < required ? required : undefined;',
    replacement: 'void required; return undefined;',
  },
  {
    name: 'duplicate-answered-before-it-is-committed',
    rule: 'P6',
    module: 'broker/src/produce.ts',
    guard: 'return acks === -1 && partition.highWatermark < required ? required : undefined;',
    replacement:
      'return acks === -1 && !result.duplicate && partition.highWatermark < required ? required : undefined;',
  },
  {
    name: 'join-by-a-stale-watermark',
    rule: 'P9',
    module: 'broker/src/leader-state.ts',
    guard: `      follower.acknowledgedOffset >= this.epochStartOffset &&
      (follower.acknowledgedOffset >= logEndOffset || !this.#lags(follower, nowMs)) &&
`,
    replacement: '',
  },
  {
    name: 'join-below-the-watermark',
    rule: 'P9',
    module: 'broker/src/leader-state.ts',
    guard:
      'follower.acknowledgedOffset >= this.#highWatermark &&\n      follower.acknowledgedOffset >= this.epochStartOffset &&',
    replacement: 'follower.acknowledgedOffset >= 0 &&',
  },
  {
    name: 'unanswered-proposal-is-rolled-back',
    rule: 'P11',
    module: 'broker/src/isr-keeper.ts',
    guard: 'if (answered === undefined) this.#askAgain(proposals);',
    replacement: `if (answered === undefined)
        for (const [partition, proposal] of proposals)
          partition.isrAnswered(proposal, { ...proposal, isr: [], failure: 'INELIGIBLE_REPLICA' });`,
  },
  {
    name: 'fenced-broker-in-sync',
    rule: 'P10',
    module: 'metadata/src/decide/alter-partitions.ts',
    guard: "if (broker.fenced) return 'it is fenced';",
    replacement: '',
  },
  {
    name: 'broker-epoch-not-checked',
    rule: 'P10',
    module: 'metadata/src/decide/alter-partitions.ts',
    guard: 'if (brokerEpoch !== -1 && brokerEpoch !== broker.brokerEpoch) {',
    replacement: 'if (false) {',
  },
  {
    name: 'partition-epoch-not-checked',
    rule: 'P10',
    module: 'metadata/src/decide/alter-partitions.ts',
    guard: 'if (partitionEpoch < partition.partitionEpoch) {',
    replacement: 'if (false) {',
  },
  {
    name: 'unclean-election-unasked',
    rule: 'P12',
    module: 'metadata/src/decide/change-partition.ts',
    guard: 'if (rules.uncleanAllowed) {',
    replacement: 'if (true) {',
  },
  {
    name: 'eligible-although-it-may-have-lost',
    rule: 'P13',
    module: 'metadata/src/decide/change-partition.ts',
    guard: 'const elr = without(eligible, [...isr, ...gone]);',
    replacement: 'const elr = without(eligible, isr);',
  },
  {
    name: 'fenced-last-known-leader-elected',
    rule: 'P13',
    module: 'metadata/src/decide/change-partition.ts',
    guard: 'if (rules.lastKnownAllowed && lastKnown !== undefined && canLead(lastKnown)) {',
    replacement: 'if (rules.lastKnownAllowed && lastKnown !== undefined) {',
  },
  {
    name: 'unclean-stop-not-noticed',
    rule: 'P8',
    module: 'metadata/src/decide/register-broker.ts',
    guard: ': !clean && mayHaveLost(image, partition, known.brokerEpoch, context)',
    replacement: ': false && mayHaveLost(image, partition, known.brokerEpoch, context)',
  },
  {
    name: 'old-metadata-does-not-keep-fenced',
    rule: 'P15',
    module: 'metadata/src/decide/heartbeat.ts',
    guard: 'const mayCount = metadataOffset > brokerEpoch && !wantsShutdown',
    replacement: 'const mayCount = !wantsShutdown',
  },
  {
    name: 'fetch-of-another-epoch',
    rule: 'P16',
    module: 'broker/src/replica-session.ts',
    guard: 'const fault = partition.leaderFault(position.currentLeaderEpoch);',
    replacement: 'const fault = partition.leaderFault(-1);',
  },
  {
    name: 'produce-of-another-epoch',
    rule: 'P16',
    module: 'broker/src/produce.ts',
    guard: 'partition.leaderFault(entry.leaderEpoch);',
    replacement: 'partition.leaderFault(-1);',
  },
  {
    name: 'divergence-not-noticed',
    rule: 'P17',
    module: 'broker/src/log-divergence.ts',
    guard: 'if (end.epoch === lastFetchedEpoch && end.endOffset >= fetchOffset) return undefined;',
    replacement: 'if (fetchOffset <= log.logEndOffset) return undefined;',
  },
  {
    name: 'truncate-to-the-watermark',
    rule: 'P17',
    module: 'broker/src/replica-fetcher.ts',
    guard: 'slot.retry = undefined;\n    this.#positionChanged(slot);\n  }\n\n  unfollow(',
    replacement: `slot.retry = undefined;
    const { log } = partition;
    if (partition.isFollowing && !slot.isTruncating && log.highWatermark < log.logEndOffset)
      this.#change(slot, () =>
        partition.truncate({ epoch: log.lastEpoch, endOffset: log.highWatermark }, log.logStartOffset),
      );
    else this.#positionChanged(slot);
  }

  unfollow(`,
  },
  {
    name: 'epoch-not-recorded-before-use',
    rule: 'P2',
    module: 'broker/src/partition.ts',
    guard: 'if (log.lastEpoch !== image.leaderEpoch) log.assignEpoch(image.leaderEpoch, epochStartOffset);',
    replacement: '',
  },
  {
    name: 'duplicate-not-recognised',
    rule: 'P20',
    module: 'storage/src/producer-state.ts',
    guard: 'if (retried !== undefined) return retried;',
    replacement: 'if (retried !== undefined) return undefined;',
  },
  {
    name: 'sequence-not-checked',
    rule: 'P20',
    module: 'storage/src/producer-state.ts',
    guard: 'if (baseSequence === expected) return undefined;',
    replacement: 'return undefined;',
  },
  {
    name: 'producers-survive-truncation',
    rule: 'P20',
    module: 'storage/src/log-side-files.ts',
    guard: '    this.#producers = rebuilt;\n',
    replacement: '    void rebuilt;\n',
  },
  {
    name: 'out-of-order-for-a-duplicate',
    rule: 'P21',
    module: 'storage/src/producer-state.ts',
    guard: 'if (behind < SEQUENCES / 2 && sequencesBack <= entry.sequencesKnown) {',
    replacement: 'if (false) {',
  },
];

export const PARTITION_MUTANTS: readonly Mutant[] = GUARDS.map((guard) => ({ ...guard, world: 'partition' }));
