/** A producer's day: values that say who sent them, to partitions by chance; what became of each is written down. */

import type { ProducerOptions } from '@millrace/client';
import { below, sleep, unit } from '@millrace/core';
import type { Sent } from '../history/client-history.ts';
import { exponential } from '../world/exponential.ts';
import { type CrewMember, codeOf } from './client-crew.ts';

const PAUSE_MEAN_MS = 120;
const BURST_MAX = 6;
const VALUE_MAX_BYTES = 300;
/** Failures after which a record is nowhere: it never left the client. */
const NEVER_SENT = new Set([
  'BUFFER_EXHAUSTED',
  'SERIALIZATION_FAILED',
  'INVALID_REQUEST',
  'MESSAGE_TOO_LARGE',
]);

export async function produce(member: CrewMember): Promise<void> {
  const { name, life, millrace, random, crew } = member;
  const options = optionsOf(member);
  const isLoose = options.acks !== 'all';
  const producer = millrace.producer(options);
  const topics = crew.layout.topics.filter(({ isStrict }) => isStrict !== isLoose);
  for (let n = 0; !crew.isDone; ) {
    await sleep(life.clock, exponential(random, PAUSE_MEAN_MS));
    if (crew.isDone) return;
    for (let burst = unit(random) < 0.2 ? below(random, BURST_MAX) : 1; burst > 0; burst--) {
      const { name: topic, partitions } = topics[below(random, topics.length)]!;
      const partition = below(random, partitions);
      const value = `${name}:${n++}:`.padEnd(below(random, VALUE_MAX_BYTES), 'x');
      const sent = crew.history.send(name, `${topic}-${partition}`, value);
      crew.open += 1;
      crew.counts.sent += 1;
      producer.send({ topic, partition, value }).then(
        ({ offset }) => settle(member, sent, isLoose ? 'unknown' : 'acknowledged', Number(offset)),
        (error: unknown) => settle(member, sent, NEVER_SENT.has(codeOf(error)) ? 'refused' : 'unknown', -1),
      );
    }
  }
}

function settle({ crew }: CrewMember, sent: Sent, outcome: Sent['outcome'], offset: number): void {
  crew.open -= 1;
  crew.counts[outcome] += 1;
  sent.outcome = outcome;
  sent.offset = offset;
}

function optionsOf({ name, random }: CrewMember): ProducerOptions {
  const common = {
    batchSize: [64, 1_024, 524_288][below(random, 3)]!,
    lingerMs: [0, 5, 50][below(random, 3)]!,
    maxInFlight: 1 + below(random, 5),
    deliveryTimeoutMs: 10_000 + 10_000 * below(random, 4),
    requestTimeoutMs: 2_000 + 2_000 * below(random, 4),
    maxBlockMs: 5_000,
    compression: below(random, 4) === 0 ? ('gzip' as const) : ('none' as const),
  };
  // The first one always keeps the promise that everything is judged by.
  const isLoose = unit(random) < 0.3 && name !== 'producer-1';
  return isLoose
    ? { ...common, acks: below(random, 3) === 0 ? 0 : 1, idempotence: false }
    : { ...common, acks: 'all' };
}
