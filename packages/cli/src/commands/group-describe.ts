/** `group describe`, and its parts by name: `members`, `state`, `lag`. Headings are those of Kafka's tool. */
import type { BrokerInfo, GroupInfo, GroupLag, GroupMember, TopicPartition } from '@millrace/client';
import { type Column, printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { formatSpan } from '../quantities.ts';
import { chosenGroups } from './group-list.ts';

interface LagRow extends GroupLag {
  readonly groupId: string;
  /** Who holds the partition; undefined for nobody. */
  readonly member: GroupMember | undefined;
}

interface MemberRow extends GroupMember {
  readonly groupId: string;
}

interface StateRow extends GroupInfo {
  /** `host:port (id)`. */
  readonly place: string;
}

const LAG_COLUMNS: readonly Column<LagRow>[] = [
  { heading: 'GROUP', cell: (row) => row.groupId },
  { heading: 'TOPIC', cell: (row) => row.topic },
  { heading: 'PARTITION', align: 'right', cell: (row) => row.partition },
  { heading: 'CURRENT-OFFSET', align: 'right', cell: (row) => row.committed ?? undefined },
  { heading: 'LOG-START-OFFSET', align: 'right', wide: true, cell: (row) => row.logStart ?? undefined },
  { heading: 'LOG-END-OFFSET', align: 'right', cell: (row) => row.logEnd ?? undefined },
  { heading: 'LAG', align: 'right', cell: (row) => row.lag ?? undefined },
  {
    heading: 'TIME-LAG',
    align: 'right',
    cell: (row) => (row.lagMs === null ? undefined : formatSpan(row.lagMs)),
  },
];

const READER_COLUMNS: readonly Column<LagRow>[] = [
  { heading: 'CONSUMER-ID', cell: (row) => row.member?.memberId },
  { heading: 'HOST', cell: (row) => row.member?.clientHost },
  { heading: 'CLIENT-ID', cell: (row) => row.member?.clientId },
  { heading: 'GROUP-INSTANCE-ID', wide: true, cell: (row) => row.member?.groupInstanceId ?? undefined },
];

const MEMBER_COLUMNS: readonly Column<MemberRow>[] = [
  { heading: 'GROUP', cell: (row) => row.groupId },
  { heading: 'CONSUMER-ID', cell: (row) => row.memberId },
  { heading: 'GROUP-INSTANCE-ID', wide: true, cell: (row) => row.groupInstanceId ?? undefined },
  { heading: 'HOST', cell: (row) => row.clientHost },
  { heading: 'CLIENT-ID', cell: (row) => row.clientId },
  { heading: '#PARTITIONS', align: 'right', cell: (row) => row.assignment.length },
  { heading: 'RACK', wide: true, cell: (row) => row.rackId },
  { heading: 'EPOCH', align: 'right', wide: true, cell: (row) => row.memberEpoch },
  { heading: 'SUBSCRIPTION', wide: true, cell: subscriptionOf },
  { heading: 'ASSIGNMENT', wide: true, cell: (row) => partitionsText(row.assignment) },
  { heading: 'TARGET-ASSIGNMENT', wide: true, cell: (row) => partitionsText(row.targetAssignment) },
];

const STATE_COLUMNS: readonly Column<StateRow>[] = [
  { heading: 'GROUP', cell: (row) => row.groupId },
  { heading: 'COORDINATOR (ID)', cell: (row) => row.place },
  { heading: 'ASSIGNMENT-STRATEGY', cell: (row) => row.assignor },
  { heading: 'STATE', cell: (row) => row.state },
  { heading: 'TYPE', wide: true, cell: (row) => row.type },
  { heading: 'GROUP-EPOCH', align: 'right', wide: true, cell: (row) => row.epoch },
  { heading: 'TARGET-ASSIGNMENT-EPOCH', align: 'right', wide: true, cell: (row) => row.assignmentEpoch },
  { heading: '#MEMBERS', align: 'right', cell: (row) => row.members.length },
];

export async function describeGroups(
  context: CommandContext,
  flags: { readonly members?: boolean; readonly state?: boolean },
  groupIds: readonly string[],
): Promise<void> {
  if (flags.members) return showMembers(context, {}, groupIds);
  if (flags.state) return showStates(context, {}, groupIds);
  const groups = await describe(context, groupIds);
  const rows = await lagRows(context, groups);
  for (const { groupId, state, members } of groups)
    if (members.length === 0) context.note(`Group ${groupId} has no members; its state is ${state}.`);
  await context.show({
    value: { groups: groups.map((group) => ({ ...groupValue(group), offsets: offsetsOf(rows, group) })) },
    text: (wide) => printColumns([...LAG_COLUMNS, ...READER_COLUMNS], rows, { wide }),
    names: () => rows.map(({ topic, partition, committed }) => `${topic}:${partition}:${committed ?? ''}`),
  });
}

export async function showLag(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const groups = await describe(context, groupIds);
  const rows = await lagRows(context, groups);
  await context.show({
    value: {
      groups: groups.map((group) => {
        const offsets = offsetsOf(rows, group);
        return { groupId: group.groupId, state: group.state, ...totalOf(offsets), offsets };
      }),
    },
    text: (wide) => printColumns(LAG_COLUMNS, rows, { wide }),
    names: () => rows.map(({ topic, partition, lag }) => `${topic}:${partition}:${lag ?? ''}`),
  });
}

export async function showMembers(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const groups = await describe(context, groupIds);
  const rows = groups.flatMap(({ groupId, members }) => members.map((member) => ({ ...member, groupId })));
  await context.show({
    value: { groups: groups.map(groupValue) },
    text: (wide) => printColumns(MEMBER_COLUMNS, rows, { wide }),
    names: () => rows.map(({ memberId }) => memberId),
  });
}

export async function showStates(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const groups = await describe(context, groupIds);
  const { brokers } = await context.admin().describeCluster(context.callOptions());
  const rows = groups.map((group) => ({ ...group, place: placeOf(group, brokers) }));
  await context.show({
    value: { groups: groups.map((group) => ({ ...groupValue(group), coordinator: group.coordinator })) },
    text: (wide) => printColumns(STATE_COLUMNS, rows, { wide }),
    names: () => groups.map(({ groupId }) => groupId),
  });
}

/** `orders:0,1,2;payments:3`, as Kafka's tool writes assignments. */
export function partitionsText(partitions: readonly TopicPartition[]): string {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions)
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return Array.from(byTopic, ([topic, numbers]) => `${topic}:${numbers.join(',')}`).join(';');
}

