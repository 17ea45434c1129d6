/**
 * Formats of `consume -f`, as kcat has them: `%t` topic, `%p` partition, `%o` offset, `%k` key, `%v` or `%s` value,
 * `%K` and `%S` their lengths (-1 for null), `%T` timestamp in ms, `%h` headers, `%%` a per cent sign; `\n \t \r \0 \\`
 * and `\xHH`. Keys and values pass byte for byte. Compiled once, run for each record. Pure.
 */

import type { ByteBuffer } from './byte-buffer.ts';
import { usageError } from './cli-error.ts';

/** What is printed of a record. Bytes are as stored; null is "none". */
export interface PrintableRecord {
  readonly topic: string;
  readonly partition: number;
  readonly offset: bigint;
  /** Milliseconds since the epoch. */
  readonly timestamp: number;
  readonly key: Uint8Array | null;
  readonly value: Uint8Array | null;
  readonly headers: readonly PrintableHeader[];
}

export interface PrintableHeader {
  readonly key: string;
  readonly value: Uint8Array | null;
}

export type RecordFormat = (record: PrintableRecord, out: ByteBuffer) => void;

/** The value and a line break: what a pipe of lines wants. */
export const VALUE_PER_LINE = '%v\\n';

const DIRECTIVES: Readonly<Record<string, RecordFormat>> = {
  t: (record, out) => out.appendText(record.topic),
  p: (record, out) => out.appendText(String(record.partition)),
  o: (record, out) => out.appendText(record.offset.toString()),
  k: (record, out) => appendBytes(record.key, out),
  v: (record, out) => appendBytes(record.value, out),
  s: (record, out) => appendBytes(record.value, out),
  K: (record, out) => out.appendText(String(record.key?.length ?? -1)),
  S: (record, out) => out.appendText(String(record.value?.length ?? -1)),
  T: (record, out) => out.appendText(String(record.timestamp)),
  h: (record, out) => appendHeaders(record.headers, out),
  '%': (_record, out) => out.appendText('%'),
};

const ESCAPES: Readonly<Record<string, number>> = { n: 0x0a, t: 0x09, r: 0x0d, '0': 0x00, '\\': 0x5c };

/** @throws {CliError} USAGE naming the directive or escape that does not exist. */
export function compileFormat(template: string): RecordFormat {
  const steps: RecordFormat[] = [];
  let literal: Buffer[] = [];
  const endLiteral = (): void => {
    const text = Buffer.concat(literal);
    literal = [];
    if (text.length > 0) steps.push((_record, out) => out.append(text));
  };
  for (const [piece] of template.matchAll(/%.?|\\x[0-9a-fA-F]{2}|\\.?|[^%\\]+/gsu)) {
    if (piece.startsWith('%')) {
      const directive = DIRECTIVES[piece.slice(1)];
      if (!directive) throw unknownDirective(piece);
      endLiteral();
      steps.push(directive);
    } else {
      literal.push(literalBytes(piece));
    }
  }
  endLiteral();
  return (record, out) => {
    for (const step of steps) step(record, out);
  };
}

function literalBytes(piece: string): Buffer {
  if (!piece.startsWith('\\')) return Buffer.from(piece);
  if (piece.length === 4) return Buffer.from(piece.slice(2), 'hex');
  const byte = ESCAPES[piece.slice(1)];
  if (byte === undefined) {
    throw usageError(
      `the format has an unknown escape ${JSON.stringify(piece)}`,
      'Use \\n \\t \\r \\0 \\\\ \\xHH.',
    );
  }
  return Buffer.from([byte]);
}

function unknownDirective(piece: string): Error {
  return usageError(
    `the format has an unknown directive ${JSON.stringify(piece)}`,
    'Use %t topic, %p partition, %o offset, %k key, %v value, %T timestamp, %h headers, %K %S lengths, %%.',
  );
}

function appendBytes(data: Uint8Array | null, out: ByteBuffer): void {
  if (data !== null) out.append(data);
}

/** `name=value,name=value`; a null value leaves the name alone. */
function appendHeaders(headers: readonly PrintableHeader[], out: ByteBuffer): void {
  headers.forEach((header, index) => {
    out.appendText(`${index === 0 ? '' : ','}${header.key}`);
    if (header.value === null) return;
    out.appendText('=');
    out.append(header.value);
  });
}
