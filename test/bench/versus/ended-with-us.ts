/** What must not outlive this process when it is told to end: servers and their data would stay for ever. */
import { constants } from 'node:os';

const SIGNALS = ['SIGINT', 'SIGTERM'] as const;
const enders = new Set<() => void>();

/** @param end is called at most once, at once, the last registered first. @returns what takes it back. */
export function endsWithUs(end: () => void): () => void {
  enders.add(end);
  return () => {
    enders.delete(end);
  };
}

/** From now on signals end this process with all that was registered. */
export function endOnSignals(): void {
  for (const signal of SIGNALS) {
    process.once(signal, () => {
      for (const end of [...enders].reverse()) end();
      process.exit(128 + constants.signals[signal]);
    });
  }
}
