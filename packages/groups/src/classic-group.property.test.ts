import { invariant } from '@millrace/core';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  decodeAssignmentOf,
  eachPartition,
  encodeAssignmentOf,
  encodeSubscriptionOf,
} from './consumer-protocol.ts';
import type { JoinGroupResponse, SyncGroupResponse } from './group-api.ts';
import type { GroupRequestName, GroupRequests } from './group-coordinator.ts';
import { TestCoordinator } from './testing/test-coordinator.ts';
import { TestTopics } from './testing/topics.ts';

const PARTITIONS = 6;
const SESSION_MS = 10_000;
const REBALANCE_MS = 20_000;

/** What a client does next; what that means depends on what it knows. */
const action = fc.oneof(
  { weight: 8, arbitrary: fc.record({ kind: fc.constant('act' as const), client: fc.nat({ max: 3 }) }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('commit' as const), client: fc.nat({ max: 3 }) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('pass' as const), ms: fc.nat({ max: 12_000 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('leave' as const), client: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restart' as const), client: fc.nat({ max: 3 }) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('hold' as const), held: fc.boolean() }) },
  { weight: 1, arbitrary: fc.constant({ kind: 'failover' as const }) },
);

class Client {
  memberId = '';
  generation = -1;
  /** A join or a sync is under way. */
  waitsFor: number | undefined;
  needs: 'join' | 'sync' | 'nothing' = 'join';
  ledMembers: readonly string[] = [];
  holds: readonly number[] = [];
  readonly name: string;
  readonly instance: string | undefined;

  constructor(index: number) {
    this.name = `C${index}`;
    this.instance = index >= 2 ? `i${index}` : undefined;
  }

  forget(): void {
    this.memberId = '';
    this.rejoin();
  }

  rejoin(): void {
    this.generation = -1;
    this.needs = 'join';
    this.holds = [];
    this.waitsFor = undefined;
  }
}

/** Clients that follow the protocol, and what must hold of all that they are told. */
class World {
  readonly clients = [0, 1, 2, 3].map((index) => new Client(index));
  readonly #asked = new Map<number, { readonly name: GroupRequestName; readonly client: Client }>();
  /** By partition: the last offset whose commit was acknowledged. */
  readonly #acknowledged = new Map<number, number>();
  /** Who was given a partition in a generation. */
  readonly #owners = new Map<string, string>();
  readonly #commits = new Map<number, { readonly partition: number; readonly offset: number }>();
  #token = 0;
  #offset = 0;
  readonly coordinator = new TestCoordinator(
    new TestTopics({ t: PARTITIONS }).view,
    { 'group.initial.rebalance.delay.ms': 1000, 'group.min.session.timeout.ms': 1000 },
    { answer: ({ token, response }) => this.#answered(token, response) },
  );

  act(client: Client): void {
    if (client.waitsFor !== undefined) return;
    const who = { groupId: 'g', clientId: client.name, clientHost: '/h' };
    const speaker = { ...who, memberId: client.memberId, groupInstanceId: client.instance };
    if (client.needs === 'join') {
      this.#ask('joinGroup', client, {
        ...speaker,
        sessionTimeoutMs: SESSION_MS,
        rebalanceTimeoutMs: REBALANCE_MS,
        protocolType: 'consumer',
        protocols: [{ name: 'range', metadata: encodeSubscriptionOf(['t']) }],
        requiresKnownMemberId: true,
        reason: '',
      });
      return;
    }
    const claim = { ...speaker, generationId: client.generation };
    if (client.needs === 'nothing') {
      this.#ask('heartbeat', client, claim);
      return;
    }
    const { ledMembers } = client;
    const share = (index: number) =>
      [...Array(PARTITIONS).keys()].filter((partition) => partition % ledMembers.length === index);
    this.#ask('syncGroup', client, {
      ...claim,
      protocolType: 'consumer',
      protocolName: 'range',
      assignments: ledMembers.map((memberId, index) => ({
        memberId,
        assignment: encodeAssignmentOf([{ topic: 't', partitions: share(index) }]),
      })),
    });
  }

  commit(client: Client): void {
    const [partition] = client.holds;
    if (partition === undefined) return;
    const offset = ++this.#offset;
    const token = this.#ask('offsetCommit', client, {
      groupId: 'g',
      memberId: client.memberId,
      groupInstanceId: client.instance,
      generationIdOrMemberEpoch: client.generation,
      clientId: client.name,
      clientHost: '/h',
      offsets: [{ topic: 't', partition, offset, leaderEpoch: -1, metadata: '' }],
    });
    this.#commits.set(token, { partition, offset });
  }

  leave(client: Client): void {
    if (client.memberId === '') return;
    this.#ask('leaveGroup', client, {
      groupId: 'g',
      clientId: client.name,
      clientHost: '/h',
      members: [{ memberId: client.memberId, groupInstanceId: client.instance, reason: '' }],
    });
    client.forget();
  }

  failOver(): void {
    this.coordinator.isHeld = false;
    this.coordinator.failOver();
    this.#asked.clear();
    for (const client of this.clients) if (client.waitsFor !== undefined) client.rejoin();
    this.checkCommits();
  }

  /** Every acknowledged commit is read back, or a later one of the same partition. */
  checkCommits(): void {
    for (const [partition, offset] of this.#acknowledged) {
      const request = {
        groupId: 'g',
        memberId: '',
        memberEpoch: -1,
        partitions: [{ topic: 't', partition }],
      };
      const { offsets } = this.coordinator.machine.fetchOffsets(request);
      expect(offsets[0]!.offset).toBeGreaterThanOrEqual(offset);
    }
  }

  get waitingCount(): number {
    return this.#asked.size;
  }

  #ask<N extends GroupRequestName>(name: N, client: Client, request: GroupRequests[N]['request']): number {
    const token = ++this.#token;
    this.#asked.set(token, { name, client });
    if (name === 'joinGroup' || name === 'syncGroup') client.waitsFor = token;
    this.coordinator.step(name, token, request);
    return token;
  }

  #answered(token: number, response: GroupRequests[GroupRequestName]['response']): void {
    const asked = this.#asked.get(token);
    invariant(asked !== undefined, 'a request is answered once', { token });
    this.#asked.delete(token);
    const { name, client } = asked;
    const commit = this.#commits.get(token);
    if (commit !== undefined && response.failure === undefined)
      this.#acknowledged.set(commit.partition, commit.offset);
    const isOld = name === 'joinGroup' || name === 'syncGroup' ? client.waitsFor !== token : false;
    if (isOld) return;
    if (name === 'joinGroup') this.#joined(client, response as JoinGroupResponse);
    else if (name === 'syncGroup') this.#synced(client, response as SyncGroupResponse);
    else if (name === 'heartbeat') this.#refused(client, response.failure?.code);
  }

  #joined(client: Client, answer: JoinGroupResponse): void {
    client.waitsFor = undefined;
    const code = answer.failure?.code;
    if (code === 'MEMBER_ID_REQUIRED') client.memberId = answer.memberId;
    this.#refused(client, code);
    if (code !== undefined) return;
    const { generationId, leader, memberId } = answer;
    expect(generationId).toBeGreaterThan(0);
    client.memberId = memberId;
    client.generation = generationId;
    client.needs = 'sync';
    client.ledMembers =
      leader === memberId && !answer.skipAssignment ? answer.members.map((m) => m.memberId) : [];
  }

  #synced(client: Client, { failure, assignment }: SyncGroupResponse): void {
    client.waitsFor = undefined;
    this.#refused(client, failure?.code);
    if (failure !== undefined) return;
    client.needs = 'nothing';
    client.holds = eachPartition(decodeAssignmentOf(assignment)!).map(({ partition }) => partition);
    for (const partition of client.holds) {
      const key = `${client.generation}-${partition}`;
      expect(this.#owners.get(key) ?? client.name).toBe(client.name);
      this.#owners.set(key, client.name);
    }
  }

  #refused(client: Client, code: string | undefined): void {
    if (code === undefined || client.waitsFor !== undefined) return;
    if (code === 'UNKNOWN_MEMBER_ID' || code === 'FENCED_INSTANCE_ID') client.forget();
    else client.rejoin();
  }
}

