/**
 * A simulated controller: its disk, and the production quorum that each of its lives runs, with every way in and out
 * observed. Decides nothing.
 */
import { MillraceError, randomUuid } from '@millrace/core';
import { MetadataQuorum, type QuorumConfig, type RaftTransport } from '@millrace/metadata-quorum';
import type { RaftMessage } from '@millrace/raft';
import { SimRaftDisk } from '../disk/sim-raft-store.ts';
import { type SimRaftDirectory, SimRaftTransport } from '../network/sim-raft-transport.ts';
import { exponential } from '../world/exponential.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { Death, SimLife, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { observedStore } from './observed-store.ts';
import type { QuorumCourt } from './quorum-court.ts';
import type { Member } from './quorum-observation.ts';
import { RegisterMachine } from './register-machine.ts';

const RESTART_MEAN_MS = 500;

export interface QuorumMemberOptions {
  readonly world: World;
  readonly id: number;
  /** Ids of the first voters. */
  readonly voters: readonly number[];
  readonly network: SimRaftDirectory;
  readonly court: QuorumCourt;
  readonly config: QuorumConfig;
}

export class QuorumMember {
  readonly id: number;
  readonly process: SimProcess;
  readonly disk: SimRaftDisk;
  readonly #options: QuorumMemberOptions;
  #directoryId: string;
  #quorum: MetadataQuorum | undefined;
  #machine: RegisterMachine | undefined;
  #identity: Member | undefined;
  #ledTerm = 0;
  /** It won an election just now. */
  onLeading: () => void = () => {};

  constructor(options: QuorumMemberOptions) {
    const { world, id, network } = options;
    this.#options = options;
    this.id = id;
    this.process = world.process(network.nameOf(id));
    const schedule = (delayMs: number, run: () => void): void =>
      void world.schedule(delayMs, run, this.process.life);
    this.disk = new SimRaftDisk({ schedule });
    this.#directoryId = randomUuid(world.streams.disk);
  }

  get directoryId(): string {
    return this.#directoryId;
  }

  /** Of the present life; undefined while it is down or starting. */
  get quorum(): MetadataQuorum | undefined {
    return this.process.isAlive ? this.#quorum : undefined;
  }

  start(): void {
    this.#quorum = undefined;
    this.process.start((life) => this.#boot(life));
  }

  /** A process that dies leaves the page cache, a machine does not. */
  kill(death: Death): void {
    this.process.kill(death);
    if (death === 'process') this.disk.unmount();
    else this.disk.crash(this.#options.world.streams.disk);
  }

  /** The next life begins with an empty disk, which is another directory. */
  wipe(): void {
    this.disk.wipe();
    this.#directoryId = randomUuid(this.#options.world.streams.disk);
  }

  /** What is committed, told by this member now: linearizable, or an error. */
  async read(register: number): Promise<number> {
    const [quorum, machine, identity] = [this.quorum, this.#machine, this.#identity];
    if (quorum === undefined || machine === undefined || identity === undefined)
      throw new MillraceError('CONNECTION_FAILED');
    const { court } = this.#options;
    const read = {};
    court.readBegan(identity, read);
    const { committed } = court.model;
    const committedBefore = committed.length;
    const offset = await quorum.readBarrier();
    if (offset < committedBefore) {
      this.#options.world.fail(
        `invariant 18 metadata-history-is-linearizable: controller ${this.id} serves a read at offset ${offset} ` +
          `although ${committedBefore} records were committed before`,
      );
    }
    court.readServed(identity, read);
    if (quorum.isLeader()) court.served(identity);
    return machine.read(register);
  }

  async propose(data: Buffer): Promise<void> {
    const [quorum, identity] = [this.quorum, this.#identity];
    if (quorum === undefined) throw new MillraceError('CONNECTION_FAILED');
    await quorum.propose(data);
    if (identity !== undefined && quorum.isLeader()) this.#options.court.served(identity);
  }

  /** After an event of this process. */
  observe(): void {
    if (this.quorum === undefined || this.#identity === undefined) return;
    const position = this.quorum.position();
    this.#options.court.stepped(this.#identity, position);
    const { role, term } = position;
    if (role !== 'leader' || term === this.#ledTerm) return;
    this.#ledTerm = term;
    this.onLeading();
  }

  async #boot(life: SimLife): Promise<void> {
    const { world, id, voters, network, court, config } = this.#options;
    const identity: Member = {
      id,
      directoryId: this.#directoryId,
      life: life.number,
      nowMs: () => life.clock.nowMs(),
      voters: () => this.#quorum?.voters() ?? [],
      highWatermark: () => this.#quorum?.position().highWatermark ?? 0,
    };
    const machine = new RegisterMachine(
      (records, digest) => court.applied(identity, records, digest),
      (endOffset, digest) => court.restored(identity, endOffset, digest),
    );
    this.#identity = identity;
    this.#machine = machine;
    try {
      this.#quorum = await MetadataQuorum.start({
        nodeId: id,
        directoryId: this.#directoryId,
        voters: voters.map((voter) => ({ id: voter })),
        store: observedStore(this.disk.mount(), identity, court),
        transport: observedTransport(new SimRaftTransport(network, life, id), identity, court),
        clock: life.clock,
        random: life.random,
        logger: simLogger(life),
        config,
        stateMachine: machine,
        onLeadership: () => {},
        onFatal: (error) => this.#fatal(life, error),
      });
    } catch (error) {
      if (!(error instanceof MillraceError) || error.code !== 'LOG_DAMAGED') throw error;
      life.note('stays out', error.code);
      world.schedule(0, () => this.process.kill());
    }
  }

  /** A node whose disk fails ends; any other end is a violation. */
  #fatal(life: SimLife, error: MillraceError): void {
    const { world } = this.#options;
    if (!isDiskError(error)) world.fail(`controller ${this.id} gives up: ${error.message}`, error);
    life.note('ends', error.message);
    world.schedule(0, () => {
      if (life.isCurrent) this.kill('process');
    });
    // Somebody starts it again, whether the faults are over or not: a write that began under them may fail after them.
    world.schedule(exponential(world.streams.crash, RESTART_MEAN_MS), () => {
      if (!this.process.isAlive && this.process.lives === life.number) this.start();
    });
  }
}

function isDiskError(error: unknown): boolean {
  for (let cause = error; cause instanceof Error; cause = cause.cause) {
    if ('code' in cause && (cause.code === 'EIO' || cause.code === 'ENOSPC')) return true;
  }
  return false;
}

function observedTransport(transport: RaftTransport, member: Member, court: QuorumCourt): RaftTransport {
  return {
    send: (to: number, message: RaftMessage) => {
      court.sent(member, to, message);
      transport.send(to, message);
    },
    onMessage: (handler) => {
      transport.onMessage((from, message) => {
        court.received(member, from, message);
        handler(from, message);
      });
    },
    onDisconnect: (handler) => transport.onDisconnect(handler),
  };
}
