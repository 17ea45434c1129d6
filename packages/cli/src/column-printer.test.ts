/** Tables and fields look the same whatever is in them. */
import { expect, test } from 'vitest';
import { type Column, printColumns, printFields } from './column-printer.ts';

interface Row {
  readonly name: string;
  readonly size: number | undefined;
}

const COLUMNS: readonly Column<Row>[] = [
  { heading: 'NAME', cell: (row) => row.name },
  { heading: 'SIZE', align: 'right', cell: (row) => row.size },
  { heading: 'KIND', wide: true, cell: () => 'topic' },
];

test('columns are as wide as their widest cell, and lines have no trailing spaces', () => {
  const rows = [
    { name: 'a', size: 1 },
    { name: 'a-long-name', size: 12_345 },
    { name: 'broken\nline', size: undefined },
  ];
  expect(printColumns(COLUMNS, rows)).toMatchInlineSnapshot(`
    "NAME           SIZE
    a                 1
    a-long-name   12345
    broken\\nline      -
    "
  `);
  expect(printColumns(COLUMNS, rows.slice(0, 1), { wide: true })).toMatchInlineSnapshot(`
    "NAME  SIZE  KIND
    a        1  topic
    "
  `);
});

test('no rows leave the headings, so that a script can tell nothing from failure', () => {
  expect(printColumns(COLUMNS, [])).toBe('NAME  SIZE\n');
});

test('fields are aligned, and what is missing is a dash', () => {
  expect(
    printFields([
      ['Id', 0],
      ['Long label', ''],
    ]),
  ).toBe('Id:          0\nLong label:  -\n');
});
