/**
 * Invariant 62: what does not recover was hit harder than the design tolerates. Topics whose every fault stayed within the
 * budget (fault-budget.ts) are strict: of such a partition a copy is left, so somebody leads it.
 */
import { listPartitions, type RecoveryView } from '../cluster/recovery-view.ts';

export const lossesAreExplained = {
  number: 62,
  name: 'losses-are-explained',
  judge({ layout, image }: Pick<RecoveryView, 'layout' | 'image'>, violated: (text: string) => never): void {
    const plans = [...layout.topics, ...(layout.internalTopics ?? [])];
    const strict = new Set(plans.filter(({ isStrict }) => isStrict).map(({ name }) => name));
    const lost = listPartitions(image(), ({ leader, topicId }) => {
      return leader === -1 && strict.has(image().topics.get(topicId)?.name ?? '');
    });
    if (lost !== '') violated(`the faults leave a copy, yet nobody may lead ${lost}`);
  },
};
