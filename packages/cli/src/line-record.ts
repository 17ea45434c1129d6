/** How a line becomes a record: key, value, headers and partition as the flags of `produce` say. Pure. */
import type { ProducerRecord } from '@millrace/client';
import { CliError, usageError } from './cli-error.ts';
import { EXIT } from './exit-code.ts';
import { splitAssignment } from './global-options.ts';

export interface LineRecordFlags {
  readonly key?: string;
  readonly keySeparator?: string;
  readonly header?: readonly string[];
  readonly partition?: number;
  readonly emptyAsNull?: boolean;
}

/** @throws {CliError} USAGE if the flags contradict each other. */
export function lineRecordMaker(
  topic: string,
  flags: LineRecordFlags,
): (line: Buffer, lineNumber: number) => ProducerRecord {
  if (flags.key !== undefined && flags.keySeparator !== undefined) {
    throw usageError('--key and --key-separator exclude each other');
  }
  const headers = (flags.header ?? []).map((text) => {
    const [key, value] = splitAssignment(text, '--header');
    return { key, value };
  });
  const fixed = {
    topic,
    ...(flags.key === undefined ? {} : { key: Buffer.from(flags.key) }),
    ...(headers.length === 0 ? {} : { headers }),
    ...(flags.partition === undefined ? {} : { partition: flags.partition }),
  };
  const valueFrom = (line: Buffer): Buffer | null => (flags.emptyAsNull && line.length === 0 ? null : line);
  if (flags.keySeparator === undefined) return (line) => ({ ...fixed, value: valueFrom(line) });

  const separator = Buffer.from(withControlCharacters(flags.keySeparator));
  if (separator.length === 0) throw usageError('--key-separator is empty');
  return (line, lineNumber) => {
    const at = line.indexOf(separator);
    if (at === -1) throw noSeparator(lineNumber, flags.keySeparator!);
    return { ...fixed, key: line.subarray(0, at), value: valueFrom(line.subarray(at + separator.length)) };
  };
}

/** A shell passes `\t` as two characters. */
function withControlCharacters(text: string): string {
  return text.replaceAll('\\t', '\t').replaceAll('\\0', '\0');
}

function noSeparator(lineNumber: number, separator: string): CliError {
  return new CliError(
    'NO_KEY',
    EXIT.failed,
    `line ${lineNumber} of the input has no key separator ${JSON.stringify(separator)}`,
    'Without its key a record would land in any partition. Correct the line and send the rest again.',
  );
}
