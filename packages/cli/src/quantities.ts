/** Numbers for people: thousands separated, bytes in decimal units, rates. Pure. */

export function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

export function formatBytes(bytes: number): string {
  if (bytes < 1_000) return `${Math.round(bytes)} B`;
  if (bytes < 1_000_000) return `${(bytes / 1_000).toFixed(1)} kB`;
  if (bytes < 1_000_000_000) return `${(bytes / 1_000_000).toFixed(1)} MB`;
  return `${(bytes / 1_000_000_000).toFixed(2)} GB`;
}

/** `1,000 lines (10.0 kB)` */
export function formatVolume(count: number, noun: string, bytes: number): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'} (${formatBytes(bytes)})`;
}

/** `5,000 lines/s, 1.2 MB/s` */
export function formatRate(count: number, noun: string, bytes: number, elapsedMs: number): string {
  const seconds = Math.max(elapsedMs, 1) / 1_000;
  return `${formatCount(count / seconds)} ${noun}s/s, ${formatBytes(bytes / seconds)}/s`;
}
