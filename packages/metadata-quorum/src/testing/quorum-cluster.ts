/** Controllers of one quorum in one process, on manual time, with a network that can be cut. */
import { ManualClock, type MillraceError, type NodeId, SeededRandom, silentLogger } from '@millrace/core';
import type { RaftMessage } from '@millrace/raft';
import { MemoryRaftStore } from '../memory-raft-store.ts';
import { MetadataQuorum } from '../metadata-quorum.ts';
import { quorumConfig } from '../quorum-config.ts';
import type { CommittedRecord, LeadershipEvent, QuorumStateMachine, RaftTransport } from '../quorum-ports.ts';
import type { RaftStore } from '../raft-store.ts';

/** Keeps every record; its snapshot is all of them. */
export class RecordingStateMachine implements QuorumStateMachine {
  records: string[] = [];
  restores = 0;

  apply(records: readonly CommittedRecord[]): void {
    for (const { offset, data } of records) {
      if (offset !== this.records.length) throw new Error(`offset ${offset} after ${this.records.length}`);
      this.records.push(data === null ? '*' : data.toString());
    }
  }

  snapshot(): Buffer {
    return Buffer.from(JSON.stringify(this.records));
  }

  restore(data: Buffer, endOffset: number): void {
    this.restores += 1;
    this.records = JSON.parse(data.toString()) as string[];
    if (this.records.length !== endOffset)
      throw new Error(`snapshot of ${this.records.length} at ${endOffset}`);
  }

  /** Without leader changes. */
  get data(): string[] {
    return this.records.filter((record) => record !== '*');
  }
}

export interface Member {
  readonly id: NodeId;
  directoryId: string;
  store: RaftStore;
  quorum: MetadataQuorum | undefined;
  machine: RecordingStateMachine;
  readonly leadership: LeadershipEvent[];
  /** What `leaderId` answered whenever it was told to have changed. */
  readonly leaders: (NodeId | undefined)[];
  readonly failures: MillraceError[];
  receive: (from: NodeId, message: RaftMessage) => void;
  disconnect: (peer: NodeId) => void;
}

export interface QuorumClusterOptions {
  readonly config?: Readonly<Record<string, string>>;
  readonly openStore?: (id: NodeId) => Promise<RaftStore>;
  /** Stores use a real disk: manual time must not run ahead of it. */
  readonly isPaced?: boolean;
}

function newMember(id: NodeId): Member {
  return {
    id,
    directoryId: `directory-${id}`,
    store: new MemoryRaftStore(),
    quorum: undefined,
    machine: new RecordingStateMachine(),
    leadership: [],
    leaders: [],
    failures: [],
    receive: () => {},
    disconnect: () => {},
  };
}

export class QuorumCluster {
  readonly clock = new ManualClock();
  readonly members: Member[];
  readonly sent: { readonly from: NodeId; readonly to: NodeId; readonly message: RaftMessage }[] = [];
  readonly #cut = new Set<NodeId>();
  readonly #joined = new Set<NodeId>();
  readonly #options: QuorumClusterOptions;

  private constructor(size: number, options: QuorumClusterOptions) {
    this.#options = options;
    this.members = Array.from({ length: size }, (_, i) => newMember(i + 1));
  }

  static async start(size: number, options: QuorumClusterOptions = {}): Promise<QuorumCluster> {
    const cluster = new QuorumCluster(size, options);
    for (const { id } of cluster.members) await cluster.startMember(id);
    return cluster;
  }

  member(id: NodeId): Member {
    return this.members[id - 1]!;
  }

  /** The node comes back with an empty disk. */
  async wipe(id: NodeId, directoryId: string): Promise<MetadataQuorum> {
    await this.kill(id);
    const member = this.member(id);
    member.store = new MemoryRaftStore();
    member.directoryId = directoryId;
    return await this.startMember(id);
  }

