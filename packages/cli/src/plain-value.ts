/**
 * Values on their way to JSON and YAML. 64-bit integers become strings, because JSON readers (jq, JavaScript) round
 * them; bytes become text, or base64 where they are not UTF-8. Pure.
 */
import { isUtf8 } from 'node:buffer';
import { stringify } from 'yaml';

export function toJson(value: unknown, indent = 0): string {
  return JSON.stringify(value, int64AsString, indent);
}

export function toYaml(value: unknown): string {
  return stringify(JSON.parse(toJson(value ?? null)));
}

/** Text, `{"base64": …}` for bytes that are not UTF-8, null for nothing. */
export function bytesValue(data: Uint8Array | null | undefined): string | { base64: string } | null {
  if (data === null || data === undefined) return null;
  const buffer = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  return isUtf8(buffer) ? buffer.toString('utf8') : { base64: buffer.toString('base64') };
}

function int64AsString(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? value.toString() : value;
}
