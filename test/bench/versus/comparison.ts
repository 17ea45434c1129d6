/** What comes out of a row: both sides' figures, and what the pairs say of their ratio. */
import { median } from '../histogram.ts';
import { type Estimate, estimateOf, turnsOf } from './statistics.ts';
import type { SubjectName } from './subject.ts';

/** Of one slice, by name; units last. */
export type Figures = Readonly<Record<string, number>>;

export interface Pair {
  readonly Millrace: Figures;
  readonly Kafka: Figures;
}

/** What the ratio of Millrace to Kafka has to be. */
export interface Target {
  readonly ratio: number;
  readonly sense: 'at least' | 'at most';
}

export interface Comparison {
  readonly title: string;
  readonly unit: string;
  /** Medians. */
  readonly millrace: number;
  readonly kafka: number;
  /** Of Millrace to Kafka. */
  readonly estimate: Estimate;
  readonly target?: Target;
  /** CPU seconds of all servers for a million records, medians. */
  readonly cpuSPerMillion?: { readonly millrace: number; readonly kafka: number };
}

/** Runs `slice` in interleaved pairs. */
export async function inPairs(
  count: number,
  slice: (side: SubjectName) => Promise<Figures>,
): Promise<readonly Pair[]> {
  const pairs: Pair[] = [];
  for (const turns of turnsOf(count)) {
    const figures: Partial<Record<SubjectName, Figures>> = {};
    for (const turn of turns) {
      const side = turn === 'A' ? 'Millrace' : 'Kafka';
      figures[side] = await slice(side);
    }
    pairs.push(figures as Pair);
  }
  return pairs;
}

const mediansOf = (pairs: readonly Pair[], name: string): { millrace: number; kafka: number } => ({
  millrace: median(pairs.map(({ Millrace }) => Millrace[name]!)),
  kafka: median(pairs.map(({ Kafka }) => Kafka[name]!)),
});

/** Compares the figure `name`; if the slices have `cpuSPerMillion`, that goes with it. */
export function compare(
  pairs: readonly Pair[],
  name: string,
  shown: { readonly title: string; readonly unit: string; readonly target?: Target },
): Comparison {
  const hasCpu = pairs.every(
    ({ Millrace, Kafka }) => 'cpuSPerMillion' in Millrace && 'cpuSPerMillion' in Kafka,
  );
  return {
    ...shown,
    ...mediansOf(pairs, name),
    estimate: estimateOf(pairs.map(({ Millrace, Kafka }) => Millrace[name]! / Kafka[name]!)),
    ...(hasCpu ? { cpuSPerMillion: mediansOf(pairs, 'cpuSPerMillion') } : {}),
  };
}

export function isMet({ estimate, target }: Comparison): boolean | undefined {
  if (!target) return undefined;
  return target.sense === 'at least' ? estimate.ratio >= target.ratio : estimate.ratio <= target.ratio;
}
