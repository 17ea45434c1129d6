/**
 * Produce: hands every partition's batch to the broker as it lies in the request, with what its version allows it to be.
 * Everything up to the append happens inside the call, so batches land in the order of requests.
 */
import type { BrokerApi, Failure, PartitionProduce, PartitionProduced } from '@millrace/broker';
import { ERRORS } from '@millrace/core';
import { BatchView, type ProducedFormats } from '@millrace/records';
import type { ConnectionFacts } from '../connection/kafka-connection.ts';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { PipelinedBatches, type SequencedBatch } from '../sessions/pipelined-batches-state.ts';
import { ConnectionEnd, type Handler, type RequestFacts, type Surroundings } from './handler.ts';
import { type KafkaNode, kafkaNode } from './kafka-nodes.ts';
import { errorByName, topicIdOf } from './topic-answers.ts';
import { NO_ERROR } from './wire-error.ts';

type Request = RequestOf<'produce'>;
type Response = ResponseDraftOf<'produce'>;
type PartitionResponse = Response['responses'][number]['partitionResponses'][number];
type Topic = Request['topicData'][number];

/** Before it, messages of formats 0 and 1 come. */
const FIRST_VERSION_WITH_BATCHES = 3;
const FIRST_VERSION_WITH_ZSTD = 7;
/** From here on an answer that denies leadership tells who leads, and where. */
const FIRST_VERSION_WITH_LEADERS = 10;

const MAGIC_AT = 16;
const MAGIC = 2;

const NO_BYTES = Buffer.alloc(0);

export function produceHandler({ broker }: Surroundings): Handler<'produce'> {
  const pipelines = new WeakMap<ConnectionFacts, PipelinedBatches>();
  const pipelineOf = (connection: ConnectionFacts): PipelinedBatches => {
    const pipeline = pipelines.get(connection) ?? new PipelinedBatches();
    pipelines.set(connection, pipeline);
    return pipeline;
  };
  return {
    handle: (request, facts) => {
      if (request.transactionalId !== null) return refused(request, transactional);
      const batches = new Batches(broker, request, facts, pipelineOf(facts.connection));
      const produced = broker.produce({
        clientId: facts.clientId,
        timeoutMs: Math.max(request.timeoutMs, 0),
        acks: request.acks,
        partitions: batches.partitions,
      });
      // All is in the logs, or in none of them; the journal holds what it has yet to write.
      facts.memory.reuse();
      return request.acks === 0
        ? produced.then((response) => batches.unanswered(response))
        : produced.then((response) => batches.answer(response));
    },
    refuse: (request, fault) => ({ responses: request.topicData.map((topic) => allFailed(topic, fault)) }),
  };
}

const transactional: Failure = { code: 'INVALID_REQUEST', message: 'transactions are not supported' };

async function refused(request: Request, fault: Failure): Promise<Response> {
  if (request.acks === 0) throw new ConnectionEnd(`a request with acks=0 failed: ${fault.message}`);
  return { responses: request.topicData.map((topic) => allFailed(topic, fault)) };
}

function allFailed({ name, partitionData }: Topic, fault: Failure): Response['responses'][number] {
  return { name, partitionResponses: partitionData.map(({ index }) => failed(index, fault)) };
}

function failed(index: number, fault: Failure): PartitionResponse {
  return {
    index,
    errorCode: errorByName(inKafkasWords(fault)),
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
    errorMessage: fault.message,
  };
}

/**
 * Kafka's brokers know no other word for a batch that is neither the next one nor a retry of one that they remember. Its
 * clients take DUPLICATE_SEQUENCE_NUMBER for success: who counts sequences wrong would think other records stored.
 */
function inKafkasWords(fault: Failure): Failure {
  return fault.code === 'DUPLICATE_SEQUENCE_NUMBER'
    ? { ...fault, code: 'OUT_OF_ORDER_SEQUENCE_NUMBER' }
    : fault;
}

/** The batches of one request, on their way to the broker and back. */
class Batches {
  readonly partitions: PartitionProduce[] = [];
  readonly #broker: BrokerApi;
  readonly #request: Request;
  readonly #facts: RequestFacts;
  readonly #pipeline: PipelinedBatches;
  readonly #number: number;
  /** Of the batch at the same place of `partitions`; undefined if it is of no idempotent producer. */
  readonly #sequenced: (SentBatch | undefined)[] = [];

