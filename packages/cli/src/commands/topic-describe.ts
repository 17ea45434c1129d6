/** `topic describe`: the lines Kafka's own tool prints, tabs and labels included, since scripts cut them apart. */
import type { ConfigEntry, PartitionInfo, TopicInfo } from '@millrace/client';
import type { CommandContext } from '../command-context.ts';

interface DescribeFlags {
  readonly underReplicated?: boolean;
  readonly unavailable?: boolean;
  readonly underMinIsr?: boolean;
  readonly atMinIsr?: boolean;
}

interface DescribedTopic {
  readonly topic: TopicInfo;
  /** Those that are not defaults, by name. */
  readonly configs: Readonly<Record<string, string>>;
  readonly partitions: readonly PartitionInfo[];
}

export async function describeTopics(
  context: CommandContext,
  flags: DescribeFlags,
  names: readonly string[],
): Promise<void> {
  const admin = context.admin();
  const topics = await admin.describeTopics(names.length === 0 ? undefined : names, context.callOptions());
  const configs = await admin.describeConfigs(
    topics.map(({ name }) => ({ kind: 'topic', name })),
    context.callOptions(),
  );
  const entriesOf = new Map(configs.map(({ resource, entries }) => [resource.name, entries]));
  const filtered = Object.values(flags).some((chosen) => chosen === true);
  const described = topics
    .map((topic) => describeOne(topic, entriesOf.get(topic.name) ?? [], flags, filtered))
    .filter(({ partitions }) => !filtered || partitions.length > 0);
  await context.show({
    value: { topics: described.map(topicValue) },
    text: () => described.map((each) => (filtered ? '' : headerLine(each)) + partitionLines(each)).join(''),
    names: () => described.map(({ topic }) => topic.name),
  });
}

function describeOne(
  topic: TopicInfo,
  entries: readonly ConfigEntry[],
  flags: DescribeFlags,
  filtered: boolean,
): DescribedTopic {
  const minIsr = Number(entries.find(({ name }) => name === 'min.insync.replicas')?.value ?? 1);
  const changed = entries.filter(({ source }) => source !== 'default');
  return {
    topic,
    configs: Object.fromEntries(changed.map(({ name, value }) => [name, value])),
    partitions: filtered
      ? topic.partitions.filter((partition) => matches(partition, flags, minIsr))
      : topic.partitions,
  };
}

/** Every filter given must hold. */
function matches({ leader, replicas, isr }: PartitionInfo, flags: DescribeFlags, minIsr: number): boolean {
  if (flags.underReplicated && isr.length >= replicas.length) return false;
  if (flags.unavailable && leader !== -1) return false;
  if (flags.underMinIsr && isr.length >= minIsr) return false;
  if (flags.atMinIsr && isr.length !== minIsr) return false;
  return true;
}

function headerLine({ topic, configs }: DescribedTopic): string {
  const configText = Object.entries(configs)
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
  return `Topic: ${topic.name}\tTopicId: ${topic.topicId}\tPartitionCount: ${topic.partitions.length}\tReplicationFactor: ${replicationFactor(topic)}\tConfigs: ${configText}\n`;
}

function partitionLines({ topic, partitions }: DescribedTopic): string {
  return partitions
    .map(
      ({ partition, leader, replicas, isr, elr, lastKnownElr }) =>
        `\tTopic: ${topic.name}\tPartition: ${partition}\tLeader: ${leader === -1 ? 'none' : leader}\tReplicas: ${replicas}\tIsr: ${isr}\tElr: ${elr}\tLastKnownElr: ${lastKnownElr}\n`,
    )
    .join('');
}

function topicValue({ topic, configs, partitions }: DescribedTopic): object {
  return {
    topic: topic.name,
    topicId: topic.topicId,
    partitionCount: topic.partitions.length,
    replicationFactor: replicationFactor(topic),
    configs,
    partitions: partitions.map((each) => ({
      partition: each.partition,
      leader: each.leader === -1 ? null : each.leader,
      leaderEpoch: each.leaderEpoch,
      replicas: each.replicas,
      isr: each.isr,
      elr: each.elr,
      lastKnownElr: each.lastKnownElr,
      partitionEpoch: each.partitionEpoch,
    })),
  };
}

function replicationFactor(topic: TopicInfo): number {
  return topic.partitions[0]?.replicas.length ?? 0;
}
