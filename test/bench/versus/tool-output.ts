/**
 * What the load tools print when they end, as numbers: librdkafka's `rdkafka_performance`, and Kafka's own
 * `kafka-producer-perf-test` and `kafka-consumer-perf-test`. Whatever lacks its summary is refused, never guessed.
 */

export interface Throughput {
  readonly records: number;
  readonly recordsPerS: number;
}

export interface Delivery extends Throughput {
  readonly failed: number;
}

function required(what: string, pattern: RegExp, output: string): readonly string[] {
  const found = [...output.matchAll(new RegExp(pattern, 'gm'))].at(-1);
  if (!found) throw new Error(`no ${what} in:\n${output.slice(-2_000)}`);
  return found.slice(1);
}

const RDKAFKA_PRODUCED =
  /^% \d+ messages produced \(\d+ bytes\), (\d+) delivered \(offset -?\d+, (\d+) failed\) in (\d+)ms/;
const RDKAFKA_CONSUMED = /^% (\d+) messages \(\d+ bytes\) consumed in (\d+)ms/;
const JAVA_PRODUCED =
  /^(\d+) records sent, ([\d.]+) records\/sec \(.*?\), [\d.]+ ms avg latency, [\d.]+ ms max latency, \d+ ms 50th/;

/** Of its last summary: the one printed at the end. */
export function rdkafkaDelivery(output: string): Delivery {
  const [delivered, failed, ms] = required('producer summary', RDKAFKA_PRODUCED, output).map(Number);
  return { records: delivered!, failed: failed!, recordsPerS: (delivered! * 1_000) / ms! };
}

/** Timed from the first record that arrived. */
export function rdkafkaConsumption(output: string): Throughput {
  const [records, ms] = required('consumer summary', RDKAFKA_CONSUMED, output).map(Number);
  return { records: records!, recordsPerS: (records! * 1_000) / ms! };
}

/** One latency in microseconds a line, as `-l -A FILE` writes them; in ms. */
export function rdkafkaLatenciesMs(file: string): readonly number[] {
  return file
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => Number(line) / 1_000);
}

export function javaDelivery(output: string): Delivery {
  const [records, recordsPerS] = required('producer summary', JAVA_PRODUCED, output).map(Number);
  return { records: records!, failed: 0, recordsPerS: recordsPerS! };
}

/** The time in which the group formed does not count: only fetching is compared. */
export function javaConsumption(output: string): Throughput {
  const lines = output.split('\n').filter((line) => line.includes(','));
  const names = lines.find((line) => line.startsWith('start.time'))?.split(',');
  const values = lines.findLast((line) => /^\d/.test(line))?.split(',');
  const numberOf = (name: string): number => {
    const index = names?.findIndex((candidate) => candidate.trim() === name) ?? -1;
    return Number(values?.[index]);
  };
  const [records, recordsPerS] = [numberOf('data.consumed.in.nMsg'), numberOf('fetch.nMsg.sec')];
  if (!Number.isFinite(records) || !Number.isFinite(recordsPerS)) {
    throw new Error(`no consumer summary in:\n${output.slice(-2_000)}`);
  }
  return { records, recordsPerS };
}
