/**
 * One complete, checked configuration out of file, environment and flags. Everything that a person may set is
 * declared in a schema of the package that uses it; here they are only joined. Nothing is optional afterwards.
 */
import { brokerConfig } from '@millrace/broker';
import { type ConfigKeys, type ConfigOf, type ConfigSchema, MillraceError } from '@millrace/core';
import { groupConfig } from '@millrace/groups';
import { kafkaConfig } from '@millrace/kafka-api';
import { checkClusterRules, clusterConfig } from '@millrace/metadata';
import { controllerConfig, quorumConfig } from '@millrace/metadata-quorum';
import { rpcConfig } from '@millrace/protocol';
import { storageConfig } from '@millrace/storage';
import {
  type Address,
  type Listener,
  parseAddresses,
  parseListeners,
  parseVoters,
  type Voter,
} from './listener.ts';
import {
  IGNORED_KAFKA_KEYS,
  type NodeProperties,
  nodeProperties,
  PROPERTY_ALIASES,
} from './node-properties.ts';

/** Every schema of a node, in the order of the reference page. */
export const NODE_SCHEMAS = [
  nodeProperties,
  clusterConfig,
  brokerConfig,
  groupConfig,
  storageConfig,
  controllerConfig,
  quorumConfig,
  rpcConfig,
  kafkaConfig,
] as const satisfies readonly ConfigSchema<ConfigKeys>[];

/** GRPC is this server's own; PLAINTEXT is Kafka's. */
const PROTOCOLS = ['GRPC', 'PLAINTEXT'] as const;

export interface NodeListener extends Listener {
  readonly protocol: (typeof PROTOCOLS)[number];
}

export interface NodeConfig {
  readonly properties: NodeProperties;
  readonly isBroker: boolean;
  readonly isController: boolean;
  readonly listeners: readonly NodeListener[];
  /** By listener name, where they differ from the listener itself. */
  readonly advertised: ReadonlyMap<string, Listener>;
  readonly interBrokerListener: string;
  readonly voters: readonly Voter[];
  /** Where controllers listen, whichever they are. */
  readonly bootstrapControllers: readonly Address[];
  readonly broker: ConfigOf<typeof brokerConfig>;
  readonly groups: ConfigOf<typeof groupConfig>;
  readonly storage: ConfigOf<typeof storageConfig>;
  readonly controller: ConfigOf<typeof controllerConfig>;
  readonly quorum: ConfigOf<typeof quorumConfig>;
  readonly rpc: ConfigOf<typeof rpcConfig>;
  readonly kafka: ConfigOf<typeof kafkaConfig>;
  /** This node's defaults for topics and cluster, as texts: what `config get` calls static. */
  readonly clusterTexts: Readonly<Record<string, string>>;
  /** Keys of Kafka that were given and have no meaning here. */
  readonly ignoredKeys: readonly string[];
}

/** The same settings under the names that the schemas declare; a key given under its own name and an alias keeps its own. */
export function withoutAliases(texts: Readonly<Record<string, string>>): Record<string, string> {
  const result: Record<string, string> = {};
  for (const [name, value] of Object.entries(texts)) {
    const key = PROPERTY_ALIASES[name];
    if (key === undefined) result[name] = value;
    else if (!(key in texts)) result[key] = value;
  }
  return result;
}

/** True for every key that a node understands, under its own name or an alias. */
export function isNodeKey(name: string): boolean {
  return name in PROPERTY_ALIASES || NODE_SCHEMAS.some((schema) => schema.has(name));
}

/** @throws {MillraceError} INVALID_CONFIG that names every problem at once. */
export function parseNodeConfig(texts: Readonly<Record<string, string>>): NodeConfig {
  const { known, ignoredKeys, problems } = sortKeys(texts);
  const parse = <K extends ConfigKeys>(schema: ConfigSchema<K>): ConfigOf<ConfigSchema<K>> | undefined =>
    attempt(problems, () => schema.parse(schema.select(known)));
  const properties = parse(nodeProperties);
  const broker = parse(brokerConfig);
  const groups = parse(groupConfig);
  const storage = parse(storageConfig);
  const controller = parse(controllerConfig);
  const quorum = parse(quorumConfig);
  const rpc = parse(rpcConfig);
  const kafka = parse(kafkaConfig);
  const clusterTexts = clusterConfig.select(known);
  attempt(problems, () => checkClusterRules(clusterConfig.parse(clusterTexts)));
  const addresses = properties && attempt(problems, () => parseRoles(properties));
  if (
    problems.length > 0 ||
    !properties ||
    !broker ||
    !groups ||
    !storage ||
    !controller ||
    !quorum ||
    !rpc ||
    !kafka ||
    !addresses
  ) {
    throw new MillraceError('INVALID_CONFIG', problems.join('; '));
  }
  return Object.freeze({
    properties,
    ...addresses,
    broker,
    groups,
    storage,
    controller,
    quorum,
    rpc,
    kafka,
    clusterTexts: Object.freeze(clusterTexts),
    ignoredKeys,
  });
}

