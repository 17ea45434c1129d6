/** What the protocol package's own benchmark shows: wide HTTP/2 windows and payloads that are copied once. */
import { dirname, join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { MILLRACE_BIN } from '../../cluster/cluster-processes.ts';
import type { Row, RowResult } from '../row.ts';

/** As `packages/protocol/src/streams.bench.ts` exports it; a benchmark is no part of a package's interface. */
interface StreamsBench {
  measureStreams(scale: number): Promise<readonly StreamsFigure[]>;
}

interface StreamsFigure {
  readonly payloadBytes: number;
  readonly variant: string;
  readonly mebibytesPerSecond: number;
}

const PACKAGES = dirname(dirname(dirname(MILLRACE_BIN)));
const OURS = 'wide windows, one copy';
const FLOOR = 'raw TCP';
const SCALE = 1;
const QUICK_SCALE = 0.2;

function rowOf(payloadBytes: number, figures: readonly StreamsFigure[]): RowResult {
  const rate = (variant: string): number =>
    figures.find((figure) => figure.variant === variant)!.mebibytesPerSecond;
  const others = figures.filter(({ variant }) => variant !== OURS && variant !== FLOOR);
  return {
    title: `protocol: produce stream, messages of ${payloadBytes} B`,
    figure: { value: rate(OURS), unit: 'MiB/s' },
    floor: { name: FLOOR, value: rate(FLOOR), unit: 'MiB/s' },
    details: Object.fromEntries(
      others.map(({ variant, mebibytesPerSecond }) => [`${variant} MiB/s`, mebibytesPerSecond]),
    ),
  };
}

export const protocolRow: Row = {
  name: 'protocol',
  async run({ quick }) {
    const path = join(PACKAGES, 'protocol', 'dist', 'streams.bench.js');
    const { measureStreams } = (await import(pathToFileURL(path).href)) as StreamsBench;
    const figures = await measureStreams(quick ? QUICK_SCALE : SCALE);
    const sizes = [...new Set(figures.map(({ payloadBytes }) => payloadBytes))];
    return sizes.map((size) =>
      rowOf(
        size,
        figures.filter(({ payloadBytes }) => payloadBytes === size),
      ),
    );
  },
};
