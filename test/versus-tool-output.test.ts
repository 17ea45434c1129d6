/** What the load tools print, as `npm run bench -- --versus kafka` reads it. */
import { describe, expect, test } from 'vitest';
import {
  javaConsumption,
  javaDelivery,
  rdkafkaConsumption,
  rdkafkaDelivery,
  rdkafkaLatenciesMs,
} from './bench/versus/tool-output.ts';

describe('rdkafka_performance', () => {
  test('its last summary counts, not those on the way', () => {
    const output = [
      '% Sending messages of size 100 bytes',
      '% 900000 messages produced (90000000 bytes), 800000 delivered (offset 799999, 0 failed) in 1000ms: 800000 msgs/s and 80.00 MB/s, 3 produce failures, 100000 in queue, no compression',
      '% 12 backpressures for 1900000 produce calls: 0.001% backpressure rate',
      '% 1900000 messages produced (190000000 bytes), 1800000 delivered (offset 1799999, 2 failed) in 2003ms: 898652 msgs/s and 89.87 MB/s, 3 produce failures, 0 in queue, no compression',
      '',
    ].join('\n');
    expect(rdkafkaDelivery(output)).toEqual({
      records: 1_800_000,
      failed: 2,
      recordsPerS: 1_800_000_000 / 2_003,
    });
  });

  test('a consumer is timed from its first record', () => {
    const output =
      '% 1000838 messages (1024858112 bytes) consumed in 1347ms: 743012 msgs/s (760.84 MB/s)\n' +
      '% Average application fetch latency: 1us\n';
    expect(rdkafkaConsumption(output)).toEqual({ records: 1_000_838, recordsPerS: 1_000_838_000 / 1_347 });
  });

  test('latencies are microseconds, one a line', () => {
    expect(rdkafkaLatenciesMs('1500\n900\n')).toEqual([1.5, 0.9]);
  });

  test('without a summary it is refused with what it printed', () => {
    expect(() => rdkafkaDelivery('% ERROR CALLBACK: all brokers down')).toThrow('all brokers down');
    expect(() => rdkafkaConsumption('')).toThrow('no consumer summary');
  });
});

describe("Kafka's perf tools", () => {
  test('the producer ends with a line that has quantiles', () => {
    const output = [
      '250000 records sent, 49990.0 records/sec (48.82 MB/sec), 500.1 ms avg latency, 900.0 ms max latency.',
      '333334 records sent, 51834.957495 records/sec (50.62 MB/sec), 512.31 ms avg latency, 1010.00 ms max latency, 505 ms 50th, 900 ms 95th, 990 ms 99th, 1005 ms 99.9th.',
    ].join('\n');
    expect(javaDelivery(output)).toEqual({ records: 333_334, failed: 0, recordsPerS: 51_834.957495 });
    expect(() => javaDelivery(output.split('\n')[0]!)).toThrow('no producer summary');
  });

  test("the consumer's rate is that of fetching, without the forming of its group", () => {
    const output = [
      'start.time, end.time, data.consumed.in.MB, MB.sec, data.consumed.in.nMsg, nMsg.sec, rebalance.time.ms, fetch.time.ms, fetch.MB.sec, fetch.nMsg.sec',
      '2026-11-21 10:59:01:123, 2026-11-21 10:59:07:456, 488.7061, 77.17, 500435, 79020.2, 3179, 3154, 154.95, 158666.7724',
    ].join('\n');
    expect(javaConsumption(output)).toEqual({ records: 500_435, recordsPerS: 158_666.7724 });
    expect(() => javaConsumption('timed out')).toThrow('timed out');
  });
});
