/** @platformatic/kafka, told what to do by the suite. Arguments: bootstrap, client id, where it is installed. */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';
import { Flow, Member, serve } from './protocol.js';

const [bootstrap, clientId, installed] = process.argv.slice(2);
const requireInstalled = createRequire(`${installed}/package.json`);
const { Admin, Consumer, Producer, stringDeserializers, stringSerializers } = await import(
  pathToFileURL(requireInstalled.resolve('@platformatic/kafka'))
);
const place = {
  clientId,
  bootstrapBrokers: bootstrap.split(','),
  retries: 20,
  retryDelay: 100,
  autocreateTopics: false,
};
const CODECS = ['none', 'gzip', 'snappy', 'lz4'];
const admin = new Admin(place);
let readers = 0;

const newProducer = (options) => new Producer({ ...place, serializers: stringSerializers, ...options });
const newConsumer = (groupId, options) =>
  new Consumer({ ...place, groupId, deserializers: stringDeserializers, ...options });

class PlatformaticMember extends Member {
  #consumer;
  #topic;
  /** The newest message of each partition. */
  #last = new Map();

  static async join({ group, topic, protocol = 'classic' }) {
    const member = new PlatformaticMember();
    member.#topic = topic;
    const isNew = protocol === 'consumer';
    member.#consumer = newConsumer(group, isNew ? { groupProtocol: 'consumer' } : {});
    const timing = isNew ? {} : { sessionTimeout: 6000, rebalanceTimeout: 6000, heartbeatInterval: 300 };
    const stream = await member.#consumer.consume({
      topics: [topic],
      mode: 'committed',
      fallbackMode: 'earliest',
      autocommit: false,
      maxWaitTime: 200,
      ...timing,
    });
    stream.on('data', (message) => {
      member.got(message.partition, message.offset, message.value);
      member.#last.set(message.partition, message);
    });
    stream.on('error', (error) => process.stderr.write(`${error.stack}\n`));
    return member;
  }

  state() {
    const own = this.#consumer.assignments?.find(({ topic }) => topic === this.#topic);
    this.assignment = own?.partitions ?? [];
    return super.state();
  }

  async leave() {
    for (const partition of this.state().assignment) await this.#last.get(partition)?.commit();
    await this.#consumer.close(true);
  }
}

const { version } = JSON.parse(
  readFileSync(`${installed}/node_modules/@platformatic/kafka/package.json`, 'utf8'),
);

await serve(version, CODECS, {
  create: async ({ topic, partitions, replicas }) =>
    void (await admin.createTopics({ topics: [topic], partitions, replicas })),
  topics: async () => (await admin.listTopics()).sort(),
  describe: async ({ topic }) => {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    return topics.get(topic).partitions.map(({ leader, replicas }, partition) => ({
      partition,
      leader,
      replicas: replicas.length,
    }));
  },
  produce: async ({ topic, partition, codec, records }) => {
    const producer = newProducer();
    const messages = records.map(({ key, value, headers, timestamp }) => ({
      topic,
      partition,
      headers: new Map(headers),
      timestamp: BigInt(timestamp),
      ...(key === null ? {} : { key }),
      ...(value === null ? {} : { value }),
    }));
    const { offsets } = await producer.send({ acks: -1, compression: codec, messages });
    await producer.close();
    return records.map((_, index) => Number(offsets[0].offset) + index);
  },
  read: async ({ topic, partition, offset, count }) => {
    const consumer = newConsumer(`readers-of-${clientId}-${readers++}`);
    const stream = await consumer.consume({
      topics: [topic],
      mode: 'manual',
      offsets: [{ topic, partition, offset: BigInt(offset) }],
      autocommit: false,
      maxWaitTime: 200,
    });
    const records = [];
    for await (const message of stream) {
      if (message.partition !== partition) continue;
      records.push({
        offset: Number(message.offset),
        key: message.key ?? null,
        value: message.value ?? null,
        headers: [...message.headers],
        timestamp: Number(message.timestamp),
      });
      if (records.length === count) break;
    }
    await consumer.close(true);
    return records;
  },
  offsetFor: async ({ topic, partition, timestamp }) => {
    const consumer = newConsumer(`readers-of-${clientId}-${readers++}`);
    const told = await consumer.listOffsets({
      topics: [topic],
      partitions: { [topic]: [partition] },
      timestamp: BigInt(timestamp),
    });
    await consumer.close(true);
    return Number(told.get(topic)[partition]);
  },
  join: (options) => PlatformaticMember.join(options),
  committed: async ({ group, topic }) => {
    const partitions = (await admin.metadata({ topics: [topic] })).topics.get(topic).partitionsCount;
    const consumer = newConsumer(group);
    const told = await consumer.listCommittedOffsets({
      topics: [{ topic, partitions: Array.from({ length: partitions }, (_, index) => index) }],
    });
    await consumer.close(true);
    return Object.fromEntries(told.get(topic).map((offset, partition) => [partition, Number(offset)]));
  },
  groups: async () => [...(await admin.listGroups({ types: ['classic', 'consumer'] })).keys()].sort(),
  flow: async ({ topic }) => {
    const producer = newProducer({ retries: 100 });
    return new Flow(
      (value) => producer.send({ acks: -1, messages: [{ topic, key: value, value }] }),
      () => producer.close(),
    );
  },
  delete: async ({ topic }) => void (await admin.deleteTopics({ topics: [topic] })),
  deleteGroup: async ({ group }) => void (await admin.deleteGroups({ groups: [group] })),
});