interface SortedKeys {
  readonly known: Record<string, string>;
  readonly ignoredKeys: readonly string[];
  readonly problems: string[];
}

function sortKeys(texts: Readonly<Record<string, string>>): SortedKeys {
  const known: Record<string, string> = {};
  const ignoredKeys: string[] = [];
  const problems: string[] = [];
  for (const [name, value] of Object.entries(withoutAliases(texts))) {
    if (NODE_SCHEMAS.some((schema) => schema.has(name))) known[name] = value;
    else if (IGNORED_KAFKA_KEYS.has(name)) ignoredKeys.push(name);
    else problems.push(`unknown key "${name}"`);
  }
  return { known, ignoredKeys, problems };
}

type Addresses = Pick<
  NodeConfig,
  | 'isBroker'
  | 'isController'
  | 'listeners'
  | 'advertised'
  | 'interBrokerListener'
  | 'voters'
  | 'bootstrapControllers'
>;

function parseRoles(properties: NodeProperties): Addresses {
  const roles = properties['process.roles'];
  const wrongRole = roles.find((role) => role !== 'broker' && role !== 'controller');
  const fail = (message: string): never => {
    throw new MillraceError('INVALID_CONFIG', message);
  };
  if (roles.length === 0 || wrongRole !== undefined) {
    fail(`process.roles=${roles.join(',')} must be broker, controller or broker,controller`);
  }
  if (properties['node.id'] < 0)
    fail('node.id must be set, to a number that no other node of the cluster has');
  if (properties['log.dirs'].includes(',')) {
    fail('log.dirs must name one directory; run one broker for each disk, with the same broker.rack');
  }
  const listeners = withProtocols(
    parseListeners('listeners', properties.listeners),
    properties['listener.security.protocol.map'],
  );
  const own = listeners.find(({ protocol }) => protocol === 'GRPC');
  if (own === undefined) fail('listeners must name at least one address with protocol GRPC');
  if (!roles.includes('broker') && listeners.some(({ protocol }) => protocol !== 'GRPC')) {
    fail('listeners of a controller have protocol GRPC: Kafka clients are served by brokers');
  }
  const advertised = new Map(
    parseListeners('advertised.listeners', properties['advertised.listeners']).map((listener) => [
      listener.name,
      listener,
    ]),
  );
  const stranger = [...advertised.keys()].find(
    (name) => !listeners.some((listener) => listener.name === name),
  );
  if (stranger !== undefined) fail(`advertised.listeners names ${stranger}, which listeners does not`);
  const interBrokerListener = properties['inter.broker.listener.name'].toUpperCase() || own!.name;
  if (!listeners.some(({ name, protocol }) => name === interBrokerListener && protocol === 'GRPC')) {
    fail(`inter.broker.listener.name=${interBrokerListener} is not one of the listeners with protocol GRPC`);
  }
  const voters = parseVoters('controller.quorum.voters', properties['controller.quorum.voters']);
  const bootstrapKey = 'controller.quorum.bootstrap.servers';
  const bootstrapControllers = parseAddresses(bootstrapKey, properties[bootstrapKey]);
  if (voters.length === 0 && bootstrapControllers.length === 0) {
    fail(
      `controller.quorum.voters must name the controllers, as ID@host:port; or ${bootstrapKey} those of a cluster to join`,
    );
  }
  const isController = roles.includes('controller');
  const isNamed = voters.some(({ id }) => id === properties['node.id']);
  const joins = isController && bootstrapControllers.length > 0;
  if (isController !== isNamed && !joins) {
    fail(
      `node ${properties['node.id']} is ${isController ? '' : 'not '}a controller by process.roles, but ${isController ? 'not ' : ''}by controller.quorum.voters${isController ? `; to join a cluster that exists it needs ${bootstrapKey}` : ''}`,
    );
  }
  return {
    isBroker: roles.includes('broker'),
    isController,
    listeners,
    advertised,
    interBrokerListener,
    voters,
    bootstrapControllers,
  };
}

function withProtocols(listeners: readonly Listener[], map: readonly string[]): NodeListener[] {
  const protocols = new Map(map.map((entry) => entry.toUpperCase().split(':') as [string, string]));
  return listeners.map((listener) => {
    const { name } = listener;
    const text = protocols.get(name) ?? name;
    const protocol = PROTOCOLS.find((known) => known === text);
    if (protocol !== undefined) return { ...listener, protocol };
    throw new MillraceError(
      'INVALID_CONFIG',
      `listener ${name} has protocol ${text}; listener.security.protocol.map must map it to ${PROTOCOLS.join(' or ')}`,
    );
  });
}

function attempt<T>(problems: string[], action: () => T): T | undefined {
  try {
    return action();
  } catch (error) {
    problems.push((error as Error).message);
    return undefined;
  }
}
