/** kafkajs, told what to do by the suite. Arguments: bootstrap, client id, where it is installed. */
import { createRequire } from 'node:module';
import { Flow, Member, serve } from './protocol.js';

const [bootstrap, clientId, installed] = process.argv.slice(2);
const requireInstalled = createRequire(`${installed}/package.json`);
const { CompressionCodecs, CompressionTypes, Kafka, logLevel, ConfigResourceTypes } =
  requireInstalled('kafkajs');
CompressionCodecs[CompressionTypes.Snappy] = requireInstalled('kafkajs-snappy');
const CODECS = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP, snappy: CompressionTypes.Snappy };

const kafka = new Kafka({
  clientId,
  brokers: bootstrap.split(','),
  logLevel: logLevel.ERROR,
  logCreator: () => (entry) => process.stderr.write(`${JSON.stringify(entry.log)}\n`),
  retry: { retries: 20, initialRetryTime: 50, maxRetryTime: 1000 },
});
const admin = kafka.admin();
await admin.connect();
let readers = 0;

class KafkaMember extends Member {
  #consumer;

  static async join({ group, topic }) {
    const member = new KafkaMember();
    const consumer = kafka.consumer({
      groupId: group,
      sessionTimeout: 6000,
      heartbeatInterval: 300,
      rebalanceTimeout: 6000,
      maxWaitTimeInMs: 200,
    });
    member.#consumer = consumer;
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      member.assignment = payload.memberAssignment[topic] ?? [];
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 100,
      eachMessage: async ({ partition, message }) => member.got(partition, message.offset, message.value),
    });
    return member;
  }

  async leave() {
    await this.#consumer.disconnect();
  }
}

await serve(requireInstalled('kafkajs/package.json').version, Object.keys(CODECS), {
  create: async ({ topic, partitions, replicas }) =>
    await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor: replicas }],
      waitForLeaders: true,
    }),
  topics: async () => (await admin.listTopics()).sort(),
  describe: async ({ topic }) => {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0].partitions.map(({ partitionId, leader, replicas }) => ({
      partition: partitionId,
      leader,
      replicas: replicas.length,
    }));
  },
  produce: async ({ topic, partition, codec, records }) => {
    const producer = kafka.producer();
    await producer.connect();
    const messages = records.map(({ key, value, headers, timestamp }) => ({
      partition,
      key,
      value,
      headers: Object.fromEntries(headers),
      timestamp: String(timestamp),
    }));
    const [told] = await producer.send({ topic, acks: -1, compression: CODECS[codec], messages });
    await producer.disconnect();
    return records.map((_, index) => Number(told.baseOffset) + index);
  },
  read: async ({ topic, partition, offset, count }) => {
    const consumer = kafka.consumer({
      groupId: `readers-of-${clientId}-${readers++}`,
      maxWaitTimeInMs: 200,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    const records = [];
    await new Promise((resolve, reject) => {
      consumer.on(consumer.events.CRASH, ({ payload }) => reject(payload.error));
      consumer
        .run({
          autoCommit: false,
          eachMessage: async ({ partition: own, message }) => {
            if (own !== partition || Number(message.offset) < offset || records.length === count) return;
            records.push({
              offset: Number(message.offset),
              key: message.key?.toString() ?? null,
              value: message.value?.toString() ?? null,
              headers: Object.entries(message.headers).map(([name, value]) => [name, value.toString()]),
              timestamp: Number(message.timestamp),
            });
            if (records.length === count) resolve();
          },
        })
        .catch(reject);
      consumer.seek({ topic, partition, offset: String(offset) });
    });
    await consumer.disconnect();
    return records;
  },
  offsetFor: async ({ topic, partition, timestamp }) => {
    const told = await admin.fetchTopicOffsetsByTimestamp(topic, timestamp);
    return Number(told.find((one) => one.partition === partition).offset);
  },
  join: (options) => KafkaMember.join(options),
  committed: async ({ group, topic }) => {
    const [{ partitions }] = await admin.fetchOffsets({ groupId: group, topics: [topic] });
    return Object.fromEntries(partitions.map(({ partition, offset }) => [partition, Number(offset)]));
  },
  groups: async () => (await admin.listGroups()).groups.map(({ groupId }) => groupId).sort(),
  flow: async ({ topic }) => {
    const producer = kafka.producer({ retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 500 } });
    await producer.connect();
    return new Flow(
      (value) => producer.send({ topic, acks: -1, messages: [{ key: value, value }] }),
      () => producer.disconnect(),
    );
  },
  increase: async ({ topic, partitions }) =>
    await admin.createPartitions({ topicPartitions: [{ topic, count: partitions }] }),
  alterConfig: async ({ topic, name, value }) =>
    void (await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries: [{ name, value }] }],
    })),
  config: async ({ topic, name }) => {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: true,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic }],
    });
    return resources[0].configEntries.find((entry) => entry.configName === name).configValue;
  },
  deleteRecords: async ({ topic, partition, offset }) => {
    // Its own list of leaders knows only topics that it has been asked about.
    await admin.fetchTopicOffsets(topic);
    await admin.deleteTopicRecords({ topic, partitions: [{ partition, offset: String(offset) }] });
  },
  delete: async ({ topic }) => await admin.deleteTopics({ topics: [topic] }),
  deleteGroup: async ({ group }) => void (await admin.deleteGroups([group])),
});
