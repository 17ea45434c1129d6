/**
 * Configuration changes: each resource stands for itself and changes whole or not at all. A change that touches what
 * counts as committed or who may lead changes the partitions concerned with it.
 */
import { MillraceError } from '@millrace/core';
import { applyRecords } from '../apply.ts';
import { CLUSTER_ONLY, clusterConfig } from '../cluster-config.ts';
import type { AlterConfigsRequest, AlterConfigsResponse, ConfigChange, ResourceResult } from '../command.ts';
import { type ConfigResource, configResourceKey } from '../config-resource.ts';
import { clusterConfigWith, topicConfigOf, topicConfigWith } from '../effective-config.ts';
import { configOverrides, type MetadataImage, type TopicImage } from '../image.ts';
import type { ConfigChanged, MetadataRecord } from '../record.ts';
import { checkClusterRules, checkTopicRules } from '../settings-rules.ts';
import { topicConfig } from '../topic-config.ts';
import { changePartition, electionRules } from './change-partition.ts';
import { type Decision, type DecisionContext, failureOf } from './decision.ts';
import { electLeaderless } from './fence-broker.ts';
import { plainChanges } from './plain-changes.ts';

export function alterConfigs(
  image: MetadataImage,
  { changes, validateOnly = false }: AlterConfigsRequest,
  context: DecisionContext,
): Decision<AlterConfigsResponse> {
  const accepted: ConfigChanged[] = [];
  const resources = [...groupByResource(changes).values()].map((group): ResourceResult => {
    const { resource } = group[0]!;
    let plain: readonly ConfigChange[] = [];
    const failure = failureOf(() => {
      plain = plainChanges(image, resource, group, context.scope);
      checkGroup(image, resource, plain, context);
    });
    if (failure !== undefined) return { resource, failure };
    const overrides = configOverrides(image, resource);
    for (const { name, value = null } of plain) {
      if ((overrides.get(name) ?? null) === value) continue;
      accepted.push({ kind: 'configChanged', resource, name, value });
    }
    return { resource };
  });
  const records = validateOnly || accepted.length === 0 ? [] : withConsequences(image, accepted, context);
  return { records, reply: { resources } };
}

/** @throws {MillraceError} INVALID_CONFIG naming everything wrong. */
export function checkTopicConfigs(
  image: MetadataImage,
  topic: string,
  texts: Readonly<Record<string, string>>,
  { scope }: DecisionContext,
): void {
  topicConfig.parse(texts);
  checkTopicRules(topic, topicConfigWith(image, new Map(Object.entries(texts)), scope));
}

function groupByResource(changes: readonly ConfigChange[]): Map<string, ConfigChange[]> {
  const groups = new Map<string, ConfigChange[]>();
  for (const change of changes) {
    const key = configResourceKey(change.resource);
    groups.set(key, [...(groups.get(key) ?? []), change]);
  }
  return groups;
}

function checkGroup(
  image: MetadataImage,
  resource: ConfigResource,
  group: readonly ConfigChange[],
  context: DecisionContext,
): void {
  const { kind, name: owner } = resource;
  checkResource(image, resource);
  const schema = kind === 'topic' ? topicConfig : clusterConfig;
  // A key that an older version knew may still be set; it counts for nothing.
  const texts = new Map([...configOverrides(image, resource)].filter(([name]) => schema.has(name)));
  const seen = new Set<string>();
  for (const { name, value } of group) {
    if (!schema.has(name)) throw new MillraceError('INVALID_CONFIG', `unknown ${kind} key "${name}"`);
    if (kind === 'broker' && CLUSTER_ONLY.has(name)) {
      throw new MillraceError(
        'INVALID_CONFIG',
        `${name} must be the same on every broker: set it for the cluster`,
      );
    }
    if (seen.has(name)) throw new MillraceError('INVALID_REQUEST', `${name} is in the request twice`);
    seen.add(name);
    if (value === undefined) texts.delete(name);
    else texts.set(name, value);
  }
  if (kind === 'topic') checkTopicConfigs(image, owner, Object.fromEntries(texts), context);
  else checkClusterRules(clusterConfigWith(image, kind, texts, context.scope));
}

function checkResource(image: MetadataImage, { kind, name }: ConfigResource): void {
  switch (kind) {
    case 'topic':
      if (!image.topicIds.has(name)) {
        throw new MillraceError('UNKNOWN_TOPIC_OR_PARTITION', `there is no topic ${name}`);
      }
      return;
    case 'broker':
      if (!/^\d+$/.test(name) || !image.brokers.has(Number(name))) {
        throw new MillraceError(
          'BROKER_ID_NOT_REGISTERED',
          `there is no broker ${name}; leave the name empty and use kind "cluster" for all brokers`,
        );
      }
      return;
    case 'cluster':
      if (name !== '')
        throw new MillraceError('INVALID_REQUEST', `the cluster has no name, "${name}" was given`);
      return;
    default:
      throw new MillraceError(
        'INVALID_REQUEST',
        `a resource is a topic, a broker or the cluster, not ${JSON.stringify(kind satisfies never)}`,
      );
  }
}

/**
 * Who is eligible depends on how far the high watermark could move, hence on `min.insync.replicas`. Lowered: whoever
 * is no longer covered leaves the ELR before any leader can act on the lower number. Raised: the partition epoch
 * rises after it, so that a leader which has not seen the new number yet cannot shrink its in-sync set meanwhile.
 */
function withConsequences(
  image: MetadataImage,
  changes: readonly ConfigChanged[],
  context: DecisionContext,
): MetadataRecord[] {
  const after = applyRecords(image, changes, image.offset).image;
  const minInsync = (at: MetadataImage, topic: TopicImage): number =>
    topicConfigOf(at, topic.id, context.scope)['min.insync.replicas'];
  const lowered: MetadataRecord[] = [];
  const raised: MetadataRecord[] = [];
  for (const topic of image.topics.values()) {
    const before = minInsync(image, topic);
    const now = minInsync(after, topic);
    if (before !== now) (now < before ? lowered : raised).push(...touchAll(after, topic, context));
  }
  const records = [...lowered, ...changes, ...raised];
  const applied = applyRecords(image, records, image.offset).image;
  return [...records, ...electLeaderless(applied, context)];
}

function touchAll(image: MetadataImage, topic: TopicImage, context: DecisionContext): MetadataRecord[] {
  const rules = { ...electionRules(image, topic.id, context), uncleanAllowed: false };
  return topic.partitions.flatMap((partition) => changePartition(partition, { touch: true }, rules) ?? []);
}