async function describe(context: CommandContext, groupIds: readonly string[]): Promise<GroupInfo[]> {
  const chosen = await chosenGroups(context, groupIds);
  return chosen.length === 0 ? [] : context.admin().describeGroups(chosen, context.callOptions());
}

async function lagRows(context: CommandContext, groups: readonly GroupInfo[]): Promise<LagRow[]> {
  const rows: LagRow[] = [];
  for (const { groupId, members } of groups) {
    const lags = await context.admin().groupLag(groupId, undefined, context.callOptions());
    for (const lag of lags) rows.push({ ...lag, groupId, member: readerOf(members, lag) });
  }
  return rows;
}

function readerOf(
  members: readonly GroupMember[],
  { topic, partition }: TopicPartition,
): GroupMember | undefined {
  return members.find(({ assignment }) =>
    assignment.some((held) => held.topic === topic && held.partition === partition),
  );
}

function offsetsOf(rows: readonly LagRow[], { groupId }: GroupInfo): object[] & GroupLag[] {
  return rows
    .filter((row) => row.groupId === groupId)
    .map(({ groupId: _, member, ...lag }) => ({ ...lag, memberId: member?.memberId ?? null }));
}

/** Of those that are known. */
function totalOf(offsets: readonly GroupLag[]): { totalLag: bigint; maxLagMs: number | null } {
  const times = offsets.flatMap(({ lagMs }) => lagMs ?? []);
  return {
    totalLag: offsets.reduce((sum, { lag }) => sum + (lag ?? 0n), 0n),
    maxLagMs: times.length === 0 ? null : times.reduce((most, ms) => Math.max(most, ms), 0),
  };
}

function groupValue(group: GroupInfo): object {
  const { groupId, type, protocolType, state, epoch, assignmentEpoch, assignor, members } = group;
  return { groupId, type, protocolType, state, epoch, assignmentEpoch, assignor, members };
}

function placeOf({ coordinator: { host, port } }: GroupInfo, brokers: readonly BrokerInfo[]): string {
  const id = brokers.find((broker) => broker.host === host && broker.port === port)?.id;
  return id === undefined ? `${host}:${port}` : `${host}:${port} (${id})`;
}

function subscriptionOf({ subscribedTopics, subscribedTopicRegex }: GroupMember): string {
  const pattern = subscribedTopicRegex === '' ? [] : [`/${subscribedTopicRegex}/`];
  return [...subscribedTopics, ...pattern].join(',');
}
