/**
 * A client that does everything right beside those that do not, and checks every answer to the last byte: what it
 * produced is what it fetches, offsets count what it wrote, its group's commits are what it committed.
 */
import { strict as assert } from 'node:assert';
import { setTimeout as pause } from 'node:timers/promises';
import type { ApiName, RequestDraftOf, ResponseOf } from '@millrace/kafka-api';
import { BatchView, buildBatch, COMPRESSION_CODECS, decodeRecords } from '@millrace/records';
import { KafkaPeer } from '../kafka-peer.ts';

const TOPIC = 'witness';
const GROUP = 'witness-group';
const PARTITIONS = 2;
const PRODUCE = [3, 7, 9, 11];
const FETCH = [4, 11, 12];
const LIST_OFFSETS = [1, 5, 7];
const METADATA = [1, 9, 12];
const COMMIT = [2, 7, 9];
const FETCH_COMMITTED = [1, 5, 7];
/** Between two rounds: it is to notice, not to load. */
const PAUSE_MS = 2;
const ANSWER_LIMIT_MS = 60_000;
const LIMITS = { maxDecompressedBytes: 1_000_000 };

interface Written {
  readonly baseOffset: number;
  readonly values: readonly string[];
}

export class Witness {
  readonly #address: string;
  #peer: KafkaPeer | undefined;
  #topicId = '';
  readonly #ends = Array.from({ length: PARTITIONS }, () => 0);
  readonly #written: (Written | undefined)[] = [];
  #answers = 0;
  #slowestMs = 0;

  constructor(address: string) {
    this.#address = address;
  }

  /** Answers that were asked for, and were right. */
  get answers(): number {
    return this.#answers;
  }

  get slowestMs(): number {
    return this.#slowestMs;
  }

