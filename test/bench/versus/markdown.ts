/** The comparisons as the Markdown table of the README. */
import { formatNumber } from '../table.ts';
import { type Comparison, isMet } from './comparison.ts';

const HEADINGS = ['', 'Millrace', 'Kafka', 'ratio (95 %)', 'to reach', 'server CPU s per million'];

function ratioText({ estimate: { ratio, low, high } }: Comparison): string {
  const digits = (value: number): string => value.toFixed(2);
  return Number.isNaN(low) ? digits(ratio) : `${digits(ratio)} (${digits(low)}–${digits(high)})`;
}

function targetText(comparison: Comparison): string {
  const { target } = comparison;
  if (!target) return '';
  const sign = target.sense === 'at least' ? '≥' : '≤';
  return `${sign} ${target.ratio.toFixed(1)}: ${isMet(comparison) ? 'yes' : '**no**'}`;
}

function cellsOf(comparison: Comparison): readonly string[] {
  const { title, unit, millrace, kafka, cpuSPerMillion } = comparison;
  const cpu = cpuSPerMillion
    ? `${formatNumber(cpuSPerMillion.millrace)} / ${formatNumber(cpuSPerMillion.kafka)}`
    : '';
  return [
    title,
    `${formatNumber(millrace)} ${unit}`,
    `${formatNumber(kafka)} ${unit}`,
    ratioText(comparison),
    targetText(comparison),
    cpu,
  ];
}

export function markdownTable(comparisons: readonly Comparison[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`;
  return [line(HEADINGS), line(HEADINGS.map(() => '---')), ...comparisons.map((c) => line(cellsOf(c)))].join(
    '\n',
  );
}

/** One row for a progress line. */
export function progressText(comparison: Comparison): string {
  return cellsOf(comparison)
    .filter((cell) => cell !== '')
    .join(' | ');
}
