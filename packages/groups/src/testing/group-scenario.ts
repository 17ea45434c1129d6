/**
 * Scenario scripts of one coordinator: commands with the output they produce, one file a story. `replayScript` renders
 * a script anew; a test compares, and `vitest -u` rewrites. Clients have one-word names; the ids that they are given
 * are shown as the name, then name.2 and so on. The group is g unless `g=NAME` says otherwise.
 *
 *   config key=value …                 before anything else
 *   topics orders:4 payments:1         there are these now
 *   join A [id=NAME|none] [instance=I] [type=T] [protocols=p,q] [session=MS] [rebalance=MS] [nowait] [plain]
 *                                      `nowait`: is not sent away for an id; `plain`: knows nothing of skipping;
 *                                      `owned=orders:0,1`: what a cooperative member still holds
 *   sync A [A=orders:0,1] [B=orders:2,3] [generation=N] [protocol=p]
 *   beat A [generation=N]              leave A [B …] [instance=I] [reason=WORD]
 *   commit A orders:0=5 [generation=N] [metadata=TEXT]        `commit -` is nobody's
 *   fetch [orders:0 …]                 committed offsets, all without arguments
 *   delete | delete-offsets orders:0 … | describe | explain | list [state=S]
 *   pass MS                            time passes, everything that is due happens
 *   hold | release                     the log commits nothing until released
 *   failover                           another broker leads and has read what had committed
 *   resume                             the log could not be written for a while
 */
import { invariant } from '@millrace/core';
import { encodeAssignmentOf, encodeSubscriptionOf } from '../consumer-protocol.ts';
import { type GroupConfig, groupConfig } from '../group-config.ts';
import type { GroupRequestName, GroupRequests } from '../group-coordinator.ts';
import {
  ScenarioNames,
  showAnswer,
  showEvent,
  showGroup,
  showPause,
  showRecord,
} from './group-scenario-text.ts';
import { TestCoordinator } from './test-coordinator.ts';
import { TestTopics } from './topics.ts';

const DEFAULT_TOPICS = { orders: 4, payments: 1 };

export function replayScript(script: string): string {
  const scenario = new GroupScenario();
  const blocks = script.trimEnd().split('\n\n');
  return `${blocks.map((block) => replayBlock(block, scenario)).join('\n\n')}\n`;
}

function replayBlock(block: string, scenario: GroupScenario): string {
  const input = block.split('\n----')[0]!;
  const commands = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (commands.length === 0) return input;
  const output = commands.flatMap((command) => scenario.run(command));
  return `${input}\n----\n${output.length === 0 ? 'ok' : output.join('\n')}`;
}

/** `a b=c d` as plain words and named ones. */
class Words {
  readonly plain: readonly string[];
  readonly #named: ReadonlyMap<string, string>;

  constructor(words: readonly string[]) {
    this.plain = words.filter((word) => !word.includes('='));
    this.#named = new Map(words.filter((word) => word.includes('=')).map((word) => split(word, '=')));
  }

  get(name: string): string | undefined {
    return this.#named.get(name);
  }

  number(name: string, fallback: number): number {
    return Number(this.#named.get(name) ?? fallback);
  }

  has(flag: string): boolean {
    return this.plain.includes(flag);
  }

  named(): IterableIterator<[string, string]> {
    return this.#named.entries();
  }
}

class GroupScenario {
  #config: Partial<GroupConfig> = {};
  readonly #topics = new TestTopics(DEFAULT_TOPICS);
  readonly #names = new ScenarioNames();
  /** Who asked what, by token. */
  readonly #asked: { readonly name: GroupRequestName; readonly who: string }[] = [];
  readonly #generations = new Map<string, number>();
  #made: TestCoordinator | undefined;
  #output: string[] = [];

  run(command: string): readonly string[] {
    this.#output = [];
    const [verb, ...rest] = command.split(' ');
    this.#do(verb!, new Words(rest));
    return this.#output;
  }

