/** Settings of a node's storage. This table is the only place they exist. */
import {
  bytes,
  type ConfigOf,
  configSchema,
  count,
  flag,
  GiB,
  KiB,
  MiB,
  millis,
  ratio,
} from '@millrace/core';

export const storageConfig = configSchema('storage', {
  'journal.file.bytes': bytes({
    default: 64 * MiB,
    min: 64 * KiB,
    max: GiB,
    doc: 'Size of one journal file. Full files are reused once every log they cover is on stable storage.',
  }),
  'journal.max.bytes': bytes({
    default: 512 * MiB,
    min: 256 * KiB,
    doc: 'Disk space for the journal. When it is used up, durable appends wait for logs to be synced.',
  }),
  'journal.queue.bytes': bytes({
    default: 64 * MiB,
    min: 64 * KiB,
    doc: 'Durable appends that may wait for the disk before the node answers NODE_OVERLOADED.',
  }),
  'journal.round.bytes': bytes({
    default: 8 * MiB,
    min: 4 * KiB,
    doc: 'Most bytes written to the journal between two syncs. Smaller rounds shorten waits, larger ones raise throughput.',
  }),
  'journal.bypass.bytes': bytes({
    default: 256 * KiB,
    min: KiB,
    doc: "From so many bytes of one partition in a round on, the partition's own log file is synced instead, and nothing is written twice.",
  }),
  'log.dir.reserve.bytes': bytes({
    default: 16 * MiB,
    min: 0,
    max: GiB,
    doc: 'Disk space kept back in a data directory. When the disk is full it is given to metadata, and logs take no more until a restart; 0 for none.',
  }),
  'open.files.max': count({
    default: 8000,
    min: 16,
    doc: 'Log files kept open at once, over all partitions: those written to, best all of them. Less if the system does not allow so many.',
  }),
  'tail.cache.bytes': bytes({
    default: 64 * MiB,
    min: 0,
    doc: 'Memory for the most recent batches of all partitions, from which followers and tailing consumers are served.',
  }),
  'tail.cache.partition.bytes': bytes({
    default: 16 * MiB,
    min: 0,
    doc: 'Share of tail.cache.bytes that one partition may use.',
  }),
  'checkpoint.interval.ms': millis({
    default: 5000,
    min: 10,
    doc: 'How often changed high watermarks and log start offsets are written down.',
  }),
  'log.retention.check.interval.ms': millis({
    default: 300_000,
    min: 10,
    doc: 'How often logs are checked for segments to roll or delete.',
  }),
  'log.cleaner.enable': flag({
    default: true,
    doc: 'Clean the logs of compacted topics. Without it they grow without limit.',
  }),
  'log.cleaner.backoff.ms': millis({
    default: 15_000,
    min: 0,
    doc: 'Pause of the cleaner when no log needs it.',
  }),
  'log.cleaner.dedupe.buffer.size': bytes({
    default: 128 * MiB,
    min: KiB,
    doc: 'Most memory for the keys of one cleaning, 24 bytes a key and some room; taken only while a log is cleaned. What does not fit is left to the next cleaning.',
  }),
  'log.cleaner.io.buffer.load.factor': ratio({
    default: 0.9,
    min: 0.01,
    max: 0.99,
    doc: 'How full the table of keys may get. More takes more keys into the same memory, at a slower pace.',
  }),
  'log.cleaner.io.buffer.size': bytes({
    default: 512 * KiB,
    min: KiB,
    max: 64 * MiB,
    doc: 'Bytes that the cleaner reads or writes at once; larger batches are taken whole.',
  }),
  'log.cleaner.io.max.bytes.per.second': bytes({
    default: Number.MAX_SAFE_INTEGER,
    min: 1,
    doc: 'Most bytes a second that the cleaner of a data directory reads and writes.',
  }),
  'producer.ids.max': count({
    default: 100_000,
    min: 1,
    doc: 'Producer ids remembered for one partition; beyond it the longest unused are forgotten.',
  }),
  'damaged.logs.kept.max': count({
    default: 1,
    min: 0,
    doc: 'Damaged logs of one partition kept aside, such as orders-3.0-damaged, after it was repaired from its leader; older ones are removed.',
  }),
  'read.ahead.bytes': bytes({
    default: 16 * MiB,
    min: 0,
    doc: 'Memory for what readers of log files will ask for next, read while the answer before it is on its way; 0 for none.',
  }),
  'read.buffers.bytes': bytes({
    default: 64 * MiB,
    min: 0,
    doc: 'Memory of answers that have left, kept for the next ones; 0 for none.',
  }),
  'read.check.crcs': flag({
    default: true,
    doc: 'Verify the checksum of every batch read from disk, so that a damaged one is never served.',
  }),
});

export type StorageConfig = ConfigOf<typeof storageConfig>;