  async prepare(): Promise<void> {
    this.#peer = await KafkaPeer.to(this.#address, 'witness');
    const topic = {
      name: TOPIC,
      numPartitions: PARTITIONS,
      replicationFactor: 1,
      assignments: [],
      configs: [],
    };
    const { topics } = await this.#ask('createTopics', 7, {
      topics: [topic],
      timeoutMs: 10_000,
      validateOnly: false,
    });
    assert.equal(topics[0]!.errorCode, 0);
    this.#topicId = topics[0]!.topicId;
    await this.#ask('findCoordinator', 0, { key: GROUP });
    const committed = { groupId: GROUP, topics: [] };
    while ((await this.#ask('offsetFetch', 5, committed)).errorCode !== 0) await pause(20);
  }

  /** Goes on until `isEnough`. @throws {AssertionError} for the first answer that is not right. */
  async run(isEnough: () => boolean): Promise<void> {
    for (let round = 0; !isEnough(); round++) {
      const partition = round % PARTITIONS;
      await this.#produce(round, partition);
      await this.#fetch(round, partition);
      if (round % 3 === 0) await this.#checkEnd(round, partition);
      if (round % 5 === 0) await this.#checkMetadata(round);
      if (round % 7 === 0) await this.#checkCommit(round, partition);
      await pause(PAUSE_MS);
    }
  }

  /** Everything written since the beginning is there, in order, and nothing else. */
  async readAll(): Promise<number> {
    let records = 0;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      for (let offset = 0; offset < this.#ends[partition]!; ) {
        const batches = await this.#batchesFrom(11, partition, offset);
        assert.ok(batches.length > 0, `nothing at ${offset} of partition ${partition}`);
        for (const { values, baseOffset } of batches) {
          assert.equal(baseOffset, offset);
          for (const value of values) assert.match(value, new RegExp(`^${partition} ${offset++} x*$`));
          records += values.length;
        }
      }
    }
    return records;
  }

  close(): void {
    this.#peer?.close();
  }

  async #produce(round: number, partition: number): Promise<void> {
    const version = PRODUCE[round % PRODUCE.length]!;
    const first = this.#ends[partition]!;
    const values = Array.from(
      { length: 1 + (round % 4) },
      (_, i) => `${partition} ${first + i} ${'x'.repeat((round * 7) % 300)}`,
    );
    const codec = COMPRESSION_CODECS[version < 7 ? round % 4 : round % 5]!;
    const records = buildBatch(
      values.map((value) => ({ timestamp: Date.now(), value: Buffer.from(value) })),
      { codec },
    );
    const { responses } = await this.#ask('produce', version, {
      acks: -1,
      timeoutMs: 30_000,
      topicData: [{ name: TOPIC, partitionData: [{ index: partition, records }] }],
    });
    const [{ name, partitionResponses } = { name: '', partitionResponses: [] }] = responses;
    assert.equal(name, TOPIC);
    const { index, errorCode, baseOffset } = partitionResponses[0]!;
    assert.deepEqual({ index, errorCode, baseOffset }, { index: partition, errorCode: 0, baseOffset: first });
    this.#ends[partition] = first + values.length;
    this.#written[partition] = { baseOffset: first, values };
  }

  async #fetch(round: number, partition: number): Promise<void> {
    const written = this.#written[partition]!;
    const version = FETCH[round % FETCH.length]!;
    assert.deepEqual(await this.#batchesFrom(version, partition, written.baseOffset), [written]);
  }

  async #batchesFrom(version: number, partition: number, fetchOffset: number): Promise<Written[]> {
    const { responses, errorCode } = await this.#ask('fetch', version, {
      maxWaitMs: 30_000,
      minBytes: 1,
      topics: [{ topic: TOPIC, partitions: [{ partition, fetchOffset, partitionMaxBytes: 100_000 }] }],
    });
    assert.equal(errorCode, 0);
    assert.equal(responses.length, 1);
    const [answer] = responses[0]!.partitions;
    assert.deepEqual([answer!.errorCode, answer!.highWatermark], [0, this.#ends[partition]]);
    const batches: Written[] = [];
    for (let at = 0; at < answer!.records!.length; ) {
      const view = BatchView.at(answer!.records!, at);
      if (view === undefined) break;
      const values = decodeRecords(view, LIMITS).map(({ value }) => value!.toString());
      batches.push({ baseOffset: view.baseOffset, values });
      at += view.sizeBytes;
    }
    return batches;
  }

  async #checkEnd(round: number, partition: number): Promise<void> {
    const { topics } = await this.#ask('listOffsets', LIST_OFFSETS[round % LIST_OFFSETS.length]!, {
      replicaId: -1,
      topics: [{ name: TOPIC, partitions: [{ partitionIndex: partition, timestamp: -1 }] }],
    });
    const { errorCode, offset } = topics[0]!.partitions[0]!;
    assert.deepEqual([errorCode, offset], [0, this.#ends[partition]]);
  }

  async #checkMetadata(round: number): Promise<void> {
    const version = METADATA[round % METADATA.length]!;
    const { topics, brokers } = await this.#ask('metadata', version, { topics: [{ name: TOPIC }] });
    assert.deepEqual([brokers.length, brokers[0]!.nodeId], [1, 1]);
    const [{ name, errorCode, partitions, topicId }] = topics as [(typeof topics)[number]];
    assert.deepEqual([name, errorCode, partitions.length], [TOPIC, 0, PARTITIONS]);
    if (version >= 10) assert.equal(topicId, this.#topicId);
    for (const partition of partitions) assert.deepEqual([partition.errorCode, partition.leaderId], [0, 1]);
  }

  async #checkCommit(round: number, partition: number): Promise<void> {
    const committedOffset = this.#ends[partition]!;
    const written = await this.#ask('offsetCommit', COMMIT[round % COMMIT.length]!, {
      groupId: GROUP,
      topics: [
        { name: TOPIC, partitions: [{ partitionIndex: partition, committedOffset, committedMetadata: 'm' }] },
      ],
    });
    assert.equal(written.topics[0]!.partitions[0]!.errorCode, 0);
    const read = await this.#ask('offsetFetch', FETCH_COMMITTED[round % FETCH_COMMITTED.length]!, {
      groupId: GROUP,
      topics: [{ name: TOPIC, partitionIndexes: [partition] }],
    });
    const { errorCode, committedOffset: found, metadata } = read.topics[0]!.partitions[0]!;
    assert.deepEqual([errorCode, found, metadata], [0, committedOffset, 'm']);
  }

  async #ask<N extends ApiName>(api: N, version: number, request: RequestDraftOf<N>): Promise<ResponseOf<N>> {
    const askedAtMs = performance.now();
    let timer: NodeJS.Timeout | undefined;
    const limit = new Promise<never>((_, reject) => {
      timer = setTimeout(
        () => reject(new Error(`the witness got no answer to ${api} ${version}`)),
        ANSWER_LIMIT_MS,
      );
    });
    try {
      const answer = await Promise.race([this.#peer!.ask(api, version, request), limit]);
      this.#answers += 1;
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - askedAtMs);
      return answer;
    } finally {
      clearTimeout(timer);
    }
  }
}
