/**
 * Brings every committed decision about a partition before the invariants that concern decisions alone (27 to 29, 36). They
 * are those of the partition world; here the metadata log of a whole quorum tells what was decided.
 */
import { type MetadataImage, type PartitionImage, topicConfigOf } from '@millrace/metadata';
import { standingsAgree } from '../invariants/27-standings-agree.ts';
import { onlyActiveBrokersAreInSync } from '../invariants/28-only-active-brokers-are-in-sync.ts';
import { epochsGrow } from '../invariants/29-epochs-grow.ts';
import { uncleanElectionsAreReported } from '../invariants/36-unclean-elections-are-reported.ts';
import { PartitionModel } from '../partition/partition-model.ts';
import type { PartitionJudge } from '../partition/partition-observation.ts';
import type { ClusterLayout } from './cluster-layout.ts';
import type { Decided } from './metadata-witness.ts';

const INVARIANTS = [standingsAgree, onlyActiveBrokersAreInSync, epochsGrow, uncleanElectionsAreReported];

export class DecisionCourt {
  readonly #settings: ClusterLayout['settings'];
  readonly #partitions = new Map<string, PartitionModel>();
  readonly #judges: readonly PartitionJudge[];

  constructor({ settings }: ClusterLayout, image: () => MetadataImage, violated: (text: string) => never) {
    this.#settings = settings;
    const view = { partitions: this.#partitions, image, nowMs: () => 0 };
    this.#judges = INVARIANTS.map(({ number, name, judge }) =>
      judge(view, (text) => violated(`invariant ${number} ${name}: ${text}`)),
    );
  }

  decided({ before, after, imageBefore, image, isJump }: Decided): void {
    const partition = this.#model(after, image);
    // What happened in between is unknown, only the outcome can be judged.
    const from = isJump ? undefined : before;
    const wasEligible = from !== undefined && [...from.isr, ...from.elr].includes(after.leader);
    const decided = {
      before: from,
      after,
      imageBefore,
      image,
      isUnclean: !wasEligible && after.recovering,
      // The controller writes each decision as an entry of its own, and no decision changes a partition twice.
      changes: 1,
    };
    for (const judge of this.#judges) judge.decided?.(partition, decided);
  }

  brokersDecided(image: MetadataImage): void {
    for (const judge of this.#judges) judge.brokersDecided?.(image);
  }

  #model(after: PartitionImage, image: MetadataImage): PartitionModel {
    const key = `${after.topicId}-${after.partition}`;
    const config = topicConfigOf(image, after.topicId, { fileTexts: this.#settings });
    let model = this.#partitions.get(key);
    if (model === undefined) {
      const { name } = image.topics.get(after.topicId)!;
      model = new PartitionModel(`${name}-${after.partition}`, name, after, config);
      this.#partitions.set(key, model);
    }
    model.image = after;
    model.config = config;
    model.hadPageCache ||= config.durability === 'page-cache';
    return model;
  }
}

/** `strict-0 epoch 4, leader 2 in 1, ISR [2,3], ELR [], replicas [1,2,3]`. */
export function describeDecision({ after, image }: Decided): string {
  const { topicId, partition, leader, leaderEpoch, partitionEpoch, isr, elr, replicas } = after;
  const name = image.topics.get(topicId)?.name ?? topicId;
  return `${name}-${partition} epoch ${partitionEpoch}, leader ${leader} in ${leaderEpoch}, ISR [${isr}], ELR [${elr}], replicas [${replicas}]`;
}