  constructor(broker: BrokerApi, request: Request, facts: RequestFacts, pipeline: PipelinedBatches) {
    this.#broker = broker;
    this.#request = request;
    this.#facts = facts;
    this.#pipeline = pipeline;
    this.#number = pipeline.nextRequest();
    const { version } = facts;
    const takesZstd = version >= FIRST_VERSION_WITH_ZSTD;
    const takesOldFormats = version < FIRST_VERSION_WITH_BATCHES;
    const formats: ProducedFormats = { takesOldFormats, takesZstd };
    const image = broker.image();
    for (const { name, partitionData } of request.topicData) {
      const topicId = topicIdOf(image, name);
      for (const { index, records } of partitionData) {
        const isPlain = takesZstd && records !== null && records[MAGIC_AT] === MAGIC;
        const sent = sequenced(name, index, records);
        this.#sequenced.push(sent);
        this.partitions.push({
          topicId,
          partition: index,
          leaderEpoch: -1,
          records: records ?? NO_BYTES,
          formats: isPlain ? undefined : formats,
          mayBeginAnywhere: sent === undefined || !pipeline.isBehind(this.#number, sent.partition, sent),
        });
      }
    }
  }

  answer({ partitions, failure }: Awaited<ReturnType<BrokerApi['produce']>>): Response {
    const { topicData } = this.#request;
    this.#note(partitions, failure);
    if (failure !== undefined) return { responses: topicData.map((topic) => allFailed(topic, failure)) };
    let next = 0;
    const leaders = this.#facts.version >= FIRST_VERSION_WITH_LEADERS ? new Set<number>() : undefined;
    const responses = topicData.map(({ name, partitionData }) => ({
      name,
      partitionResponses: partitionData.map(() => partitionResponse(partitions[next++]!, leaders)),
    }));
    return leaders === undefined || leaders.size === 0
      ? { responses }
      : { responses, nodeEndpoints: this.#endpoints(leaders) };
  }

  /** Nobody reads an answer, so the connection's end is what tells a client that something failed. */
  unanswered({ partitions, failure }: Awaited<ReturnType<BrokerApi['produce']>>): undefined {
    this.#note(partitions, failure);
    const faults = [failure, ...partitions.map((each) => each.failure)];
    const fault = faults.find((each) => each !== undefined);
    if (fault !== undefined) throw new ConnectionEnd(`a request with acks=0 failed: ${fault.message}`);
    return undefined;
  }

  #note(partitions: readonly PartitionProduced[], failure: Failure | undefined): void {
    for (const [i, sent] of this.#sequenced.entries()) {
      if (sent === undefined) continue;
      const fault = failure ?? partitions[i]!.failure;
      if (fault === undefined) this.#pipeline.appended(sent.partition, sent);
      else this.#pipeline.refused(this.#number, sent.partition, sent);
    }
  }

  #endpoints(leaders: ReadonlySet<number>): KafkaNode[] {
    const image = this.#broker.image();
    const { listener } = this.#facts.connection;
    return [...leaders].map((id) => kafkaNode(image, id, listener)).filter((node) => node !== undefined);
  }
}

interface SentBatch extends SequencedBatch {
  /** As `PipelinedBatches` knows it. */
  readonly partition: string;
}

/** A batch of an idempotent producer; what else it may be, the broker finds. */
function sequenced(topic: string, index: number, records: Buffer | null): SentBatch | undefined {
  if (records?.[MAGIC_AT] !== MAGIC) return undefined;
  try {
    const view = BatchView.at(records, 0);
    if (view === undefined) return undefined;
    const { producerId, producerEpoch, baseSequence } = view;
    return producerId < 0
      ? undefined
      : { partition: `${index}/${topic}`, producerId, producerEpoch, baseSequence };
  } catch {
    return undefined;
  }
}

function partitionResponse(
  { partition, failure, ...produced }: PartitionProduced,
  leaders: Set<number> | undefined,
): PartitionResponse {
  const { baseOffset, logAppendTimeMs, logStartOffset, currentLeaderId, currentLeaderEpoch } = produced;
  if (failure === undefined) {
    return { index: partition, errorCode: NO_ERROR, baseOffset, logAppendTimeMs, logStartOffset };
  }
  const answer = failed(partition, failure);
  const isPointed = errorByName(failure) === ERRORS.NOT_LEADER_OR_FOLLOWER.wire && currentLeaderId !== -1;
  if (leaders === undefined || !isPointed) return answer;
  leaders.add(currentLeaderId);
  return { ...answer, currentLeader: { leaderId: currentLeaderId, leaderEpoch: currentLeaderEpoch } };
}
