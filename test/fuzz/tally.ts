/** Counts what became of mutants: by what was done to them, and which APIs and versions they began with. */
import type { Mutant } from './mutations.ts';

export class FuzzTally {
  frames = 0;
  connections = 0;
  /** Connections that the node ended because of a whole frame. */
  cutOff = 0;
  readonly #outcomes = new Map<string, Map<string, number>>();
  readonly #starts = new Map<string, number>();

  note({ mutation, start }: Mutant, outcome: string): void {
    this.frames += 1;
    const of = this.#outcomes.get(mutation) ?? new Map<string, number>();
    of.set(outcome, (of.get(outcome) ?? 0) + 1);
    this.#outcomes.set(mutation, of);
    const at = `${start.api} ${start.version}`;
    this.#starts.set(at, (this.#starts.get(at) ?? 0) + 1);
  }

  /** How many APIs in how many versions were the beginning of frames, each of how many at least. */
  get starts(): { readonly count: number; readonly fewest: number } {
    return { count: this.#starts.size, fewest: Math.min(...this.#starts.values()) };
  }

  lines(): string[] {
    return [...this.#outcomes].map(([mutation, outcomes]) => {
      const parts = [...outcomes]
        .sort(([, a], [, b]) => b - a)
        .map(([outcome, count]) => `${count} ${outcome}`);
      return `${mutation}: ${parts.join(', ')}`;
    });
  }
}
