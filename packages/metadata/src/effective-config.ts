/**
 * Which value of a setting counts: topic override, then broker, then cluster override, then the node's own file,
 * then the default. Answers are cached for as long as no override changes. Never changes an override.
 */
import type { ConfigKey, NodeId, TopicId } from '@millrace/core';
import { BROKER_NAME_OF, type ClusterConfig, clusterConfig, RECORDED_IN_METADATA } from './cluster-config.ts';
import { CLUSTER_RESOURCE, type ConfigResource } from './config-resource.ts';
import { type ConfigOverrides, configOverrides, type MetadataImage } from './image.ts';
import { type TopicConfig, type TopicConfigName, topicConfig } from './topic-config.ts';

/** Whose view: a broker's own overrides and the texts of its file. Leave both out for the cluster's view. */
export interface ConfigScope {
  readonly brokerId?: NodeId;
  /** Texts of `clusterConfig` keys; pass the same object each time, the cache goes by its identity. */
  readonly fileTexts?: Readonly<Record<string, string>>;
}

export type ConfigSource = 'topic' | 'broker' | 'cluster' | 'static' | 'default';

/** One setting as `config get` shows it. */
export interface EffectiveEntry {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
  readonly readOnly: boolean;
  readonly type: string;
  readonly documentation: string;
  /** Every place that has a value, the one in force first, under the name that the setting has there. */
  readonly synonyms: readonly ConfigSynonym[];
}

export interface ConfigSynonym {
  readonly name: string;
  readonly value: string;
  readonly source: ConfigSource;
}

const NO_TEXTS: Readonly<Record<string, string>> = Object.freeze({});
const NO_OVERRIDES: ConfigOverrides = new Map();
const CLUSTER_SCOPE: ConfigScope = Object.freeze({});

type Parsed = Map<string, TopicConfig | ClusterConfig>;
const cache = new WeakMap<MetadataImage['configs'], WeakMap<object, Parsed>>();

function cached<T extends TopicConfig | ClusterConfig>(
  image: MetadataImage,
  scope: ConfigScope,
  key: string,
  parse: () => T,
): T {
  const texts = scope.fileTexts ?? NO_TEXTS;
  const byTexts = cache.get(image.configs) ?? new WeakMap<object, Parsed>();
  cache.set(image.configs, byTexts);
  const parsed: Parsed = byTexts.get(texts) ?? new Map();
  byTexts.set(texts, parsed);
  const known = parsed.get(key);
  if (known !== undefined) return known as T;
  const value = parse();
  parsed.set(key, value);
  return value;
}

/** The settings in force for a topic; those of a topic without overrides if there is no such topic. */
export function topicConfigOf(image: MetadataImage, topicId: TopicId, scope = CLUSTER_SCOPE): TopicConfig {
  return topicConfigByName(image, image.topics.get(topicId)?.name ?? '', scope);
}

export function topicConfigByName(image: MetadataImage, topic: string, scope = CLUSTER_SCOPE): TopicConfig {
  const overrides = configOverrides(image, { kind: 'topic', name: topic });
  // Topics without overrides share one answer.
  const key = `${scope.brokerId ?? ''}:${overrides.size === 0 ? '' : topic}`;
  return cached(image, scope, key, () => topicConfigWith(image, overrides, scope));
}

/** What would be in force for a topic with these overrides. @throws {MillraceError} INVALID_CONFIG */
export function topicConfigWith(
  image: MetadataImage,
  overrides: ConfigOverrides,
  scope = CLUSTER_SCOPE,
): TopicConfig {
  const layers = layersOf(image, scope);
  const texts: Record<string, string> = {};
  for (const name of topicNames) {
    const found = lookUp(name, overrides, layers);
    if (found !== undefined) texts[name] = found.value;
  }
  return topicConfig.parse(texts);
}

/** The cluster's settings, as `scope` sees them. */
export function clusterConfigOf(image: MetadataImage, scope = CLUSTER_SCOPE): ClusterConfig {
  return cached(image, scope, `${scope.brokerId ?? ''}/cluster`, () =>
    clusterConfigIn(layersOf(image, scope)),
  );
}

/** What would be in force with these overrides of the cluster, or of one broker. @throws {MillraceError} INVALID_CONFIG */
export function clusterConfigWith(
  image: MetadataImage,
  kind: 'cluster' | 'broker',
  overrides: ConfigOverrides,
  { fileTexts }: ConfigScope = CLUSTER_SCOPE,
): ClusterConfig {
  // A broker's own file is not known here, and it may differ from this one.
  const layers = layersOf(image, kind === 'cluster' && fileTexts !== undefined ? { fileTexts } : {});
  return clusterConfigIn({ ...layers, [kind]: overrides });
}

