/** The keys that make a process a node of a cluster: identity, roles, addresses, directories. Names are Kafka's. */
import { type ConfigOf, configSchema, count, list, millis, oneOf, text } from '@millrace/core';

export const nodeProperties = configSchema('Node', {
  'node.id': count({
    default: -1,
    min: -1,
    max: 2 ** 31 - 1,
    doc: 'This node\'s number, different on every node of a cluster. Must be set; "broker.id" is accepted too.',
  }),
  'process.roles': list({
    default: ['broker', 'controller'],
    range: 'broker, controller',
    doc: 'What this process is: a broker, a controller, or both.',
  }),
  'controller.quorum.voters': list({
    default: [],
    range: 'ID@host:port,...',
    doc: 'The controllers that form a new cluster, the same list on every node. Later the metadata log says who votes ("millrace quorum add-voter"), and the list only says whom to ask. A cluster forms where every node of the list is blank: when the first voters were replaced for good, name those of today. A node that lost its disk and so forms a second one ends when it meets the first.',
  }),
  'controller.quorum.bootstrap.servers': list({
    default: [],
    range: 'host:port,...',
    doc: 'Where controllers of an existing cluster listen. A controller that controller.quorum.voters does not name joins through them: it observes until it is added to the voters.',
  }),
  listeners: list({
    default: ['GRPC://:9191'],
    range: 'NAME://host:port,...',
    doc: 'Addresses to listen on. An empty host means every interface; port 0 lets the operating system choose.',
  }),
  'advertised.listeners': list({
    default: [],
    range: 'NAME://host:port,...',
    doc: "Addresses that clients and other nodes are told to use, by listener name. A listener left out is advertised as it listens, or as the host's name where it listens on every interface.",
  }),
  'listener.security.protocol.map': list({
    default: ['GRPC:GRPC', 'PLAINTEXT:PLAINTEXT'],
    range: 'NAME:GRPC|PLAINTEXT,...',
    doc: "The protocol of each listener name: GRPC is this server's own, which its SDK, its command line and its nodes speak; PLAINTEXT is Kafka's, for every Kafka client. A name that is left out is taken for a protocol.",
  }),
  'inter.broker.listener.name': text({
    default: '',
    doc: 'The listener that brokers and controllers use among themselves, one with protocol GRPC; the first such if empty.',
  }),
  'log.dirs': text({
    default: 'data',
    doc: 'The data directory: exactly one. A machine with several disks runs one broker for each, in the same rack. "log.dir" is accepted too.',
  }),
  'broker.rack': text({
    default: '',
    doc: 'Replicas of a partition are spread over racks. Nodes that share a host should carry the same name.',
  }),
  'shutdown.timeout.ms': millis({
    default: 2_000,
    min: 0,
    max: 600_000,
    doc: 'How long a stopping node waits, after its leaderships moved, for calls in progress before it ends them.',
  }),
  'log.level': oneOf(['fatal', 'error', 'warn', 'info', 'debug'], {
    default: 'info',
    doc: 'The least severe lines that the server logs.',
  }),
});

export type NodeProperties = ConfigOf<typeof nodeProperties>;

/** Other names for keys, as Kafka accepts them. */
export const PROPERTY_ALIASES: Readonly<Record<string, string>> = {
  'broker.id': 'node.id',
  'log.dir': 'log.dirs',
};

/**
 * Keys of Kafka that have no meaning here. A file written for Kafka keeps working: they are named in one
 * warning and ignored. Any other unknown key is an error, because it is a typing mistake.
 */
export const IGNORED_KAFKA_KEYS: ReadonlySet<string> = new Set([
  'num.network.threads',
  'num.io.threads',
  'background.threads',
  'queued.max.requests',
  'socket.send.buffer.bytes',
  'socket.receive.buffer.bytes',
  'num.recovery.threads.per.data.dir',
  'num.replica.fetchers',
  'group.coordinator.append.linger.ms',
  'group.coordinator.rebalance.protocols',
  'group.coordinator.threads',
  'log.preallocate',
  'offsets.load.buffer.size',
  'offsets.topic.compression.codec',
  'share.coordinator.state.topic.replication.factor',
  'share.coordinator.state.topic.min.isr',
  'transaction.state.log.replication.factor',
  'transaction.state.log.min.isr',
  'controller.quorum.append.linger.ms',
  'controller.listener.names',
  'zookeeper.connect',
  'zookeeper.connection.timeout.ms',
]);