  #do(verb: string, words: Words): void {
    const coordinator = verb === 'config' ? undefined : this.#coordinator;
    const groupId = words.get('g') ?? 'g';
    const commands: Readonly<Record<string, () => void>> = {
      config: () => {
        this.#config = groupConfig.parse(Object.fromEntries(words.named()));
      },
      topics: () => {
        this.#topics.set(
          Object.fromEntries(words.plain.map((word) => split(word, ':')).map(([t, n]) => [t, Number(n)])),
        );
        coordinator!.changeTopics(this.#topics.view);
      },
      join: () => this.#join(groupId, words),
      sync: () => this.#sync(groupId, words),
      beat: () => this.#beat(groupId, words),
      leave: () => this.#leave(groupId, words),
      commit: () => this.#commit(groupId, words),
      fetch: () => this.#fetch(groupId, words),
      delete: () => this.#ask('deleteGroup', groupId, { groupId }),
      'delete-offsets': () =>
        this.#ask('offsetDelete', groupId, { groupId, partitions: words.plain.map(partitionOf) }),
      describe: () => {
        this.#seeMembers();
        this.#say(...showGroup(coordinator!.machine.describeGroup(groupId), this.#names));
      },
      explain: () => {
        const { events, members } = coordinator!.machine.explainGroup(groupId);
        this.#say(...events.map((event) => showEvent(event, this.#names)));
        this.#say(...members.map((pause) => showPause(pause, this.#names)));
      },
      list: () => {
        const states = words.get('state') === undefined ? [] : [words.get('state')!];
        for (const listing of coordinator!.machine.listGroups({ states, types: [] }))
          this.#say(`${listing.groupId}: ${listing.type} "${listing.protocolType}" ${listing.state}`);
      },
      pass: () => coordinator!.pass(Number(words.plain[0])),
      hold: () => {
        coordinator!.isHeld = true;
      },
      release: () => {
        coordinator!.isHeld = false;
        coordinator!.commit();
      },
      failover: () => coordinator!.failOver(),
      resume: () => coordinator!.machine.resumed(coordinator!.nowMs),
    };
    const command = commands[verb];
    invariant(command !== undefined, 'the command is known', { verb });
    command();
  }

