/**
 * Records per second through the builder and the reader, on one core. Run after a build:
 * `node packages/records/dist/batch.bench.js`. Never a test: figures depend on the machine.
 */
import { KiB, MiB } from '@millrace/core';
import {
  BatchBuilder,
  BatchView,
  COMPRESSION_CODECS,
  type CompressionCodec,
  checkBatch,
  decodeRecords,
  NO_HEADERS,
} from './index.ts';

const RECORD_BYTES = 100;
const RECORDS = 4_000_000;
const BATCH_BYTES = 128 * KiB;
const KEPT = 64;
const VALUES = Array.from({ length: 1024 }, (_, i) =>
  Buffer.from(`{"id":${i * 7919},"text":"`.padEnd(RECORD_BYTES, 'abcdefghij')),
);

/** Builds `records` records; keeps the last `KEPT` batches, as a producer frees what was acknowledged. */
function build(codec: CompressionCodec, records: number): Buffer[] {
  const kept: Buffer[] = [];
  let built = 0;
  const start = (): BatchBuilder => new BatchBuilder({ codec, capacityBytes: BATCH_BYTES });
  let builder = start();
  for (let i = 0; i < records; i++) {
    const value = VALUES[i & 1023]!;
    const timestamp = 1_700_000_000_000 + (i >>> 6);
    if (builder.tryAppend(timestamp, null, value, NO_HEADERS) >= 0) continue;
    kept[built++ % KEPT] = builder.build();
    builder = start();
    builder.tryAppend(timestamp, null, value, NO_HEADERS);
  }
  return kept;
}

function perSecond(records: number, run: () => void): string {
  const started = performance.now();
  run();
  return `${(records / (performance.now() - started) / 1000).toFixed(2)} M records/s`;
}

function measure(codec: CompressionCodec, records: number): void {
  let batches: Buffer[] = [];
  const built = perSecond(records, () => {
    batches = build(codec, records);
  });
  const views = batches.map((batch) => BatchView.at(batch, 0)!);
  const inViews = views.reduce((sum, { recordCount }) => sum + recordCount, 0);
  const rounds = Math.ceil(records / inViews);
  const repeat = (visit: (view: BatchView) => void) =>
    perSecond(rounds * inViews, () => {
      for (let round = 0; round < rounds; round++) views.forEach(visit);
    });
  const checked = repeat((view) => checkBatch(view, { maxDecompressedBytes: MiB }));
  const decoded = repeat((view) => decodeRecords(view));
  console.log(`${codec.padEnd(6)} build ${built}, check ${checked}, decode ${decoded}`);
}

for (const codec of COMPRESSION_CODECS) {
  measure(codec, RECORDS / 20);
  measure(codec, codec === 'none' ? RECORDS : RECORDS / 4);
}
