/**
 * Where mutations begin: well-formed requests of every API in every version, most of them about things that exist, so
 * that what is wrong with a frame is the one thing that a mutation made wrong.
 */
import { below, type Random } from '@millrace/core';
import { APIS, type ApiName, encodeRequest, type Fields } from '@millrace/kafka-api';
import { type BatchProducer, buildBatch, COMPRESSION_CODECS } from '@millrace/records';
import fc from 'fast-check';
import { arbitraryMessage } from '../../packages/kafka-api/src/testing/arbitrary-message.js';
import { messageSet } from './message-set.ts';

export interface StartingPoint {
  readonly api: ApiName;
  readonly version: number;
  readonly message: Readonly<Record<string, unknown>>;
}

/** What is there to be asked for. */
export interface Targets {
  readonly topic: string;
  readonly topicId: string;
  readonly partitions: number;
}

const EACH = 12;
/** Versions of these have more than one starting point's worth of code behind them. */
const DEEP: Partial<Record<ApiName, number>> = {
  produce: 60,
  fetch: 24,
  joinGroup: 24,
  consumerGroupHeartbeat: 40,
};
const FIRST_PRODUCE_WITH_BATCHES = 3;

const PASSING_TOPICS = 10;
const TOPIC_CONFIGS = [
  ['retention.ms', '60000'],
  ['retention.bytes', '1048576'],
  ['segment.bytes', '65536'],
  ['cleanup.policy', 'compact'],
  ['cleanup.policy', 'delete'],
  ['max.message.bytes', '100000'],
  ['message.timestamp.type', 'LogAppendTime'],
  ['no.such.config', '1'],
] as const;

export function startingPoints(seed: number, targets: Targets, random: Random): StartingPoint[] {
  const points: StartingPoint[] = [];
  for (const api of Object.keys(APIS) as ApiName[]) {
    const { request } = APIS[api];
    const arbitrary = (version: number) => arbitraryMessage(request.schema as never, version);
    for (let version = request.lowestVersion; version <= request.highestVersion; version++) {
      const numRuns = DEEP[api] ?? EACH;
      for (const message of fc.sample(arbitrary(version), { seed: seed + version, numRuns })) {
        const aimed = new Aim(api, version, targets, random).at(message) as StartingPoint['message'];
        points.push({ api, version, message: canBeSent(api, version, aimed) ? aimed : message });
      }
    }
  }
  return points;
}

/** An aim may set what the version has no place for. */
function canBeSent(api: ApiName, version: number, message: StartingPoint['message']): boolean {
  try {
    encodeRequest(api, { version, correlationId: 0, clientId: null }, message as never);
    return true;
  } catch {
    return false;
  }
}

/** The fields of a starting point, for whoever changes them by their types. */
export function fieldsOf({ api }: StartingPoint): Fields {
  return APIS[api].request.schema.fields as Fields;
}

const MAKES_AND_ENDS = new Set<ApiName>(['createTopics', 'deleteTopics', 'createPartitions']);
const READS_AND_WRITES = new Set<ApiName>(['produce', 'fetch', 'listOffsets', 'deleteRecords']);
const TOPIC_NAMES = new Set(['name', 'topic', 'topicNames', 'subscribedTopicNames']);
const GROUPS = new Set(['groupId', 'groups', 'groupIds', 'groupsNames', 'coordinatorKeys', 'key']);
const PARTITIONS = new Set(['index', 'partition', 'partitionIndex', 'partitions', 'partitionIndexes']);
const EPOCHS = new Set(['leaderEpoch', 'currentLeaderEpoch', 'lastFetchedEpoch', 'committedLeaderEpoch']);
const TOPIC_RESOURCE = 2;

/** What a consumer of `here` says in the classic protocol, version 1, while it owns partition 0. */
const SUBSCRIPTION = Buffer.from(
  '0001' + '00000001000468657265' + 'ffffffff' + '00000001000468657265' + '0000000100000000',
  'hex',
);

/** Turns an arbitrary message into one that means something. */
class Aim {
  readonly #api: ApiName;
  readonly #version: number;
  readonly #targets: Targets;
  readonly #random: Random;

  constructor(api: ApiName, version: number, targets: Targets, random: Random) {
    this.#api = api;
    this.#version = version;
    this.#targets = targets;
    this.#random = random;
  }

  at(value: unknown, key = ''): unknown {
    if (Array.isArray(value)) return value.map((inner) => this.at(inner, key));
    if (Buffer.isBuffer(value)) return this.#blob(key, value);
    if (typeof value === 'object' && value !== null) return this.#struct(value, key);
    if (typeof value === 'string') return this.#text(key, value);
    if (typeof value === 'number') return this.#number(key, value);
    return value;
  }

