/**
 * Reads `server.properties`: the format of java.util.Properties, which Kafka's operators write by hand.
 * Only syntax; what the keys mean is the configuration schemas' business.
 */
import { MillraceError } from '@millrace/core';

const ESCAPES: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r', f: '\f' };

/** Keys and values in file order; a key that stands twice keeps its last value. @throws {MillraceError} INVALID_CONFIG for a line without a separator. */
export function parseProperties(text: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (const { line, number } of logicalLines(text)) {
    const match = /^((?:\\.|[^\\=:\s])+)\s*[=:]?\s*(.*)$/s.exec(line);
    if (!match || !/[=:\s]/.test(line)) {
      throw new MillraceError('INVALID_CONFIG', `line ${number}: "${line}" is not "key=value"`);
    }
    result[unescapeText(match[1]!)] = unescapeText(match[2]!);
  }
  return result;
}

/** Physical lines joined where a backslash ends one; comments and blank lines left out. */
function logicalLines(text: string): { line: string; number: number }[] {
  const result: { line: string; number: number }[] = [];
  let pending: { line: string; number: number } | undefined;
  text.split(/\r\n|\r|\n/).forEach((raw, index) => {
    const line: string = raw.trimStart();
    if (!pending && (line === '' || line.startsWith('#') || line.startsWith('!'))) return;
    const current: { line: string; number: number } = pending ?? { line: '', number: index + 1 };
    if (endsInContinuation(line)) {
      pending = { line: current.line + line.slice(0, -1), number: current.number };
      return;
    }
    pending = undefined;
    result.push({ line: (current.line + line).trimEnd(), number: current.number });
  });
  if (pending) result.push(pending);
  return result;
}

function endsInContinuation(line: string): boolean {
  const backslashes = /\\*$/.exec(line)![0].length;
  return backslashes % 2 === 1;
}

function unescapeText(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.)/gs, (_match, escaped: string) =>
    escaped.length === 5
      ? String.fromCharCode(Number.parseInt(escaped.slice(1), 16))
      : (ESCAPES[escaped] ?? escaped),
  );
}