function clusterConfigIn(layers: Layers): ClusterConfig {
  const texts: Record<string, string> = {};
  for (const name of Object.keys(clusterConfig.keys)) {
    const found = firstOf(name, layers);
    if (found !== undefined) texts[name] = found.value;
  }
  return clusterConfig.parse(texts);
}

/** Every setting of a resource with the place that its value comes from, in order of name. */
export function describeConfig(
  image: MetadataImage,
  resource: ConfigResource,
  scope = CLUSTER_SCOPE,
): EffectiveEntry[] {
  const own = resource.kind === 'broker' ? { ...scope, brokerId: Number(resource.name) } : scope;
  const layers = layersOf(image, own);
  if (resource.kind === 'topic') return describeTopicConfig(image, configOverrides(image, resource), own);
  return sortedKeys(clusterConfig.keys).map(([name, key]) =>
    entryOf(name, key, [...placesOf(name, layers), defaultOf(name, key)]),
  );
}

/** As `describeConfig`, of a topic with these overrides, whether it exists or not. */
export function describeTopicConfig(
  image: MetadataImage,
  overrides: ConfigOverrides,
  scope = CLUSTER_SCOPE,
): EffectiveEntry[] {
  const layers = layersOf(image, scope);
  return sortedKeys(topicConfig.keys).map(([name, key]) => {
    const brokerName = BROKER_NAME_OF[name as TopicConfigName];
    const value = overrides.get(name);
    const own: ConfigSynonym[] = value === undefined ? [] : [{ name, value, source: 'topic' }];
    return entryOf(name, key, [...own, ...placesOf(brokerName, layers), defaultOf(brokerName, key)]);
  });
}

type Key = ConfigKey<never>;

function sortedKeys(keys: object): [string, Key][] {
  return Object.entries(keys as Record<string, Key>).sort(([a], [b]) => (a < b ? -1 : 1));
}

function entryOf(name: string, key: Key, synonyms: readonly ConfigSynonym[]): EffectiveEntry {
  const { value, source } = synonyms[0]!;
  return { name, value, source, readOnly: false, type: key.type, documentation: key.doc, synonyms };
}

function defaultOf(name: string, key: Key): ConfigSynonym {
  return { name, value: key.format(key.default), source: 'default' };
}

const topicNames = Object.keys(topicConfig.keys) as TopicConfigName[];

interface Found {
  readonly value: string;
  readonly source: ConfigSource;
}

interface Layers {
  readonly broker: ConfigOverrides | undefined;
  readonly cluster: ConfigOverrides;
  readonly fileTexts: Readonly<Record<string, string>>;
}

function layersOf(image: MetadataImage, scope: ConfigScope): Layers {
  return {
    broker:
      scope.brokerId === undefined
        ? undefined
        : configOverrides(image, { kind: 'broker', name: String(scope.brokerId) }),
    cluster: configOverrides(image, CLUSTER_RESOURCE),
    fileTexts: scope.fileTexts ?? NO_TEXTS,
  };
}

function lookUp(name: TopicConfigName, overrides: ConfigOverrides, layers: Layers): Found | undefined {
  const value = overrides.get(name);
  return value === undefined ? firstOf(BROKER_NAME_OF[name], layers) : { value, source: 'topic' };
}

function firstOf(name: string, { broker, cluster, fileTexts }: Layers): Found | undefined {
  const ofBroker = broker?.get(name);
  if (ofBroker !== undefined) return { value: ofBroker, source: 'broker' };
  const ofCluster = cluster.get(name);
  if (ofCluster !== undefined) return { value: ofCluster, source: 'cluster' };
  const isInFile = Object.hasOwn(fileTexts, name) && !RECORDED_IN_METADATA.has(name);
  return isInFile ? { value: fileTexts[name]!, source: 'static' } : undefined;
}

/** All that `firstOf` would find, in its order. */
function placesOf(name: string, { broker, cluster, fileTexts }: Layers): ConfigSynonym[] {
  const places = [
    firstOf(name, { broker, cluster: NO_OVERRIDES, fileTexts: NO_TEXTS }),
    firstOf(name, { broker: undefined, cluster, fileTexts: NO_TEXTS }),
    firstOf(name, { broker: undefined, cluster: NO_OVERRIDES, fileTexts }),
  ];
  return places.filter((found) => found !== undefined).map((found) => ({ name, ...found }));
}
