/** How far groups have come: OffsetCommit, OffsetFetch, OffsetDelete. Topics go by name in all of them. */
import type { Failure } from '@millrace/broker';
import { sleep, type TopicPartition } from '@millrace/core';
import type {
  CommittedOffset,
  OffsetCommitResponse,
  OffsetDeleteResponse,
  OffsetFetchResponse,
} from '@millrace/groups';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import { callerOf } from './group-caller.ts';
import type { Handler, Handlers, RequestFacts, Surroundings } from './handler.ts';
import { coordinatorErrorOf } from './wire-error.ts';

type FetchRequest = RequestOf<'offsetFetch'>;
/** One group that is asked for, in whichever version. */
interface AskedGroup extends Pick<FetchRequest['groups'][number], 'groupId' | 'memberId' | 'memberEpoch'> {
  readonly topics: FetchRequest['topics'];
}
interface AnsweredGroup {
  readonly asked: AskedGroup;
  readonly answer: OffsetFetchResponse;
}

/** From these versions of OffsetFetch on: a failure of the group has a place of its own; several groups. */
const OWN_FAILURE = 2;
const SEVERAL_GROUPS = 8;
/** Of one request, looked up at one time. */
const GROUPS_IN_TURN = 5_000;

export function groupOffsetHandlers(
  around: Surroundings,
): Pick<Handlers, 'offsetCommit' | 'offsetFetch' | 'offsetDelete'> {
  return {
    offsetCommit: commitHandler(around),
    offsetFetch: fetchHandler(around),
    offsetDelete: deleteHandler(around),
  };
}

function commitHandler({ broker: { groups } }: Surroundings): Handler<'offsetCommit'> {
  return {
    handle: async (request, facts) => {
      const { groupId, generationIdOrMemberEpoch, memberId, groupInstanceId, retentionTimeMs } = request;
      // Almost always there is room, and the commit takes effect inside this call.
      const room = groups.commitRoom();
      if (room !== undefined) await room;
      const { failure, offsets } = await groups.commitOffsets({
        ...callerOf(facts),
        groupId,
        generationIdOrMemberEpoch,
        memberId,
        groupInstanceId: groupInstanceId ?? undefined,
        retentionTimeMs,
        offsets: request.topics.flatMap(({ name, partitions }) =>
          partitions.map((asked) => ({
            topic: name,
            partition: asked.partitionIndex,
            offset: asked.committedOffset,
            leaderEpoch: asked.committedLeaderEpoch,
            metadata: asked.committedMetadata ?? '',
          })),
        ),
      });
      return failure === undefined ? { topics: outcomes(offsets) } : commitRefused(request, failure);
    },
    refuse: commitRefused,
  };
}

function commitRefused(
  { topics }: RequestOf<'offsetCommit'>,
  failure: Failure,
): ResponseDraftOf<'offsetCommit'> {
  const errorCode = coordinatorErrorOf(failure);
  return {
    topics: topics.map(({ name, partitions }) => ({
      name,
      partitions: partitions.map(({ partitionIndex }) => ({ partitionIndex, errorCode })),
    })),
  };
}

function fetchHandler({ broker: { groups }, clock }: Surroundings): Handler<'offsetFetch'> {
  const answered = async (asked: AskedGroup): Promise<AnsweredGroup> => ({
    asked,
    answer: await groups.fetchOffsets({
      groupId: asked.groupId,
      memberId: asked.memberId ?? '',
      memberEpoch: asked.memberEpoch,
      partitions: asked.topics === null ? undefined : partitionsOf(asked.topics),
    }),
  });
  return {
    handle: async (request, facts) => {
      const all = askedGroups(request, facts);
      const answers: AnsweredGroup[] = [];
      for (let first = 0; first < all.length; first += GROUPS_IN_TURN) {
        // Others are served in between.
        if (first > 0) await sleep(clock, 0);
        const some = all.slice(first, first + GROUPS_IN_TURN);
        answers.push(...(await Promise.all(some.map(answered))));
      }
      return fetched(answers, facts);
    },
    refuse: (request, failure, facts) => {
      const answer = { failure, offsets: [] };
      return fetched(
        askedGroups(request, facts).map((asked) => ({ asked, answer })),
        facts,
      );
    },
  };
}

