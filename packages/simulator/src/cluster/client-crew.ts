/**
 * The client processes of a simulated cluster: producers, consumers, an administrator. Each lives in a process of its own,
 * draws what it does from the workload's chance, and writes down what it was told.
 */
import { type Millrace, Millrace as MillraceClient, networkTransport } from '@millrace/client';
import type { MillraceError, SeededRandom } from '@millrace/core';
import { KafkaClient } from '../classic/kafka-client.ts';
import { ClientHistory } from '../history/client-history.ts';
import type { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { SimLife, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { administer } from './administering.ts';
import { type ClusterLayout, PORT, type TopicPlan } from './cluster-layout.ts';
import { consume } from './consuming.ts';
import { MetadataHistory } from './metadata-history.ts';
import { produce } from './producing.ts';

/** What every client may use. */
export interface CrewMember {
  readonly name: string;
  readonly life: SimLife;
  readonly millrace: Millrace;
  readonly random: SeededRandom;
  readonly crew: ClientCrew;
}

export class ClientCrew {
  readonly world: World;
  readonly layout: ClusterLayout;
  readonly history = new ClientHistory();
  readonly metadata = new MetadataHistory();
  /** Sends and calls without an answer yet. */
  open = 0;
  /** The faults are over: no new work. */
  isDone = false;
  /** Highest offset that somebody asked to delete up to, by partition. */
  readonly deletedUpTo = new Map<string, number>();
  readonly counts = { sent: 0, acknowledged: 0, refused: 0, unknown: 0, polled: 0, calls: 0, failedCalls: 0 };
  readonly #rpc: SimRpcNetwork;
  readonly #processes: SimProcess[] = [];

  constructor(world: World, rpc: SimRpcNetwork, layout: ClusterLayout) {
    this.world = world;
    this.#rpc = rpc;
    this.layout = layout;
  }

  /** Of every client that there will be. */
  get plannedNames(): string[] {
    const { producers, consumers } = this.layout;
    return [...numbered('producer', producers), ...numbered('consumer', consumers), 'admin'];
  }

  get strictTopics(): readonly TopicPlan[] {
    return this.layout.topics.filter(({ isStrict }) => isStrict);
  }

  start(clientsMax = Number.POSITIVE_INFINITY): void {
    const { producers, consumers } = this.layout;
    const random = this.world.streams.workload;
    const members: [string, (member: CrewMember) => Promise<void>][] = [
      ...numbered('producer', producers).map((name) => [name, produce] as const),
      ...numbered('consumer', consumers).map((name) => [name, consume] as const),
      ['admin', administer],
    ].map(([name, work]) => [name, work] as [string, typeof produce]);
    for (const [name, work] of members.slice(0, clientsMax)) this.#start(name, random.fork(), work);
  }

  /** Ends every client where it is. */
  stop(): void {
    for (const process of this.#processes) process.kill();
  }

  get brokers(): string[] {
    return this.layout.nodes.filter(({ isBroker }) => isBroker).map(({ name }) => name);
  }

  /** A client of another make. */
  kafka(life: SimLife, clientId: string): KafkaClient {
    return new KafkaClient(this.#rpc.of(life), life.clock, clientId);
  }

  millrace(life: SimLife, clientId?: string): Millrace {
    return new MillraceClient({
      bootstrap: this.brokers.map((name) => `${name}:${PORT}`),
      ...(clientId !== undefined && { clientId }),
      requestTimeoutMs: 10_000,
      clock: life.clock,
      random: life.random,
      transport: networkTransport(this.#rpc.of(life)),
      logger: simLogger(life),
    });
  }

  #start(name: string, random: SeededRandom, work: (member: CrewMember) => Promise<void>): void {
    const process = this.world.process(name);
    this.#processes.push(process);
    process.start((life) => work({ name, life, millrace: this.millrace(life), random, crew: this }));
  }
}

function numbered(name: string, count: number): string[] {
  return Array.from({ length: count }, (_, index) => `${name}-${index + 1}`);
}

/** For calls whose failure is an answer like any other. @throws whatever is no operating error. */
export function codeOf(error: unknown): string {
  const errors = error instanceof AggregateError ? error.errors : [error];
  for (const each of errors) if (!isMillraceError(each)) throw each;
  return (errors[0] as MillraceError).code;
}

function isMillraceError(error: unknown): error is MillraceError {
  return error instanceof Error && error.name === 'MillraceError';
}
