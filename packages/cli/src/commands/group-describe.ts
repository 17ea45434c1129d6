/** `group describe`, and its parts by name: `members`, `state`, `lag`. Headings are those of Kafka's tool. */
import type { BrokerInfo, GroupInfo, GroupLag, GroupMember, TopicPartition } from '@millrace/client';
import { MillraceError } from '@millrace/core';
import { type Column, printColumns } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { quotedName } from '../printable.ts';
import { formatSpan } from '../quantities.ts';
import { type Settled, settleEach, throwFailures } from '../settle.ts';
import { chosenGroups } from './group-list.ts';

interface LagRow extends GroupLag {
  readonly groupId: string;
  /** Who holds the partition; undefined for nobody. */
  readonly member: GroupMember | undefined;
}

interface MemberRow extends GroupMember {
  readonly groupId: string;
}

export interface CoordinatorPlace {
  /** null where the cluster does not know the address (any more). */
  readonly id: number | null;
  readonly host: string;
  readonly port: number;
}

interface StateRow extends GroupInfo {
  readonly place: CoordinatorPlace;
}

const LAG_COLUMNS: readonly Column<LagRow>[] = [
  { heading: 'GROUP', isName: true, cell: (row) => row.groupId },
  { heading: 'TOPIC', isName: true, cell: (row) => row.topic },
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
  { heading: 'CONSUMER-ID', isName: true, cell: (row) => row.member?.memberId },
  { heading: 'HOST', isName: true, cell: (row) => row.member?.clientHost },
  { heading: 'CLIENT-ID', isName: true, cell: (row) => row.member?.clientId },
  {
    heading: 'GROUP-INSTANCE-ID',
    isName: true,
    wide: true,
    cell: (row) => row.member?.groupInstanceId ?? undefined,
  },
];

const MEMBER_COLUMNS: readonly Column<MemberRow>[] = [
  { heading: 'GROUP', isName: true, cell: (row) => row.groupId },
  { heading: 'CONSUMER-ID', isName: true, cell: (row) => row.memberId },
  { heading: 'GROUP-INSTANCE-ID', isName: true, wide: true, cell: (row) => row.groupInstanceId ?? undefined },
  { heading: 'HOST', isName: true, cell: (row) => row.clientHost },
  { heading: 'CLIENT-ID', isName: true, cell: (row) => row.clientId },
  { heading: '#PARTITIONS', align: 'right', cell: (row) => row.assignment.length },
  { heading: 'RACK', isName: true, wide: true, cell: (row) => row.rackId },
  { heading: 'EPOCH', align: 'right', wide: true, cell: (row) => row.memberEpoch },
  { heading: 'SUBSCRIPTION', wide: true, cell: subscriptionOf },
  { heading: 'ASSIGNMENT', wide: true, cell: (row) => partitionsText(row.assignment) },
  { heading: 'TARGET-ASSIGNMENT', wide: true, cell: (row) => partitionsText(row.targetAssignment) },
];

const STATE_COLUMNS: readonly Column<StateRow>[] = [
  { heading: 'GROUP', isName: true, cell: (row) => row.groupId },
  { heading: 'COORDINATOR (ID)', cell: (row) => placeText(row.place) },
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
  const { done: groups, failures } = await describe(context, groupIds);
  const rows = await lagRows(context, groups);
  for (const { groupId, state, members } of groups)
    if (members.length === 0)
      context.note(`Group ${quotedName(groupId)} has no members; its state is ${state}.`);
  await context.show({
    value: { groups: groups.map((group) => ({ ...groupValue(group), offsets: offsetsOf(rows, group) })) },
    text: (wide) => printColumns([...LAG_COLUMNS, ...READER_COLUMNS], rows, { wide }),
    names: () => rows.map(({ topic, partition, committed }) => `${topic}:${partition}:${committed ?? ''}`),
  });
  tellBeyondEnd(context, rows);
  throwFailures(failures);
}

export async function showLag(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const { done: groups, failures } = await describe(context, groupIds);
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
  tellBeyondEnd(context, rows);
  throwFailures(failures);
}

export async function showMembers(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const { done: groups, failures } = await describe(context, groupIds);
  const rows = groups.flatMap(({ groupId, members }) => members.map((member) => ({ ...member, groupId })));
  await context.show({
    value: { groups: groups.map(groupValue) },
    text: (wide) => printColumns(MEMBER_COLUMNS, rows, { wide }),
    names: () => rows.map(({ memberId }) => memberId),
  });
  throwFailures(failures);
}

