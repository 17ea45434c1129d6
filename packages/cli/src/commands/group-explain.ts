/** `group explain`: the recent history of a group as a time line, and what it cost its members. */
import type { GroupEvent, GroupHistory, MemberPause } from '@millrace/client';
import { type Column, printColumns, printFields } from '../column-printer.ts';
import type { CommandContext } from '../command-context.ts';
import { formatSpan } from '../quantities.ts';
import { type CoordinatorPlace, coordinatorPlace, partitionsText } from './group-describe.ts';
import { checkGroupNames } from './group-list.ts';

export async function explainGroup(context: CommandContext, _flags: object, groupId: string): Promise<void> {
  checkGroupNames([groupId]);
  const history = await context.admin().explainGroup(groupId, context.callOptions());
  const coordinator = await coordinatorOf(context, groupId);
  await context.show({
    value: {
      ...history,
      coordinator,
      events: history.events.map(({ atMs, ...event }) => ({ at: timeOf(atMs), ...event })),
    },
    text: (wide) => beginningText(history, coordinator) + historyText(history, wide),
    names: () => [groupId],
  });
}

/** Only for people to know whom to ask; null where it cannot be told. */
async function coordinatorOf(context: CommandContext, groupId: string): Promise<CoordinatorPlace | null> {
  const admin = context.admin();
  const asked = Promise.all([
    admin.describeGroups([groupId], context.callOptions()),
    admin.describeCluster(context.callOptions()),
  ]);
  const [groups, cluster] = (await asked.catch(() => undefined)) ?? [];
  const group = groups?.[0];
  return group === undefined || cluster === undefined ? null : coordinatorPlace(group, cluster.brokers);
}

/** A history that began with a change of the coordinator says so first: before it, much may have happened. */
function beginningText({ events }: GroupHistory, coordinator: CoordinatorPlace | null): string {
  if (events[0]?.kind !== 'loaded') return '';
  const node = coordinator === null || coordinator.id === null ? '' : ` (node ${coordinator.id})`;
  return `A new coordinator${node} read the group from its log at ${timeOf(events[0].atMs)}; what happened before is not kept.\n\n`;
}

function historyText(history: GroupHistory, wide: boolean): string {
  const { groupId, type, state, events, droppedEvents, members } = history;
  const nameOf = memberNames(history);
  const fields: [string, unknown][] = [
    ['Group', groupId],
    ['Type', type],
    ['State', state],
  ];
  if (droppedEvents > 0) fields.push(['Earlier events', `${droppedEvents}, not kept`]);
  if (events.length === 0) {
    fields.push(['Events', 'none since this coordinator took the group over']);
    return printFields(fields);
  }
  const columns: readonly Column<GroupEvent>[] = [
    { heading: 'TIME', cell: (event) => timeOf(event.atMs) },
    { heading: 'EPOCH', align: 'right', cell: (event) => event.epoch },
    { heading: 'EVENT', cell: (event) => event.kind },
    { heading: 'MEMBER', isName: true, cell: (event) => nameOf(event.memberId) },
    { heading: 'CONSUMER-ID', isName: true, wide: true, cell: (event) => event.memberId },
    { heading: 'PARTITIONS', cell: movesOf },
    {
      heading: 'WITHOUT',
      align: 'right',
      cell: ({ withoutMs }) => (withoutMs === null ? undefined : formatSpan(withoutMs)),
    },
    { heading: 'CAUSE', cell: (event) => event.cause },
  ];
  const timeLine = printColumns(columns, events, { wide });
  return `${printFields(fields)}\n${timeLine}${pausesText(members, nameOf, wide)}`;
}

function pausesText(
  members: readonly MemberPause[],
  nameOf: (memberId: string) => string,
  wide: boolean,
): string {
  if (members.length === 0) return '';
  const columns: readonly Column<MemberPause>[] = [
    { heading: 'MEMBER', isName: true, cell: (member) => nameOf(member.memberId) },
    { heading: 'CONSUMER-ID', isName: true, wide: true, cell: (member) => member.memberId },
    { heading: 'REBALANCES', align: 'right', cell: (member) => member.rebalances },
    { heading: 'WITHOUT-PARTITIONS', align: 'right', cell: (member) => formatSpan(member.waitedMs) },
    { heading: 'LONGEST', align: 'right', cell: (member) => formatSpan(member.longestWaitMs) },
  ];
  return `\n${printColumns(columns, members, { wide })}`;
}

/** What people call a member: its instance or client id, with the beginning of its own where several share that. */
function memberNames({ events, members }: GroupHistory): (memberId: string) => string {
  const given = new Map<string, string>();
  for (const { memberId, clientId } of members) if (clientId !== '') given.set(memberId, clientId);
  for (const { memberId, clientId, groupInstanceId } of events) {
    const name = groupInstanceId === '' ? clientId : groupInstanceId;
    if (memberId !== '' && name !== '') given.set(memberId, name);
  }
  const uses = new Map<string, number>();
  for (const name of given.values()) uses.set(name, (uses.get(name) ?? 0) + 1);
  return (memberId) => {
    const name = given.get(memberId) ?? memberId;
    return (uses.get(name) ?? 0) > 1 ? `${name}/${memberId.slice(0, 8)}` : name;
  };
}

/** `+orders:0,1 -orders:2` */
function movesOf({ gained, lost }: GroupEvent): string {
  return [gained.length > 0 && `+${partitionsText(gained)}`, lost.length > 0 && `-${partitionsText(lost)}`]
    .filter((part) => part !== false)
    .join(' ');
}

function timeOf(atMs: number): string {
  return new Date(atMs).toISOString();
}
