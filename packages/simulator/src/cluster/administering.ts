/** An administrator's day: topics come, grow and go, settings change, records are deleted, leaders are elected. */
import type { Admin } from '@millrace/client';
import { below, formatTopicPartition, type SeededRandom, sleep, unit } from '@millrace/core';
import { exponential } from '../world/exponential.ts';
import { type CrewMember, codeOf } from './client-crew.ts';
import type { TopicInput } from './metadata-history.ts';

const PAUSE_MEAN_MS = 700;
const CALL_TIMEOUT_MS = 8_000;
const NAMES = ['passing-a', 'passing-b'];
const PARTITIONS_MAX = 4;

export async function administer(member: CrewMember): Promise<void> {
  const { life, millrace, random, crew } = member;
  const admin = millrace.admin();
  while (!crew.isDone) {
    await sleep(life.clock, exponential(random, PAUSE_MEAN_MS));
    const kind = unit(random);
    if (kind < 0.55) await changeTopic(member, admin);
    else if (kind < 0.7) await tried(member, () => deleteRecords(member, admin));
    else if (kind < 0.8) await tried(member, () => admin.electLeaders('preferred', [], limits));
    else if (kind < 0.9) await tried(member, () => admin.alterConfigs([configChange(member)], limits));
    else await tried(member, () => admin.describeCluster(limits));
  }
}

const limits = { timeoutMs: CALL_TIMEOUT_MS };

async function tried({ crew }: CrewMember, call: () => Promise<unknown>): Promise<string> {
  crew.open += 1;
  crew.counts.calls += 1;
  try {
    await call();
    return 'ok';
  } catch (error) {
    crew.counts.failedCalls += 1;
    return codeOf(error);
  } finally {
    crew.open -= 1;
  }
}

async function changeTopic(member: CrewMember, admin: Admin): Promise<void> {
  const { random, crew } = member;
  const name = NAMES[below(random, NAMES.length)]!;
  const input = drawChange(random);
  const answered = crew.metadata.begin(name, input, crew.world.nowMs);
  const answer = await tried(member, () => {
    if (input.kind === 'delete') return admin.deleteTopic(name, limits);
    if (input.kind === 'grow') {
      return admin.createPartitions([{ topic: name, totalCount: input.partitions }], limits);
    }
    return admin.createTopic({ name, partitions: input.partitions, replicationFactor: 2 }, limits);
  });
  answered(answer, crew.world.nowMs);
}

function drawChange(random: SeededRandom): TopicInput {
  const partitions = 1 + below(random, PARTITIONS_MAX);
  const kind = below(random, 3);
  if (kind === 0) return { kind: 'delete' };
  return { kind: kind === 1 ? 'create' : 'grow', partitions };
}

/** Up to an offset that some record was acknowledged at: what is deleted must not count as lost. */
async function deleteRecords({ random, crew }: CrewMember, admin: Admin): Promise<void> {
  const acknowledged = crew.history.sent.filter(({ offset }) => offset > 0);
  const sent = acknowledged[below(random, acknowledged.length)];
  const topic = crew.strictTopics[below(random, crew.strictTopics.length)]!;
  const partition = below(random, topic.partitions);
  const key = formatTopicPartition({ topic: topic.name, partition });
  if (sent === undefined || sent.partition !== key) return;
  crew.history.moveLogStart(key, sent.offset);
  crew.deletedUpTo.set(key, Math.max(sent.offset, crew.deletedUpTo.get(key) ?? 0));
  await admin.deleteRecords([{ topic: topic.name, partition, before: sent.offset }], limits);
}

/** Settings that change how records are kept, never whether. */
function configChange({ random, crew }: CrewMember) {
  const { name } = crew.layout.topics[below(random, crew.layout.topics.length)]!;
  const resource = { kind: 'topic' as const, name };
  if (below(random, 2) === 0)
    return { resource, name: 'segment.bytes', value: 1_024 * (1 + below(random, 64)) };
  return { resource, name: 'index.interval.bytes', value: below(random, 4_096) };
}
