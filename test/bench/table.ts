/** Results as lines for a terminal. */
import type { Figure, RowResult } from './row.ts';

const HEADINGS = ['row', 'figure', 'floor of this run', 'ratio', 'to reach', 'met'];

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-';
  const digits = Number.isInteger(value) || Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString('en-US', { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

function formatFigure({ value, unit }: Figure): string {
  return `${formatNumber(value)} ${unit}`;
}

function cellsOf({ title, figure, floor, reach }: RowResult): string[] {
  return [
    title,
    formatFigure(figure),
    floor ? `${floor.name}: ${formatFigure(floor)}` : '-',
    floor ? formatNumber(figure.value / floor.value) : '-',
    reach?.text ?? '-',
    reach ? (reach.met ? 'yes' : 'NO') : '-',
  ];
}

function usageLine({ usage, records }: RowResult): string[] {
  if (!usage) return [];
  const parts = usage.processes.map(({ role, cpuS, rssBytes, peakRssBytes }) => {
    const cpu =
      records === undefined
        ? `${formatNumber((cpuS / usage.elapsedS) * 100)} % of a core`
        : `${formatNumber((cpuS / records) * 1e6)} CPU s per million`;
    return `${role} ${cpu}, ${formatNumber(rssBytes / 1e6)} MB, peak ${formatNumber(peakRssBytes / 1e6)} MB`;
  });
  return [[...parts, `other programs ${formatNumber(usage.othersCores)} cores`].join('; ')];
}

function detailLine({ details }: RowResult): string[] {
  const parts = Object.entries(details).map(
    ([name, value]) => `${name} ${typeof value === 'number' ? formatNumber(value) : value}`,
  );
  return parts.length === 0 ? [] : [parts.join(', ')];
}

/** Every row with what it cost and its further figures indented below it. */
export function formatTable(results: readonly RowResult[]): string {
  const rows = results.map(cellsOf);
  const widths = HEADINGS.map((heading, column) =>
    Math.max(heading.length, ...rows.map((cells) => cells[column]!.length)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column]!))
      .join('  ')
      .trimEnd();
  return [
    line(HEADINGS),
    ...results.flatMap((result, index) => [
      line(rows[index]!),
      ...[...usageLine(result), ...detailLine(result)].map((text) => `    ${text}`),
    ]),
  ].join('\n');
}
