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

/** The two largest units of a span of time: `0`, `350ms`, `12.3s`, `5m10s`, `3h02m`, `2d4h`. */
export function formatSpan(ms: number): string {
  if (ms <= 0) return '0';
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  const seconds = Math.floor(ms / 1_000);
  if (seconds < 60) return `${(Math.floor(ms / 100) / 10).toFixed(1)}s`;
  const [minutes, hours, days] = [
    Math.floor(seconds / 60),
    Math.floor(seconds / 3_600),
    Math.floor(seconds / 86_400),
  ];
  if (minutes < 60) return `${minutes}m${pad(seconds % 60)}s`;
  return hours < 24 ? `${hours}h${pad(minutes % 60)}m` : `${days}d${hours % 24}h`;
}

function pad(value: number): string {
  return String(value).padStart(2, '0');
}