export async function showStates(
  context: CommandContext,
  _flags: object,
  groupIds: readonly string[],
): Promise<void> {
  const { done: groups, failures } = await describe(context, groupIds);
  const { brokers } = await context.admin().describeCluster(context.callOptions());
  const rows = groups.map((group) => ({ ...group, place: coordinatorPlace(group, brokers) }));
  await context.show({
    value: { groups: rows.map((group) => ({ ...groupValue(group), coordinator: group.place })) },
    text: (wide) => printColumns(STATE_COLUMNS, rows, { wide }),
    names: () => groups.map(({ groupId }) => groupId),
  });
  throwFailures(failures);
}

/** `orders:0,1,2;payments:3`, as Kafka's tool writes assignments. */
export function partitionsText(partitions: readonly TopicPartition[]): string {
  const byTopic = new Map<string, number[]>();
  for (const { topic, partition } of partitions)
    byTopic.set(topic, [...(byTopic.get(topic) ?? []), partition]);
  return Array.from(byTopic, ([topic, numbers]) => `${topic}:${numbers.join(',')}`).join(';');
}

/** Those that there are, and the failures of the others. Where none was named, one that is gone since is none. */
async function describe(context: CommandContext, groupIds: readonly string[]): Promise<Settled<GroupInfo>> {
  const chosen = await chosenGroups(context, groupIds);
  if (chosen.length === 0) return { done: [], failures: [] };
  const ask = (some: readonly string[]) => context.admin().describeGroups(some, context.callOptions());
  try {
    return { done: await ask(chosen), failures: [] };
  } catch (error) {
    const failures = error instanceof AggregateError ? error.errors : [error];
    if (chosen.length === 1 || !failures.some(isMissing)) throw error;
    const { done, failures: left } = await settleEach(chosen, (groupId) => ask([groupId]));
    const told = groupIds.length > 0 ? left : left.filter((failure) => !isMissing(failure));
    if (done.length === 0) throwFailures(told);
    return { done: done.flat(), failures: told };
  }
}

function isMissing(error: unknown): boolean {
  return error instanceof MillraceError && error.code === 'GROUP_ID_NOT_FOUND';
}

/** What a group has committed and the log never held: whoever reads on begins where auto.offset.reset says. */
function tellBeyondEnd(context: CommandContext, rows: readonly LagRow[]): void {
  for (const { groupId, topic, partition, committed, logEnd, lag } of rows) {
    if (lag === null || lag >= 0n) continue;
    const place = `${topic}-${partition}: committed ${committed} is beyond the log end ${logEnd}`;
    context.note(`warning: ${place} (group ${quotedName(groupId)}).`);
  }
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

/** Of those that are known and have something left: what lies beyond the end of one log makes up for no other. */
function totalOf(offsets: readonly GroupLag[]): { totalLag: bigint; maxLagMs: number | null } {
  const times = offsets.flatMap(({ lagMs }) => lagMs ?? []);
  return {
    totalLag: offsets.reduce((sum, { lag }) => sum + (lag !== null && lag > 0n ? lag : 0n), 0n),
    maxLagMs: times.length === 0 ? null : times.reduce((most, ms) => Math.max(most, ms), 0),
  };
}

function groupValue(group: GroupInfo): object {
  const { groupId, type, protocolType, state, epoch, assignmentEpoch, assignor, members } = group;
  return { groupId, type, protocolType, state, epoch, assignmentEpoch, assignor, members };
}

export function coordinatorPlace(
  { coordinator: { host, port } }: GroupInfo,
  brokers: readonly BrokerInfo[],
): CoordinatorPlace {
  const id = brokers.find((broker) => broker.host === host && broker.port === port)?.id;
  return { id: id ?? null, host, port };
}

/** `host:port (id)` */
function placeText({ id, host, port }: CoordinatorPlace): string {
  return id === null ? `${host}:${port}` : `${host}:${port} (${id})`;
}

function subscriptionOf({ subscribedTopics, subscribedTopicRegex }: GroupMember): string {
  const pattern = subscribedTopicRegex === '' ? [] : [`/${subscribedTopicRegex}/`];
  return [...subscribedTopics, ...pattern].join(',');
}
