/**
 * A cluster in this process, for tests and for trying: the nodes of production on real sockets, on disk or in memory.
 * Ports are chosen by the operating system unless a first one is given.
 */
import { join } from 'node:path';
import { systemRandom } from '@millrace/client';
import { type Logger, MillraceError, randomUuid, silentLogger } from '@millrace/core';
import { developmentProperties } from './development-properties.ts';
import type { Voter } from './listener.ts';
import { MillraceNode, memoryDisk, type NodeDisk, type NodeEnvironment, realDisk } from './millrace-node.ts';
import { parseNodeConfig } from './node-config.ts';

export interface ClusterOptions {
  /** How many nodes, each controller and broker, with ids from 1. Default 3. */
  readonly nodes?: number;
  /** 'memory' (the default), or a folder; each node has its own below it. Data of an earlier start is found again. */
  readonly storage?: string;
  /** Settings of every node, by their names in server.properties. */
  readonly properties?: Readonly<Record<string, string>>;
  /** Port of node 1, the others follow; 0, the default, lets the system choose. */
  readonly firstPort?: number;
  /** Port of node 1 for Kafka clients, the others follow; 0 lets the system choose. None unless given. */
  readonly firstKafkaPort?: number;
  /** Needed to find data of an earlier start on disk; random otherwise. */
  readonly clusterId?: string;
  readonly logger?: Logger;
}

/** Each is a whole node with its memory; far more than a test has use for. */
const NODES_MAX = 100;
const KAFKA = 'PLAINTEXT';

interface Member {
  readonly id: number;
  readonly disk: NodeDisk;
  readonly texts: Readonly<Record<string, string>>;
  node: MillraceNode | undefined;
  /** With the ports that it had when the cluster started. */
  listeners: string;
}

/** A running cluster. Closing it ends every node in order; what was in memory is gone then. */
export class Cluster implements AsyncDisposable {
  readonly #members: readonly Member[];
  readonly #environment: Omit<NodeEnvironment, 'disk' | 'onFatal'>;
  #voters: readonly Voter[] = [];
  #closing: Promise<void> | undefined;

  constructor(members: readonly Member[], environment: Omit<NodeEnvironment, 'disk' | 'onFatal'>) {
    this.#members = members;
    this.#environment = environment;
  }

  /** Addresses for clients: `host:port,host:port`. Those of stopped nodes are left out. */
  get bootstrap(): string {
    return this.nodes.map(({ addresses: [first] }) => `${first!.host}:${first!.port}`).join(',');
  }

  /** As `bootstrap`, for Kafka clients. Empty unless the cluster has listeners for them. */
  get kafkaBootstrap(): string {
    const addresses = this.nodes.flatMap((node) =>
      node.addresses.filter(({ listener }) => listener === KAFKA),
    );
    return addresses.map(({ host, port }) => `${host}:${port}`).join(',');
  }

  /** The nodes that run. */
  get nodes(): readonly MillraceNode[] {
    return this.#members.flatMap(({ node }) => (node === undefined ? [] : [node]));
  }

  /** Called once by `startCluster`. */
  async start(): Promise<void> {
    await allOrNone(this.#members.map((member) => this.#bind(member)));
    this.#voters = this.#members.map((member) => {
      const { addresses } = member.node!;
      member.listeners = addresses
        .map(({ listener, host, port }) => `${listener}://${host}:${port}`)
        .join(',');
      const { host, port } = addresses[0]!;
      return { id: member.id, host, port };
    });
    await allOrNone(this.#members.map(({ node }) => node!.run(this.#voters)));
  }

  /** Stops a node in order, or as a crash would with `{ abruptly: true }`. @throws {MillraceError} INVALID_REQUEST if there is no such node. */
  async stopNode(id: number, { abruptly = false }: { abruptly?: boolean } = {}): Promise<void> {
    const member = this.#member(id);
    const { node } = member;
    member.node = undefined;
    await (abruptly ? node?.abandon() : node?.close());
  }

  /** Starts a stopped node again, on its data and its ports. @throws {MillraceError} INVALID_REQUEST if it runs. */
  async restartNode(id: number): Promise<void> {
    const member = this.#member(id);
    if (member.node !== undefined)
      throw new MillraceError('INVALID_REQUEST', `node ${id} runs already; stop it first`);
    await this.#bind(member, { listeners: member.listeners });
    try {
      await member.node!.run(this.#voters);
    } catch (error) {
      member.node = undefined;
      throw error;
    }
  }

  close(): Promise<void> {
    this.#closing ??= Promise.all(this.#members.map(({ id }) => this.stopNode(id))).then(() => undefined);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #bind(member: Member, texts: Readonly<Record<string, string>> = {}): Promise<void> {
    const { logger } = this.#environment;
    member.node = await MillraceNode.bind(parseNodeConfig({ ...member.texts, ...texts }), {
      ...this.#environment,
      disk: member.disk,
      onFatal: (error) => {
        logger.fatal(
          { event: 'node_failed', node: member.id, err: error },
          'a node of the cluster cannot go on',
        );
        this.stopNode(member.id, { abruptly: true }).catch((failure: unknown) => {
          logger.error({ event: 'abandon_failed', err: failure }, 'the failed node did not end cleanly');
        });
      },
    });
  }

  #member(id: number): Member {
    const member = this.#members.find((candidate) => candidate.id === id);
    if (member !== undefined) return member;
    throw new MillraceError(
      'INVALID_REQUEST',
      `there is no node ${id}: ids are 1 to ${this.#members.length}`,
    );
  }
}

/** Resolves when every node serves. @throws {MillraceError} INVALID_CONFIG, and whatever keeps a node from starting. */
export async function startCluster(options: ClusterOptions = {}): Promise<Cluster> {
  const {
    nodes: count = 3,
    storage = 'memory',
    properties = {},
    firstPort = 0,
    firstKafkaPort,
    logger = silentLogger,
  } = options;
  if (!Number.isSafeInteger(count) || count < 1 || count > NODES_MAX) {
    const text = `nodes is a whole number from 1 to ${NODES_MAX}, not ${String(count)}`;
    throw new MillraceError('INVALID_CONFIG', text);
  }
  const members = Array.from({ length: count }, (_, index): Member => {
    const id = index + 1;
    return {
      id,
      disk: storage === 'memory' ? memoryDisk() : realDisk,
      texts: {
        ...developmentProperties(id, count, { grpc: firstPort, kafka: firstKafkaPort }),
        'log.dirs': storage === 'memory' ? `/node-${id}` : join(storage, `node-${id}`),
        ...properties,
      },
      node: undefined,
      listeners: '',
    };
  });
  const clusterId = options.clusterId ?? randomUuid(systemRandom());
  const cluster = new Cluster(members, { logger, firstStartClusterId: clusterId });
  try {
    await cluster.start();
  } catch (error) {
    await cluster.close();
    throw error;
  }
  return cluster;
}

/** Waits for all, also when one fails: what came up late must be there to be closed. */
async function allOrNone(starts: readonly Promise<void>[]): Promise<void> {
  const outcomes = await Promise.allSettled(starts);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed !== undefined) throw failed.reason;
}
