/** What the file system under test gives a lone writer: appends into the page cache, and appends that must be on disk. */
import { closeSync, fdatasyncSync, openSync, rmSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { Histogram, type LatencySummary } from '../histogram.ts';
import { MessagePool } from './message-pool.ts';

/** Small enough that the kernel does not begin to write back and to hold the writer. */
const APPEND_LIMIT_BYTES = 512 * 1024 * 1024;
const SYNC_BYTES = 4096;
/** Between looks at the time that is left. */
const SLICE_SYNCS = 50;

function withFile<T>(folder: string, use: (fd: number) => T): T {
  const path = join(folder, `floor-${process.pid}`);
  const fd = openSync(path, 'w');
  try {
    return use(fd);
  } finally {
    closeSync(fd);
    rmSync(path);
  }
}

/** Bytes per second of `writeSync` in pieces of that size to the end of one file. */
export function appendBytesPerS(folder: string, pieceBytes: number, measureMs: number): number {
  return withFile(folder, (fd) => {
    const pool = new MessagePool(pieceBytes);
    const startedMs = performance.now();
    let written = 0;
    while (written < APPEND_LIMIT_BYTES && performance.now() - startedMs < measureMs) {
      written += writeSync(fd, pool.next());
    }
    return (written / (performance.now() - startedMs)) * 1000;
  });
}

/** Latency of appending a page and `fdatasync`, one after the other. */
export function syncLatency(folder: string, measureMs: number): LatencySummary {
  return withFile(folder, (fd) => {
    const page = Buffer.alloc(SYNC_BYTES, 7);
    const histogram = new Histogram();
    const startedMs = performance.now();
    while (performance.now() - startedMs < measureMs) {
      for (let sync = 0; sync < SLICE_SYNCS; sync++) {
        const beganMs = performance.now();
        writeSync(fd, page);
        fdatasyncSync(fd);
        histogram.record(performance.now() - beganMs);
      }
    }
    return histogram.summary();
  });
}