  #struct(value: object, key: string): unknown {
    const struct = Object.fromEntries(
      Object.entries(value).map(([name, inner]) => [name, this.at(inner, name)]),
    ) as Record<string, unknown>;
    if (key === 'configs' && 'value' in struct && 'name' in struct) {
      [struct.name, struct.value] = this.#of(TOPIC_CONFIGS);
    }
    if ('resourceType' in struct) {
      struct.resourceType = this.#toss(0.8) ? TOPIC_RESOURCE : this.#of([0, 4, 8, 16]);
      struct.resourceName = struct.resourceType === TOPIC_RESOURCE ? this.#targets.topic : '1';
    }
    return struct;
  }

  #text(key: string, value: string): string {
    if (key === 'topicId') return this.#toss(0.8) ? this.#targets.topicId : value;
    if (key === 'memberId' || key === 'subscribedTopicRegex') return this.#of(['', value, 'h.*', '(a+)+$']);
    if (key === 'protocolType') return 'consumer';
    if (GROUPS.has(key)) return this.#of(['group', 'group', 'other', value]);
    if (!TOPIC_NAMES.has(key) || value === '' || !this.#toss(0.85)) return value;
    if (MAKES_AND_ENDS.has(this.#api)) return `passing-${below(this.#random, PASSING_TOPICS)}`;
    if (READS_AND_WRITES.has(this.#api) && this.#toss(0.02)) return '__consumer_offsets';
    return this.#api === 'joinGroup' ? this.#of(['range', 'sticky']) : this.#targets.topic;
  }

  #number(key: string, value: number): number {
    if (key === 'maxWaitMs' || key === 'timeoutMs') return Math.abs(value) % 3;
    if (/[tT]imeoutMs$/.test(key)) return 10 + (Math.abs(value) % 20);
    if (key === 'numPartitions' || key === 'count') return this.#of([-1, 1, 2, 3, value]);
    if (key === 'replicationFactor') return this.#of([-1, 1, 1, value]);
    if (key === 'brokerIds') return this.#of([1, 1, value]);
    if (PARTITIONS.has(key)) return this.#toss(0.9) ? Math.abs(value) % this.#targets.partitions : value;
    if (EPOCHS.has(key)) return this.#of([-1, 0, value]);
    if (key === 'acks') return this.#of([0, 1, -1, -1, value]);
    if (key === 'replicaId' || key === 'sessionEpoch') return this.#of([-1, -1, 0, value]);
    if (key === 'sessionId') return this.#of([0, 0, value]);
    if (key === 'fetchOffset' || key === 'offset' || key === 'timestamp')
      return this.#of([0, 1, -1, -2, value]);
    if (key === 'memberEpoch' || /^generationId/.test(key)) return this.#of([0, 1, -1, value]);
    if (key === 'keyType') return this.#of([0, 0, 1, value]);
    return value;
  }

  #blob(key: string, value: Buffer): Buffer {
    if (key === 'records') {
      return this.#version < FIRST_PRODUCE_WITH_BATCHES ? messageSet(this.#random) : batch(this.#random);
    }
    if (key !== 'metadata' && key !== 'assignment') return value;
    return this.#toss(0.9) ? SUBSCRIPTION : SUBSCRIPTION.subarray(0, below(this.#random, 20));
  }

  #of<T>(values: readonly T[]): T {
    return values[below(this.#random, values.length)]!;
  }

  #toss(chance: number): boolean {
    return below(this.#random, 1_000) < chance * 1_000;
  }
}

const PRODUCERS = 20;

/** A batch as a producer of today sends it. */
export function batch(random: Random): Buffer {
  const records = Array.from({ length: 1 + below(random, 5) }, (_, index) => ({
    timestamp: Date.now() - below(random, 1_000),
    key: below(random, 4) === 0 ? null : Buffer.from(`key-${index}`),
    value: below(random, 8) === 0 ? null : Buffer.alloc(below(random, 200), index),
    headers: Array.from({ length: below(random, 3) }, () => ({ key: 'header', value: Buffer.from('h') })),
  }));
  const producer: BatchProducer = {
    producerId: below(random, PRODUCERS),
    producerEpoch: 0,
    baseSequence: below(random, 3) * records.length,
  };
  const codec = COMPRESSION_CODECS[below(random, COMPRESSION_CODECS.length)]!;
  return buildBatch(records as never, { codec, ...(below(random, 2) === 0 && { producer }) } as never);
}
