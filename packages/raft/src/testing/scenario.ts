/**
 * Scenario scripts: commands with the output they produce, one file a story. `replayScript` renders a script
 * anew; a test compares, and `vitest -u` rewrites.
 *
 *   nodes 3 [named]           the configured voters; `named` gives their directories, so that no formation is needed
 *   config key=value …        before `nodes`; names of RaftConfig
 *   cluster 3 1               three named nodes, started and settled, 1 leading term 1; says nothing about it
 *   start 1 [2 …]             from what is on the disk
 *   disk 2 @7 1 1 4           before `start`: what 2 finds on its disk, its term and the terms of its entries
 *   tick 1 | tick 1 MS        1's next deadline passes | MS pass, then 1 looks at its clock
 *   wait MS                   MS pass and nobody notices
 *   pass MS                   MS pass, everybody ticks when due, messages and disks are quick (quiet, as settle)
 *   isolate 3 | heal          what goes to or from 3 is lost
 *   deliver [from->to] [KIND] [first]   one round of what is in flight now, in order; answers stay in flight
 *   drop / duplicate          as deliver
 *   flush 1                   what 1 wrote becomes durable
 *   settle                    deliver and flush until nothing moves (quiet: prints only roles and commits)
 *   propose 1 a b             read 1 ID     transfer 1 [to]     disconnect 1 PEER     snapshot 1
 *   crash 1                   unsynced writes are lost       wipe 1 DIRECTORY
 *   join 4 [1]                a node of no configuration starts and has met 1
 *   add 1 4                   1 is asked to add the directory of 4 to the voters
 *   remove 1 3 [DIRECTORY]    1 is asked to remove a voter
 *   cut 1 2                   what goes between the two is lost, until heal
 *   status 1   log 1 …        voters 1 …: sets that are decided or may be       in flight: inflight
 */
import { invariant, type NodeId } from '@millrace/core';
import { DEFAULT_RAFT_CONFIG, type RaftConfig } from '../raft-config.ts';
import type { RaftEffect } from '../raft-effect.ts';
import type { Entry, RaftMessage, Voter } from '../raft-message.ts';
import { describeEntry, describeVoters, type Envelope, TestReplica } from './test-replica.ts';

export function replayScript(script: string): string {
  const scenario = new Scenario();
  const blocks = script.trimEnd().split('\n\n');
  return `${blocks.map((block) => replayBlock(block, scenario)).join('\n\n')}\n`;
}

function replayBlock(block: string, scenario: Scenario): string {
  const input = block.split('\n----')[0]!;
  const commands = input.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  if (commands.length === 0) return input;
  const output = commands.flatMap((command) => scenario.run(command));
  return `${input}\n----\n${output.length === 0 ? 'ok' : output.join('\n')}`;
}

class Scenario {
  #config: RaftConfig = { ...DEFAULT_RAFT_CONFIG, retainedEntries: 0 };
  readonly #replicas = new Map<NodeId, TestReplica>();
  readonly #cut = new Set<string>();
  /** As last told by each node: a restart that finds the same set is no news. */
  readonly #toldVoters = new Map<NodeId, string>();
  #configured: readonly Voter[] = [];
  #inflight: Envelope[] = [];
  #nowMs = 0;
  #isQuiet = false;
  #isolated: string | undefined;
  #output: string[] = [];

  run(command: string): string[] {
    const [name, ...args] = command.split(' ');
    const handler = this.#commands[name!];
    invariant(handler !== undefined, 'a scenario uses known commands', { command });
    handler(args);
    return this.#output.splice(0);
  }