  /** A node that no configuration names starts and meets the others. */
  async join(): Promise<MetadataQuorum> {
    const id = this.members.length + 1;
    this.members.push(newMember(id));
    this.#joined.add(id);
    return await this.startMember(id);
  }

  async startMember(id: NodeId): Promise<MetadataQuorum> {
    const member = this.member(id);
    if (this.#options.openStore !== undefined) member.store = await this.#options.openStore(id);
    member.machine = new RecordingStateMachine();
    member.quorum = await MetadataQuorum.start({
      nodeId: id,
      directoryId: member.directoryId,
      voters: this.members.flatMap((other) => (this.#joined.has(other.id) ? [] : [{ id: other.id }])),
      store: member.store,
      transport: this.#transport(member),
      clock: this.clock,
      random: new SeededRandom(id),
      logger: silentLogger,
      config: quorumConfig.parse({ ...this.#options.config }),
      stateMachine: member.machine,
      onLeadership: (event) => member.leadership.push(event),
      onLeaderChange: () => member.leaders.push(member.quorum?.leaderId()),
      onFatal: (error) => member.failures.push(error),
    });
    return member.quorum;
  }

  /** The process is gone: connections break, nothing more is sent. Its store keeps what was durable. */
  async kill(id: NodeId): Promise<void> {
    const member = this.member(id);
    member.receive = () => {};
    member.disconnect = () => {};
    this.#cut.add(id);
    for (const other of this.members) other.disconnect(id);
    // Cut off and without time it cannot hand over; closing only frees its store.
    const closing = member.quorum?.close();
    member.quorum = undefined;
    if (closing !== undefined) await this.until(closing);
    this.#cut.delete(id);
  }

  cut(id: NodeId): void {
    this.#cut.add(id);
  }

  heal(): void {
    this.#cut.clear();
  }

  leader(): MetadataQuorum | undefined {
    return this.members.map(({ quorum }) => quorum).find((quorum) => quorum?.isLeader());
  }

  async electLeader(): Promise<MetadataQuorum> {
    await this.runUntil(() => this.leader() !== undefined);
    return this.leader()!;
  }

  /** Passes time until `condition` holds. @throws after a minute of it. */
  async runUntil(condition: () => boolean): Promise<void> {
    const endMs = this.clock.nowMs() + 60_000;
    while (!condition()) {
      if (this.clock.nowMs() > endMs) throw new Error('the condition did not come true within a minute');
      await this.run(5);
    }
  }

  /** Passes time until `promise` settles. */
  async until<T>(promise: Promise<T>): Promise<T> {
    let isSettled = false;
    const settled = (): void => {
      isSettled = true;
    };
    promise.then(settled, settled);
    await this.runUntil(() => isSettled);
    return promise;
  }

  /** Passes `ms` of time, in small steps, letting disks and messages move in between. */
  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 5) {
      this.clock.advance(Math.min(5, ms - passed));
      await new Promise((resolve) => {
        if (this.#options.isPaced) setTimeout(resolve, 5);
        else setImmediate(resolve);
      });
    }
  }

  async close(): Promise<void> {
    for (const member of this.members) {
      if (member.quorum !== undefined) await this.until(member.quorum.close());
    }
  }

  #transport(member: Member): RaftTransport {
    return {
      send: (to, message) => {
        this.sent.push({ from: member.id, to, message });
        if (this.#cut.has(to) || this.#cut.has(member.id)) return;
        this.clock.schedule(1, () => this.member(to).receive(member.id, message));
      },
      onMessage: (handler) => {
        member.receive = handler;
      },
      onDisconnect: (handler) => {
        member.disconnect = handler;
      },
      ...(this.#joined.has(member.id) && {
        onPeer: (handler: (peer: NodeId) => void) => {
          for (const { id } of this.members) if (id !== member.id) handler(id);
        },
      }),
      addressOf: (id) => `host-${id}:9191`,
    };
  }
}
