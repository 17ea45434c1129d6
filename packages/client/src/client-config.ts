/** Every number and choice of the SDK, declared once. Names follow Kafka's, in camelCase; so do defaults unless said. */
import {
  bytes,
  type ConfigOf,
  configSchema,
  count,
  flag,
  KiB,
  list,
  MiB,
  millis,
  oneOf,
  text,
} from '@millrace/core';
import { COMPRESSION_CODECS } from '@millrace/records';

export const clientConfig = configSchema('client', {
  bootstrap: list({
    default: [],
    range: 'host:port,...',
    doc: 'Addresses to begin with; any node will do. The rest of the cluster is learnt from the first that answers.',
  }),
  clientId: text({ default: 'millrace', doc: "Names this program in the servers' logs and metrics." }),
  requestTimeoutMs: millis({
    default: 30_000,
    min: 1,
    doc: 'How long one request may take before it is given up or sent again.',
  }),
  retryBackoffMs: millis({
    default: 20,
    min: 1,
    doc: 'Wait before the first retry; doubles from there. Kafka: 100.',
  }),
  retryBackoffMaxMs: millis({ default: 1_000, min: 1, doc: 'Longest wait between two tries.' }),
  metadataMaxAgeMs: millis({
    default: 300_000,
    min: 1,
    doc: 'Metadata older than this is refreshed when it is next used, even if nothing failed.',
  }),
  missingTopicTimeoutMs: millis({
    default: 2_000,
    min: 0,
    doc: 'How long a topic that no broker knows is asked for again before UNKNOWN_TOPIC_OR_PARTITION: one just created may not have reached every broker.',
  }),
  stallProbeMs: millis({
    default: 1_000,
    min: 1,
    doc: 'A request unanswered for this long makes the client ask the others who leads now; it moves on as soon as a new leader is known.',
  }),
});
export type ClientConfig = ConfigOf<typeof clientConfig>;

export const producerConfig = configSchema('producer', {
  acks: oneOf(['all', '1', '0'], {
    default: 'all',
    doc: 'Who must have a record before it counts as written: every in-sync replica, the leader, nobody.',
  }),
  idempotence: flag({
    default: true,
    doc: 'Retries neither duplicate nor reorder. Needs acks=all and maxInFlight <= 5; off by itself if acks is 0 or 1.',
  }),
  lingerMs: millis({
    default: 5,
    min: 0,
    doc: 'How long a batch may wait for more records. It is sent at once when its broker is idle and batches are small, so a lone record does not wait.',
  }),
  batchSize: bytes({
    default: 512 * KiB,
    min: 1,
    max: 64 * MiB,
    doc: 'Size, uncompressed, at which a batch is closed. Kafka: 16 KiB; here larger batches cost nothing, since an idle broker gets them early.',
  }),
  bufferMemory: bytes({
    default: 64 * MiB,
    min: 1,
    doc: 'Records not yet acknowledged may take this much; then send waits.',
  }),
  maxBlockMs: millis({
    default: 60_000,
    min: 0,
    doc: 'How long send may wait for room or metadata before BUFFER_EXHAUSTED or the reason metadata is missing.',
  }),
  maxRequestSize: bytes({
    default: 2 * MiB,
    min: 1,
    doc: 'Batches of several partitions share a request up to this size; one batch always fits.',
  }),
  frameMaxBytes: bytes({
    default: 100 * MiB,
    min: 64 * KiB,
    doc: 'Largest message that brokers take, their socket.request.max.bytes: what cannot fit is MESSAGE_TOO_LARGE and not sent.',
  }),
  compression: oneOf(
    ['none', ...COMPRESSION_CODECS.filter((codec) => codec !== 'none')] as [
      'none',
      'gzip',
      'snappy',
      'lz4',
      'zstd',
    ],
    { default: 'none', doc: 'Codec of every batch; brokers and consumers keep it as it is.' },
  ),
  maxInFlight: count({
    default: 5,
    min: 1,
    max: 1_000,
    doc: 'Requests on their way to one broker at a time.',
  }),
  deliveryTimeoutMs: millis({
    default: 120_000,
    min: 1,
    doc: 'Limit from send to result, retries included.',
  }),
  requestTimeoutMs: millis({
    default: 30_000,
    min: 1,
    doc: 'How long a broker may take over one produce request.',
  }),
});
export type ProducerConfig = ConfigOf<typeof producerConfig>;

export const consumerConfig = configSchema('consumer', {
  groupId: text({
    default: '',
    doc: 'Consumers of one group share the partitions they subscribe to and commit how far they are. Empty: a consumer on its own, with assign.',
  }),
  groupInstanceId: text({
    default: '',
    doc: 'Makes the member static: closed and started again within the session timeout it has its partitions again, and nothing moves. After a crash the session of the one before has to end first, and so long it waits. Different for each; needs groupId.',
  }),
  rack: text({ default: '', doc: 'Where the program runs, as broker.rack says it of brokers.' }),
  serverAssignor: text({
    default: '',
    range: 'uniform, range',
    doc: 'Who divides the partitions, of group.consumer.assignors. Empty: the first of them.',
  }),
  enableAutoCommit: flag({
    default: true,
    doc: 'Commits by itself what the program has finished with: at an interval, before partitions are given up, on close.',
  }),
  autoCommitIntervalMs: millis({ default: 5_000, min: 1, doc: 'How often that is.' }),
  maxPollIntervalMs: millis({
    default: 300_000,
    min: 1,
    doc: 'A handler that holds a record for longer makes the member leave its group until it returns; so does a program that does not read.',
  }),
  rebalanceTimeoutMs: millis({
    default: 300_000,
    min: 1,
    doc: 'How long a handler may go on with a record whose partition is to be given up to another member. Kafka: max.poll.interval.ms.',
  }),
  autoOffsetReset: oneOf(['earliest', 'latest', 'none'], {
    default: 'latest',
    doc: 'Where to begin without a position, and where to go on when the position is gone: first record, only new ones, or an error.',
  }),
  maxPollRecords: count({ default: 500, min: 1, doc: 'Most records in one batch or poll.' }),
  fetchMinBytes: bytes({ default: 1, min: 0, doc: 'A broker waits for this much before it answers.' }),
  fetchMaxWaitMs: millis({ default: 500, min: 0, doc: 'Longest such wait.' }),
  fetchMaxBytes: bytes({
    default: 8 * MiB,
    min: 1,
    doc: 'Soft limit of one answer: the first batch comes even if it alone is larger. Kafka: 50 MiB.',
  }),
  maxPartitionFetchBytes: bytes({ default: 1 * MiB, min: 1, doc: 'The same for one partition.' }),
  prefetchMaxBytes: bytes({
    default: 32 * MiB,
    min: 1,
    doc: 'No more is fetched while this much waits to be read.',
  }),
  checkCrcs: flag({ default: true, doc: 'Checks the checksum of every batch read.' }),
});
export type ConsumerConfig = ConfigOf<typeof consumerConfig>;
