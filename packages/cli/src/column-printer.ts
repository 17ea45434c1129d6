/**
 * Tables the way kubectl prints them: upper-case headings, two spaces between columns, no borders, so that they can be
 * piped into awk. Only names without end are shortened. Never colours, never wraps, and no cell can.
 */
import { NAME_CHARS_MAX, printable, shortened } from './printable.ts';

export interface Column<Row> {
  readonly heading: string;
  readonly align?: 'left' | 'right';
  /** Shown only with `-o wide`. */
  readonly wide?: true;
  /** Chosen by whoever runs a program, and as long as they like: shortened where it is longer than people read. */
  readonly isName?: true;
  cell(row: Row): string | number | bigint | boolean | undefined;
}

const GAP = '  ';
const MISSING = '-';

/** @returns lines, each ended by a newline; the headings alone if there are no rows. */
export function printColumns<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  options: { readonly wide?: boolean } = {},
): string {
  const shown = columns.filter((column) => options.wide === true || column.wide !== true);
  const cells = rows.map((row) =>
    shown.map((column) => {
      const text = cellText(column.cell(row));
      return column.isName ? shortened(text, NAME_CHARS_MAX) : text;
    }),
  );
  const widths = shown.map((column, index) =>
    cells.reduce((width, row) => Math.max(width, row[index]!.length), column.heading.length),
  );
  const line = (texts: readonly string[]): string =>
    `${texts
      .map((text, index) =>
        shown[index]!.align === 'right' ? text.padStart(widths[index]!) : text.padEnd(widths[index]!),
      )
      .join(GAP)
      .trimEnd()}\n`;
  return line(shown.map((column) => column.heading)) + cells.map(line).join('');
}

/** `label: value` lines, values aligned: one thing described. */
export function printFields(fields: readonly (readonly [label: string, value: unknown])[]): string {
  const width = fields.reduce((widest, [label]) => Math.max(widest, label.length), 0) + 1;
  return fields
    .map(([label, value]) => `${`${label}:`.padEnd(width)}${GAP}${cellText(value)}`.trimEnd())
    .map((text) => `${text}\n`)
    .join('');
}

/** A line break in a cell would break the table for whoever parses it. */
function cellText(value: unknown): string {
  if (value === undefined || value === null || value === '') return MISSING;
  return printable(String(value));
}