  get #coordinator(): TestCoordinator {
    this.#made ??= new TestCoordinator(this.#topics.view, this.#config, {
      records: (records, baseOffset) => {
        this.#seeMembers();
        for (const [index, record] of records.entries())
          this.#say(`@${baseOffset + index} ${showRecord(record, this.#names)}`);
      },
      answer: ({ token, response }) => {
        const { name, who } = this.#asked[token]!;
        this.#seeMembers();
        if (name === 'joinGroup') this.#learn(who, response as GroupRequests['joinGroup']['response']);
        this.#say(`${who}: ${showAnswer(name, response, this.#names)}`);
      },
    });
    return this.#made;
  }

  #say(...lines: readonly string[]): void {
    this.#output.push(...lines);
  }

  /** So that output shows names even of members that have not been answered. */
  #seeMembers(): void {
    const { machine } = this.#coordinator;
    for (const { groupId } of machine.listGroups({ states: [], types: [] }))
      for (const { clientId, memberId } of machine.describeGroup(groupId).members)
        this.#names.see(clientId, memberId);
  }

  #learn(who: string, { memberId, generationId }: GroupRequests['joinGroup']['response']): void {
    if (memberId !== '') this.#names.learn(who, memberId);
    if (generationId >= 0) this.#generations.set(who, generationId);
  }

  #ask<N extends GroupRequestName>(name: N, who: string, request: GroupRequests[N]['request']): void {
    const token = this.#asked.push({ name, who }) - 1;
    this.#coordinator.step(name, token, request);
  }

  #join(groupId: string, words: Words): void {
    const who = words.plain[0]!;
    const named = words.get('id');
    const memberId = named === 'none' ? '' : this.#names.idOf(named ?? who);
    const topics = (words.get('topics') ?? 'orders').split(',');
    const protocols = (words.get('protocols') ?? 'range').split(',');
    const owned = (words.get('owned') ?? '').split(';').filter(Boolean).map(partitionsOf);
    this.#ask('joinGroup', who, {
      groupId,
      memberId,
      groupInstanceId: words.get('instance'),
      protocolType: words.get('type') ?? 'consumer',
      protocols: protocols
        .filter((name) => name !== '')
        .map((name) => ({ name, metadata: encodeSubscriptionOf(topics, owned) })),
      sessionTimeoutMs: words.number('session', 10_000),
      rebalanceTimeoutMs: words.number('rebalance', 30_000),
      requiresKnownMemberId: !words.has('nowait'),
      supportsSkippingAssignment: !words.has('plain'),
      clientId: who,
      clientHost: '/h',
      reason: words.get('reason') ?? '',
    });
  }

  #sync(groupId: string, words: Words): void {
    const who = words.plain[0]!;
    const known = new Set(['g', 'generation', 'protocol', 'instance']);
    const assignments = [...words.named()]
      .filter(([name]) => !known.has(name))
      .map(([name, list]) => ({
        memberId: this.#names.idOf(name),
        assignment: encodeAssignmentOf(list.split(';').filter(Boolean).map(partitionsOf)),
      }));
    this.#ask('syncGroup', who, {
      ...this.#claim(groupId, who, words),
      protocolType: undefined,
      protocolName: words.get('protocol'),
      assignments,
    });
  }

  #beat(groupId: string, words: Words): void {
    const who = words.plain[0]!;
    this.#ask('heartbeat', who, this.#claim(groupId, who, words));
  }

  #claim(groupId: string, who: string, words: Words) {
    return {
      groupId,
      memberId: this.#names.idOf(words.get('id') ?? who),
      groupInstanceId: words.get('instance'),
      generationId: words.number('generation', this.#generations.get(who) ?? -1),
      clientId: who,
      clientHost: '/h',
    };
  }

  #leave(groupId: string, words: Words): void {
    const reason = words.get('reason') ?? '';
    const instance = words.get('instance');
    const members = words.plain.map((who) => ({
      memberId: this.#names.idOf(who),
      groupInstanceId: instance,
      reason,
    }));
    const byInstance = { memberId: '', groupInstanceId: instance, reason };
    this.#ask('leaveGroup', words.plain.join('+') || instance!, {
      groupId,
      members: members.length === 0 ? [byInstance] : members,
      clientId: 'c',
      clientHost: '/h',
    });
  }

  #commit(groupId: string, words: Words): void {
    const who = words.plain[0]!;
    const isMember = who !== '-';
    const { memberId, groupInstanceId, generationId } = this.#claim(groupId, who, words);
    const offsets = [...words.named()]
      .filter(([name]) => name.includes(':'))
      .map(([name, offset]) => ({
        ...partitionOf(name),
        offset: Number(offset),
        leaderEpoch: -1,
        metadata: words.get('metadata') ?? '',
      }));
    this.#ask('offsetCommit', who, {
      groupId,
      memberId: isMember ? memberId : '',
      groupInstanceId,
      generationIdOrMemberEpoch: isMember ? generationId : words.number('generation', -1),
      clientId: isMember ? who : 'tool',
      clientHost: '/h',
      offsets,
    });
  }

  #fetch(groupId: string, words: Words): void {
    const partitions = words.plain.length === 0 ? undefined : words.plain.map(partitionOf);
    const request = { groupId, memberId: '', memberEpoch: -1, partitions };
    const { failure, offsets } = this.#coordinator.machine.fetchOffsets(request);
    if (failure !== undefined) {
      this.#say(failure.code);
      return;
    }
    const shown = offsets.map(({ topic, partition, offset }) => `${topic}:${partition}=${offset}`);
    this.#say(shown.length === 0 ? 'no offsets' : shown.join(' '));
  }
}

function split(word: string, by: string): [string, string] {
  const at = word.indexOf(by);
  return [word.slice(0, at), word.slice(at + 1)];
}

/** `orders:3` */
function partitionOf(word: string): { readonly topic: string; readonly partition: number } {
  const [topic, partition] = split(word, ':');
  return { topic, partition: Number(partition) };
}

/** `orders:1,2` */
function partitionsOf(word: string): { readonly topic: string; readonly partitions: number[] } {
  const [topic, partitions] = split(word, ':');
  return { topic, partitions: partitions.split(',').map(Number) };
}
