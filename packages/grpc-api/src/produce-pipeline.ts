/** One producer's stream: wire in, call, wire out. */
import type { BrokerApi } from '@millrace/broker';
import type { ProduceRequest, ProduceResponse } from '@millrace/protocol';
import type { Pipeline } from './pipelined-stream.ts';
import { contextOf } from './request-header.ts';
import { toWireFailure, toWireFailures } from './wire-failure.ts';

export type ProduceBroker = Pick<BrokerApi, 'produce' | 'produceRoom' | 'clusterId'>;

export function producePipeline(broker: ProduceBroker): Pipeline<ProduceRequest, ProduceResponse> {
  return {
    clusterId: broker.clusterId,
    bytesOf: ({ partitions }) => {
      let bytes = 0;
      for (const { records } of partitions) bytes += records.length;
      return bytes;
    },
    handle: ({ header, acks, partitions }) => {
      const answer = broker.produce({ acks, ...contextOf(header), partitions });
      // With acks=0 the producer has not kept the correlation id.
      if (acks === 0) return answer.then(() => undefined);
      return answer.then((response) => ({
        correlationId: header.correlationId,
        partitions: toWireFailures(response.partitions),
        failure: toWireFailure(response.failure),
      }));
    },
    room: () => broker.produceRoom(),
    refusal: (correlationId, failure) => ({ correlationId, partitions: [], failure }),
  };
}