/** Of a group that is named twice the later naming counts. */
function askedGroups(request: FetchRequest, { version }: RequestFacts): readonly AskedGroup[] {
  if (version >= SEVERAL_GROUPS)
    return [...new Map(request.groups.map((asked) => [asked.groupId, asked])).values()];
  const { groupId, topics } = request;
  return [{ groupId, memberId: null, memberEpoch: -1, topics }];
}

/** Each once, however often it is named: metadata is a thousand times as long as the number that asks for it. */
function partitionsOf(topics: NonNullable<AskedGroup['topics']>): TopicPartition[] {
  const indexes = new Map<string, Set<number>>();
  for (const { name, partitionIndexes } of topics) {
    const known = indexes.get(name);
    if (known === undefined) indexes.set(name, new Set(partitionIndexes));
    else for (const index of partitionIndexes) known.add(index);
  }
  return [...indexes].flatMap(([topic, set]) => Array.from(set, (partition) => ({ topic, partition })));
}

function fetched(
  answers: readonly AnsweredGroup[],
  { version }: RequestFacts,
): ResponseDraftOf<'offsetFetch'> {
  if (version >= SEVERAL_GROUPS)
    return { groups: answers.map((one) => ({ groupId: one.asked.groupId, ...fetchedGroup(one) })) };
  const [only] = answers;
  const { asked, answer } = only!;
  if (answer.failure === undefined || version >= OWN_FAILURE) return fetchedGroup(only!);
  // The oldest clients look for a failure at each partition.
  const offsets = partitionsOf(asked.topics ?? []).map(nothingOf);
  return { topics: shown(offsets, coordinatorErrorOf(answer.failure)) };
}

function nothingOf({ topic, partition }: TopicPartition): CommittedOffset {
  return { topic, partition, offset: -1, leaderEpoch: -1, metadata: '', committedAtMs: -1 };
}

function fetchedGroup({ answer: { failure, offsets } }: AnsweredGroup) {
  return { topics: shown(offsets, coordinatorErrorOf(undefined)), errorCode: coordinatorErrorOf(failure) };
}

function shown(offsets: readonly CommittedOffset[], errorCode: number) {
  return byTopic(offsets, ({ partition, offset, leaderEpoch, metadata }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: leaderEpoch,
    metadata,
    errorCode,
  }));
}

function deleteHandler({ broker: { groups } }: Surroundings): Handler<'offsetDelete'> {
  return {
    handle: async ({ groupId, topics }) => {
      const partitions = topics.flatMap(({ name, partitions: asked }) =>
        asked.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
      );
      return deleted(await groups.deleteOffsets({ groupId, partitions }));
    },
    refuse: (_request, failure) => deleted({ failure, offsets: [] }),
  };
}

function deleted({ failure, offsets }: OffsetDeleteResponse): ResponseDraftOf<'offsetDelete'> {
  return { errorCode: coordinatorErrorOf(failure), topics: outcomes(offsets) };
}

function outcomes(offsets: OffsetCommitResponse['offsets']) {
  return byTopic(offsets, ({ partition, failure }) => ({
    partitionIndex: partition,
    errorCode: coordinatorErrorOf(failure),
  }));
}

/** Topics in the order in which they first come up. */
function byTopic<T extends { readonly topic: string }, P>(
  items: readonly T[],
  shape: (item: T) => P,
): { readonly name: string; readonly partitions: readonly P[] }[] {
  const topics = new Map<string, P[]>();
  for (const item of items) {
    const partitions = topics.get(item.topic);
    if (partitions === undefined) topics.set(item.topic, [shape(item)]);
    else partitions.push(shape(item));
  }
  return Array.from(topics, ([name, partitions]) => ({ name, partitions }));
}
