/** How scenario scripts show ids, answers, records and groups: short, and the same in every run. */
import { decodeAssignmentOf } from '../consumer-protocol.ts';
import type {
  DescribedAssignment,
  DescribedGroup,
  GroupEvent,
  GroupFailure,
  MemberPause,
} from '../group-api.ts';
import type { GroupAnswer, GroupRequestName, GroupRequests } from '../group-coordinator.ts';
import type { GroupRecord } from '../group-record.ts';

/** Clients by name and the ids that they were given. */
export class ScenarioNames {
  readonly #given = new Map<string, number>();
  readonly #idOfName = new Map<string, string>();
  readonly #nameOfId = new Map<string, string>();

  /** An id is shown as its client's name from now on, a later one of the same client with a number. */
  see(who: string, memberId: string): void {
    if (this.#nameOfId.has(memberId)) return;
    const number = (this.#given.get(who) ?? 0) + 1;
    this.#given.set(who, number);
    this.#nameOfId.set(memberId, number === 1 ? who : `${who}.${number}`);
    this.#idOfName.set(`${who}.${number}`, memberId);
  }

  /** The client knows its id from now on. Earlier ones are `A.1`, `A.2` in commands. */
  learn(who: string, memberId: string): void {
    this.see(who, memberId);
    this.#idOfName.set(who, memberId);
  }

  /** Empty for a client that has none; any other word stands for itself. */
  idOf(name: string): string {
    const known = this.#idOfName.get(name);
    if (known !== undefined) return known;
    return /^[A-Z]/.test(name) ? '' : name;
  }

  show(text: string): string {
    let shown = text;
    for (const [memberId, name] of this.#nameOfId) shown = shown.replaceAll(memberId, name);
    return shown;
  }
}

export function showAnswer(
  name: GroupRequestName,
  response: GroupAnswer['response'],
  names: ScenarioNames,
): string {
  const text = SHOWN[name]?.(response as never) ?? 'ok';
  const { failure } = response;
  return names.show(failure === undefined ? text : `${failure.code}${text === 'ok' ? '' : ` ${text}`}`);
}

type Shown = { readonly [N in GroupRequestName]?: (response: GroupRequests[N]['response']) => string };

const SHOWN: Shown = {
  joinGroup: ({ failure, memberId, generationId, protocolName, leader, members, skipAssignment }) => {
    if (failure !== undefined) return failure.code === 'MEMBER_ID_REQUIRED' ? memberId : 'ok';
    const led = members.length === 0 ? '' : ` of ${members.map((member) => member.memberId).join(' ')}`;
    const skip = skipAssignment ? ' skip' : '';
    return `joined as ${memberId} generation=${generationId} protocol=${protocolName} leader=${leader}${led}${skip}`;
  },
  syncGroup: ({ failure, assignment }) => (failure === undefined ? showAssignment(assignment) : 'ok'),
  leaveGroup: ({ members }) => members.map(({ failure }) => failure?.code ?? 'left').join(' '),
  offsetCommit: ({ offsets }) => showOffsets(offsets),
  offsetDelete: ({ offsets }) => showOffsets(offsets),
};

function showOffsets(
  offsets: readonly {
    readonly topic: string;
    readonly partition: number;
    readonly failure?: GroupFailure | undefined;
  }[],
): string {
  if (offsets.length === 0) return 'ok';
  return offsets
    .map(({ topic, partition, failure }) => `${topic}:${partition} ${failure?.code ?? 'ok'}`)
    .join(', ');
}

function showAssignment(bytes: Buffer): string {
  const list = decodeAssignmentOf(bytes) ?? [];
  if (list.length === 0) return 'assigned nothing';
  return `assigned ${list.map(({ topic, partitions }) => `${topic}:${partitions.join(',')}`).join(' ')}`;
}

export function showRecord(record: GroupRecord, names: ScenarioNames): string {
  const { kind, groupId, value } = record;
  if (kind === 'offset') {
    const what = value === undefined ? 'removed' : String(value.offset);
    return `${kind} ${groupId} ${record.topic}:${record.partition} ${what}`;
  }
  if (value === undefined) return `${kind} ${groupId} removed`;
  if (kind !== 'classic-group') return `${kind} ${groupId}`;
  const members = value.members.map(
    ({ memberId, assignment }) => `${memberId}(${showAssignment(assignment)})`,
  );
  const shown = members.length === 0 ? 'empty' : `leader=${value.leader} ${members.join(' ')}`;
  return names.show(`${kind} ${groupId} generation=${value.generation} ${shown}`);
}

export function showGroup(group: DescribedGroup, names: ScenarioNames): readonly string[] {
  if (group.failure !== undefined) return [`${group.failure.code} ${group.state}`];
  const head = `${group.type} ${group.state} generation=${group.epoch} assignor=${group.assignor}`;
  const members = group.members.map((member) => {
    const instance = member.groupInstanceId === undefined ? '' : ` instance=${member.groupInstanceId}`;
    const reads = member.subscribedTopicNames.join(',');
    return names.show(
      `  ${member.memberId}${instance} reads ${reads}${showMoves(' holds', member.assignment)}`,
    );
  });
  return [head, ...members];
}

export function showEvent(event: GroupEvent, names: ScenarioNames): string {
  const who = event.memberId === '' ? '' : ` ${event.memberId}`;
  const moved = `${showMoves(' +', event.gained)}${showMoves(' -', event.lost)}`;
  const waited = event.withoutMs < 0 ? '' : ` after ${event.withoutMs} ms`;
  return names.show(`[${event.epoch}] ${event.kind}${who}: ${event.cause}${moved}${waited}`);
}

export function showPause(pause: MemberPause, names: ScenarioNames): string {
  const { memberId, rebalances, waitedMs, longestWaitMs } = pause;
  return names.show(
    `${memberId} waited ${waitedMs} ms in ${rebalances} rebalances, longest ${longestWaitMs} ms`,
  );
}

function showMoves(sign: string, list: readonly DescribedAssignment[]): string {
  return list.map(({ topic, partitions }) => `${sign} ${topic}:${partitions.join(',')}`).join('');
}