  readonly #commands: Readonly<Record<string, (args: readonly string[]) => void>> = {
    config: (args) => {
      const changes = args.map((arg) => arg.split('=')).map(([key, value]) => [key, Number(value)]);
      this.#config = { ...this.#config, ...(Object.fromEntries(changes) as Partial<RaftConfig>) };
    },
    nodes: ([size, naming]) => this.#createNodes(Number(size), naming === 'named'),
    cluster: ([size, leader]) => {
      this.#createNodes(Number(size), true);
      for (const id of this.#replicas.keys()) this.run(`start ${id}`);
      this.#settle();
      this.run(`tick ${leader}`);
      this.#settle();
      this.#output = [];
    },
    start: (ids) => {
      for (const id of ids) this.#replica(id).start(this.#nowMs);
    },
    tick: ([id, ms]) => {
      const replica = this.#replica(id);
      const { deadlineMs } = replica.node;
      this.#nowMs = ms === undefined ? Math.max(this.#nowMs, deadlineMs) : this.#nowMs + Number(ms);
      replica.step({ kind: 'tick' }, this.#nowMs);
    },
    wait: ([ms]) => {
      this.#nowMs += Number(ms);
    },
    pass: ([ms]) => this.#pass(Number(ms)),
    isolate: ([id]) => {
      this.#isolated = id;
    },
    cut: ([a, b]) => {
      this.#cut.add(`${a}-${b}`).add(`${b}-${a}`);
    },
    heal: () => {
      this.#isolated = undefined;
      this.#cut.clear();
    },
    deliver: (args) => {
      for (const envelope of this.#take(args)) this.#deliver(envelope);
    },
    drop: (args) => {
      for (const envelope of this.#take(args)) this.#say(`dropped ${describeEnvelope(envelope)}`);
    },
    duplicate: (args) => {
      const copies = select(this.#inflight, args);
      this.#inflight.push(...copies.map((copy) => ({ ...copy })));
      for (const envelope of copies) this.#say(`duplicated ${describeEnvelope(envelope)}`);
    },
    flush: ([id]) => this.#replica(id).flush(this.#nowMs),
    settle: () => this.#settle(),
    propose: ([id, ...texts]) => {
      const items = texts.map((text) => Buffer.from(text));
      this.#replica(id).step({ kind: 'propose', items }, this.#nowMs);
    },
    read: ([id, read]) => {
      this.#replica(id).step({ kind: 'read', id: Number(read) }, this.#nowMs);
    },
    transfer: ([id, to]) => {
      const target = to === undefined ? {} : { to: Number(to) };
      this.#replica(id).step({ kind: 'transferLeadership', ...target }, this.#nowMs);
    },
    disconnect: ([id, peer]) => {
      this.#replica(id).step({ kind: 'peerDisconnected', peer: Number(peer) }, this.#nowMs);
    },
    snapshot: ([id]) => this.#replica(id).takeSnapshot(this.#nowMs),
    disk: ([id, term, ...terms]) => {
      this.#replica(id).disk.prepare(Number(term!.slice(1)), terms.map(Number), this.#configured);
    },
    crash: ([id]) => this.#replica(id).crash(),
    wipe: ([id, directoryId]) => this.#replica(id).wipe(directoryId!),
    join: ([id, ...met]) => {
      const joiner = this.#replicas.get(Number(id)) ?? this.#create(Number(id), []);
      joiner.start(this.#nowMs);
      for (const peer of met) joiner.step({ kind: 'peerFound', peer: Number(peer) }, this.#nowMs);
    },
    add: ([id, added]) => {
      const { directoryId } = this.#replica(added);
      const voter = { id: Number(added), directoryId, address: `host-${added}` };
      this.#replica(id).step({ kind: 'changeVoters', change: { kind: 'add', voter } }, this.#nowMs);
    },
    remove: ([id, removed, directoryId = `d${removed}`]) => {
      const voter = { id: Number(removed), directoryId };
      this.#replica(id).step({ kind: 'changeVoters', change: { kind: 'remove', voter } }, this.#nowMs);
    },
    voters: (ids) => {
      for (const id of ids) {
        const sets = this.#replica(id).node.status().voterSets;
        this.#say(
          `${id}: ${sets.map(({ index, voters }) => `${describeVoters(voters)}@${index}`).join(' ')}`,
        );
      }
    },
    inflight: () => {
      for (const envelope of this.#inflight) this.#say(describeEnvelope(envelope));
    },
    status: ([id]) => {
      const { node } = this.#replica(id);
      const { role, term, leaderId, commitIndex, durableIndex, lastIndex, startIndex } = node.status();
      const range = `log=${startIndex}..${lastIndex} durable=${durableIndex} commit=${commitIndex}`;
      this.#say(`${id}: ${role}@${term} leader=${leaderId ?? 'none'} ${range}`);
    },
    log: (ids) => {
      for (const id of ids) {
        const { snapshot, entries } = this.#replica(id).disk.state;
        const base = snapshot === undefined ? '' : `[snapshot ${snapshot.term}/${snapshot.index}] `;
        this.#say(`${id}: ${base}${entries.map(describeEntry).join(' ')}`);
      }
    },
  };

  #createNodes(size: number, named: boolean): void {
    const voters = Array.from({ length: size }, (_, i) => ({
      id: i + 1,
      directoryId: named ? `d${i + 1}` : '',
      address: `host-${i + 1}`,
    }));
    this.#configured = voters;
    for (const { id } of voters) this.#create(id, voters);
  }

  #create(id: NodeId, voters: readonly Voter[]): TestReplica {
    const replica = new TestReplica({
      id,
      voters,
      config: this.#config,
      seed: 1,
      observe: (observed, effect) => this.#observe(observed, effect),
      transmit: (envelope) => {
        const { from, to } = envelope;
        const isLost = [from, to].includes(Number(this.#isolated)) || this.#cut.has(`${from}-${to}`);
        if (!isLost) this.#inflight.push(envelope);
      },
    });
    this.#replicas.set(id, replica);
    return replica;
  }

  #replica(id: string | undefined): TestReplica {
    const replica = this.#replicas.get(Number(id));
    invariant(replica !== undefined, 'a scenario names its nodes', { id });
    return replica;
  }

  #running(): TestReplica[] {
    return [...this.#replicas.values()].filter(({ isUp }) => isUp);
  }

  #deliver(envelope: Envelope): void {
    const { from, to, message } = envelope;
    const target = this.#replica(String(to));
    if (!target.isUp) {
      this.#say(`lost ${describeEnvelope(envelope)}`);
      return;
    }
    target.step({ kind: 'received', from, message }, this.#nowMs);
  }

  #take(args: readonly string[]): Envelope[] {
    const taken = select(this.#inflight, args);
    this.#inflight = this.#inflight.filter((envelope) => !taken.includes(envelope));
    return taken;
  }

  #pass(ms: number): void {
    const untilMs = this.#nowMs + ms;
    const nextMs = (): number => Math.min(...this.#running().map(({ node }) => node.deadlineMs));
    for (let due = nextMs(); due <= untilMs; due = nextMs()) {
      this.#nowMs = Math.max(this.#nowMs, due);
      this.#isQuiet = true;
      for (const replica of this.#running()) replica.step({ kind: 'tick' }, this.#nowMs);
      this.#settle();
    }
    this.#nowMs = untilMs;
  }

  #settle(): void {
    this.#isQuiet = true;
    const isMoving = (): boolean =>
      this.#inflight.length > 0 || this.#running().some(({ disk }) => disk.pending.length > 0);
    for (let round = 0; isMoving(); round++) {
      invariant(round < 1000, 'a scenario settles');
      for (const envelope of this.#inflight.splice(0)) this.#deliver(envelope);
      for (const replica of this.#running()) replica.flush(this.#nowMs);
    }
    this.#isQuiet = false;
  }

  #observe({ id }: TestReplica, effect: RaftEffect): void {
    if (effect.kind === 'votersChanged') {
      const told = describeVoters(effect.voters);
      if (this.#toldVoters.get(id) === told) return;
      this.#toldVoters.set(id, told);
    }
    const line = describeEffect(id, effect);
    const isMinor = ['send', 'persist'].includes(effect.kind);
    if (!this.#isQuiet || !isMinor) this.#say(line);
  }

  #say(line: string): void {
    if (!this.#isQuiet || !line.startsWith('lost')) this.#output.push(line);
  }
}

/** Arguments are `1->2`, `*->2`, `1->*`, a message kind, and `first`, in any order. */
function select(envelopes: readonly Envelope[], args: readonly string[]): Envelope[] {
  const fits = (wanted: string | undefined, id: NodeId): boolean => wanted === '*' || Number(wanted) === id;
  const tests = args.filter((arg) => arg !== 'first');
  const selected = envelopes.filter((envelope) =>
    tests.every((arg) => {
      const [from, to] = arg.split('->');
      return to === undefined
        ? envelope.message.kind === arg
        : fits(from, envelope.from) && fits(to, envelope.to);
    }),
  );
  return args.includes('first') ? selected.slice(0, 1) : selected;
}

function describeEffect(id: NodeId, effect: RaftEffect): string {
  switch (effect.kind) {
    case 'persist': {
      const { hardState, truncateFrom, entries = [], installSnapshot } = effect;
      const parts = [
        installSnapshot && `snapshot=${installSnapshot.term}/${installSnapshot.index}`,
        truncateFrom !== undefined && `truncateFrom=${truncateFrom}`,
        entries.length > 0 && `entries=${describeEntries(entries)}`,
        hardState && `term=${hardState.term} vote=${hardState.votedFor?.id ?? 'none'}`,
      ];
      return `${id}: persist#${effect.id} ${parts.filter((part) => part).join(' ')}`;
    }
    case 'send': {
      const wait = effect.after > 0 ? ` after#${effect.after}` : '';
      return `${describeEnvelope({ from: id, to: effect.to, message: effect.message })}${wait}`;
    }
    case 'roleChanged':
      return `${id}: ${effect.role}@${effect.term} leader=${effect.leaderId ?? 'none'}`;
    case 'committed':
      return `${id}: committed ${describeEntries(effect.entries)}`;
    case 'restore':
      return `${id}: restore ${effect.snapshot.term}/${effect.snapshot.index}`;
    case 'proposed':
      return `${id}: proposed ${effect.firstIndex}..${effect.lastIndex} in term ${effect.term}`;
    case 'proposalRefused':
      return `${id}: proposal refused, ${effect.reason}`;
    case 'votersProposed':
      return `${id}: voters proposed at ${effect.index} in term ${effect.term}`;
    case 'votersRefused':
      return `${id}: voters refused, ${effect.reason}`;
    case 'votersChanged':
      return `${id}: voters ${describeVoters(effect.voters)}@${effect.index}`;
    case 'peersLearned':
      return `${id}: learned of ${describeVoters(effect.peers)}`;
    case 'strangerMet':
      return `${id}: ${effect.peer} belongs to quorum ${effect.quorumId}`;
    case 'directoryReplaced':
      return `${id}: ended, in quorum ${effect.quorumId} it is ${effect.lostDirectoryId}`;
    case 'readReady':
      return `${id}: read ${effect.id} ready at ${effect.index}`;
    case 'readRefused':
      return `${id}: read ${effect.id} refused`;
    case 'saveSnapshot': {
      const { snapshot, compactTo } = effect;
      return `${id}: save#${effect.id} snapshot=${snapshot.term}/${snapshot.index} compactTo=${compactTo}`;
    }
  }
}

function describeEntries(entries: readonly Entry[]): string {
  return entries.map((entry) => `${entry.index}=${describeEntry(entry)}`).join(',');
}

function describeEnvelope({ from, to, message }: Envelope): string {
  return `${from}->${to} ${message.kind} term=${message.term}${describeMessage(message)}`;
}

function describeMessage(message: RaftMessage): string {
  switch (message.kind) {
    case 'hello': {
      const voters = message.voters.map(({ id, directoryId }) => `${id}:${directoryId}`).join(',');
      const quorum = message.quorumId === '' ? '' : ` quorum=${message.quorumId}`;
      return ` directory=${message.directoryId} voters=${voters || 'unknown'}${quorum}`;
    }
    case 'preVoteRequest':
      return ` last=${message.lastTerm}/${message.lastIndex}`;
    case 'voteRequest':
      return ` last=${message.lastTerm}/${message.lastIndex}${message.transfer ? ' transfer' : ''}`;
    case 'preVoteResponse':
    case 'voteResponse':
      return message.granted ? ' granted' : ' refused';
    case 'append': {
      const entries = describeEntries(message.entries) || 'none';
      return ` prev=${message.prevTerm}/${message.prevIndex} commit=${message.commitIndex} entries=${entries}`;
    }
    case 'appendResponse':
      return message.accepted
        ? ` accepted=${message.index}`
        : ` rejected=${message.index} hint=${message.hintTerm}/${message.hintIndex}`;
    case 'heartbeat':
      return ` commit=${message.commitIndex} round=${message.round}`;
    case 'heartbeatResponse':
      return ` round=${message.round}`;
    case 'snapshotChunk': {
      const { snapshotTerm, snapshotIndex, position, totalBytes, data } = message;
      return ` snapshot=${snapshotTerm}/${snapshotIndex} bytes=${position}+${data.length}/${totalBytes}`;
    }
    case 'snapshotResponse':
      return ` snapshot=${message.snapshotIndex} position=${message.position}`;
    case 'timeoutNow':
      return '';
  }
}
