/**
 * Invariant 39, as clients see it: of every acknowledged record there is exactly one copy, of one that definitely failed
 * there is none, and no poll leaves anything out or goes back (find-anomalies.ts).
 */
import type { ClientHistory } from '../history/client-history.ts';
import { type Anomaly, findAnomalies } from '../history/find-anomalies.ts';

export interface FinishedHistory {
  /** Every partition was read to its end. */
  readonly history: ClientHistory;
  /** What the faults, or the way in which a producer asked, allow. */
  isLawful(anomaly: Anomaly): boolean;
}

export const clientHistoriesAreSound = {
  number: 39,
  name: 'client-histories-are-sound',
  judge({ history, isLawful }: FinishedHistory, violated: (text: string, kind: string) => never): void {
    const anomalies = findAnomalies(history, { isReadToEnd: true }).filter((anomaly) => !isLawful(anomaly));
    const [first] = anomalies;
    if (first === undefined) return;
    const { kind, partition, text } = first;
    violated(`${partition}: ${text} (${anomalies.length} in all)`, kind);
  },
};