test('clients that follow the protocol are always answered, settle on one generation, and lose no commit', () => {
  fc.assert(
    fc.property(fc.array(action, { maxLength: 120 }), (actions) => {
      const world = new World();
      for (const step of actions) {
        if (step.kind === 'pass') world.coordinator.pass(step.ms);
        else if (step.kind === 'failover') world.failOver();
        else if (step.kind === 'hold') {
          world.coordinator.isHeld = step.held;
          if (!step.held) world.coordinator.commit();
        } else {
          const client = world.clients[step.client]!;
          if (step.kind === 'act') world.act(client);
          else if (step.kind === 'commit') world.commit(client);
          else if (step.kind === 'leave') world.leave(client);
          else client.forget();
        }
        if (!world.coordinator.isHeld) world.checkCommits();
      }
      settle(world);
    }),
    { numRuns: 300 },
  );
});

/** From here on nothing fails: in the end all are members of one stable generation. */
function settle(world: World): void {
  world.coordinator.isHeld = false;
  world.coordinator.commit();
  for (let round = 0; round < 60; round++) {
    for (const client of world.clients) world.act(client);
    world.coordinator.pass(2000);
  }
  const group = world.coordinator.machine.describeGroup('g');
  const ids = world.clients.map(({ memberId }) => memberId);
  expect(group.state).toBe('Stable');
  expect(group.members.map(({ memberId }) => memberId).sort()).toEqual(ids.sort());
  expect(world.clients.map(({ generation }) => generation)).toEqual(ids.map(() => group.epoch));
  expect(world.waitingCount).toBe(0);
  const before = { ...group, members: [...group.members] };
  world.coordinator.failOver();
  expect(world.coordinator.machine.describeGroup('g')).toEqual(before);
  world.checkCommits();
}
