/** What a row of the benchmark is, and what rows share while they run. */
import type { Floors } from './floor/floors.ts';
import type { UsageReport } from './process-usage.ts';

export interface Figure {
  readonly value: number;
  readonly unit: string;
}

/** What the machine can do without Millrace, measured in the same run and in the figure's unit. */
export interface Floor extends Figure {
  readonly name: string;
}

export interface Reach {
  readonly text: string;
  readonly met: boolean;
}

export interface RowResult {
  readonly title: string;
  readonly figure: Figure;
  readonly floor?: Floor;
  readonly reach?: Reach;
  /** Further figures, unit last in their names. */
  readonly details: Readonly<Record<string, number | string>>;
  readonly usage?: UsageReport;
  /** Records handled while `usage` was taken; without it, CPU is given as a share of one core. */
  readonly records?: number;
}

export interface Bench {
  /** On the disk under test; everything in it goes when the run ends. */
  readonly folder: string;
  readonly measureMs: number;
  readonly warmupMs: number;
  /** Fewer repetitions and smaller amounts, to see that everything runs. */
  readonly quick: boolean;
  readonly floors: Floors;
  /** Figures of rows that came before, by row name, for rows that are judged against them. */
  readonly figures: Map<string, number>;
  say(text: string): void;
}

export interface Row {
  /** For `--only`. */
  readonly name: string;
  /** Rows whose figures this one is judged against; they run too. */
  readonly needs?: readonly string[];
  run(bench: Bench): Promise<readonly RowResult[]>;
}
