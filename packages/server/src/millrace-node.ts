/**
 * A node, put together: the only place that knows every part. `bind` prepares the directory and takes the ports;
 * `start` brings the parts up in order; `close` ends them newest first. Decides nothing about records or metadata.
 */
import { hostname } from 'node:os';
import { Broker, type NewGroupCoordinator } from '@millrace/broker';
import { systemClock, systemRandom } from '@millrace/client';
import {
  type Clock,
  type Closable,
  closeAll,
  Deferred,
  type Logger,
  MillraceError,
  type Random,
  randomUuid,
  type Timer,
} from '@millrace/core';
import {
  formatHostPort,
  GrpcControllerChannel,
  GrpcRaftTransport,
  GrpcReplicaChannel,
  registerAdminServices,
  registerBrokerServices,
  registerControllerServices,
  registerRaftService,
} from '@millrace/grpc-api';
import { RequestTurns } from '@millrace/kafka-api';
import {
  type Controller,
  LevelRaftStore,
  MemoryRaftStore,
  type RaftStore,
  startController,
} from '@millrace/metadata-quorum';
import {
  adminService,
  brokerService,
  controllerService,
  type ExpectedMethod,
  groupService,
  grpcNetwork,
  type RpcListener,
  type RpcNetwork,
  raftService,
  replicationService,
} from '@millrace/protocol';
import { type FileSystem, type LogStore, MemoryFileSystem, NodeFileSystem } from '@millrace/storage';
import { openDataDirectory } from './data-directory.ts';
import { KafkaDoor } from './kafka-door.ts';
import type { Voter } from './listener.ts';
import type { NodeConfig } from './node-config.ts';

/** Where a node's bytes live. Memory lasts as long as its `NodeDisk`: a node started on it again finds its data. */
export interface NodeDisk {
  readonly fileSystem: FileSystem;
  openRaftStore(path: string): Promise<RaftStore>;
  /** The Raft store has its bytes where the logs have theirs, and must find room when those have filled it. */
  readonly isShared?: boolean;
}

export interface NodeEnvironment {
  readonly logger: Logger;
  readonly disk?: NodeDisk;
  readonly clock?: Clock;
  readonly random?: Random;
  readonly network?: RpcNetwork;
  /** Formats an empty directory for this cluster. Without it, such a directory is refused. */
  readonly firstStartClusterId?: string;
  /** Another machine for groups than the real one, or one that is looked at. */
  readonly newGroupCoordinator?: NewGroupCoordinator;
  /** The node cannot go on: `abandon` it. Called at most once. */
  readonly onFatal: (error: MillraceError) => void;
}

export interface NodeAddress {
  readonly listener: string;
  readonly host: string;
  readonly port: number;
}

interface Listening {
  readonly servers: readonly RpcListener[];
  readonly doors: readonly KafkaDoor[];
}

const METADATA_FOLDER = 'metadata';
/** Before room is kept back on the disk: the first records come first. */
const RESERVE_DELAY_MS = 1000;

export const realDisk: NodeDisk = {
  fileSystem: new NodeFileSystem(),
  openRaftStore: (path) => LevelRaftStore.open(path),
  isShared: true,
};

export function memoryDisk(): NodeDisk {
  const store = new MemoryRaftStore();
  return { fileSystem: new MemoryFileSystem(), openRaftStore: async () => store };
}

export class MillraceNode implements AsyncDisposable {
  readonly config: NodeConfig;
  /** As other programs reach it, in the order of `listeners`. */
  readonly addresses: readonly NodeAddress[];
  readonly #environment: NodeEnvironment;
  readonly #store: LogStore;
  readonly #servers: readonly RpcListener[];
  readonly #doors: readonly KafkaDoor[];
  readonly #transports: Closable[] = [];
  #controller: Controller | undefined;
  #broker: Broker | undefined;
  /** Rejected when the start is given up. */
  readonly #stopped = new Deferred<never>();
  #isStopping = false;
  #reserveTimer: Timer | undefined;
  #starting: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;

  private constructor(
    config: NodeConfig,
    environment: NodeEnvironment,
    store: LogStore,
    { servers, doors }: Listening,
    addresses: readonly NodeAddress[],
  ) {
    this.config = config;
    this.#environment = environment;
    this.#stopped.promise.catch(() => {});
    this.#store = store;
    this.#servers = servers;
    this.#doors = doors;
    this.addresses = addresses;
  }

  /** A node that takes part, or a failure. @throws {MillraceError} what `bind` and `run` throw. */
  static async start(config: NodeConfig, environment: NodeEnvironment): Promise<MillraceNode> {
    const node = await MillraceNode.bind(config, environment);
    await node.run(config.voters);
    return node;
  }

  /**
   * Opens the data directory and the ports; nothing is served yet.
   * @throws {MillraceError} NOT_FORMATTED, DIRECTORY_LOCKED, INCONSISTENT_CLUSTER_ID, ADDRESS_IN_USE.
   */
  static async bind(config: NodeConfig, environment: NodeEnvironment): Promise<MillraceNode> {
    const { clock = systemClock, random = systemRandom(), logger, disk = realDisk } = environment;
    const { network = grpcNetwork } = environment;
    const store = await openDataDirectory(config, {
      fileSystem: disk.fileSystem,
      clock,
      random,
      logger,
      clusterId: environment.firstStartClusterId,
    });
    const servers: RpcListener[] = [];
    const doors: KafkaDoor[] = [];
    const turns = new RequestTurns(clock);
    const addresses: NodeAddress[] = [];
    try {
      for (const { name, host, port, protocol } of config.listeners) {
        let bound: number;
        if (protocol === 'GRPC') {
          const server = network.serve({ listener: name, logger, config: config.rpc });
          servers.push(server);
          server.expect(methodsOf(config));
          bound = await listen(server, host, port);
        } else {
          const limits = { ...config.rpc, ...config.broker, ...config.kafka };
          const door = new KafkaDoor({ listener: name, config: limits, turns, clock, random, logger });
          doors.push(door);
          bound = await door.listen(host, port);
        }
        const advertised = config.advertised.get(name);
        const reachable = host === '' || host === '0.0.0.0' || host === '::' ? hostname() : host;
        addresses.push({
          listener: name,
          host: advertised?.host || reachable,
          port: advertised?.port || bound,
        });
      }
    } catch (error) {
      await closeAll([
        ...doors,
        ...servers.map((server) => closing(server, config)),
        { close: () => store.close({ clean: true }) },
      ]);
      throw error;
    }
    return new MillraceNode(config, environment, store, { servers, doors }, addresses);
  }

  /** Resolves once this node serves: registered, caught up, not fenced; a controller alone once it takes part. */
  async run(voters: readonly Voter[]): Promise<void> {
    const { properties, ignoredKeys } = this.config;
    const { logger } = this.#environment;
    if (ignoredKeys.length > 0) {
      logger.warn(
        { event: 'keys_ignored', keys: ignoredKeys },
        `keys of Kafka without a meaning here: ${ignoredKeys.join(', ')}`,
      );
    }
    this.#starting = this.#startParts(voters);
    try {
      await this.#starting;
    } catch (error) {
      await this.abandon();
      throw error;
    }
    for (const server of [...this.#servers, ...this.#doors]) server.setServing(true);
    this.#keepReserveLater();
    logger.info(
      {
        event: 'node_started',
        nodeId: properties['node.id'],
        clusterId: this.#store.clusterId,
        addresses: this.addresses,
      },
      `node ${properties['node.id']} serves on ${this.addresses.map(({ host, port }) => `${host}:${port}`).join(', ')}`,
    );
  }

  get broker(): Broker | undefined {
    return this.#broker;
  }

  get controller(): Controller | undefined {
    return this.#controller;
  }

  /** Stops in order: leadership moves first, what is in flight is answered, data is flushed and marked clean. */
  close(): Promise<void> {
    this.#closing ??= this.#close();
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Ends without order, as after a failure: nothing is handed over and the directory is not marked clean. */
  abandon(): Promise<void> {
    this.#closing ??= this.#abandon();
    return this.#closing;
  }

  async #startParts(voters: readonly Voter[]): Promise<void> {
    if (this.config.isController) await this.#startController(voters);
    if (this.#isStopping) return await this.#stopped.promise;
    if (this.config.isBroker) await this.#startBroker(voters);
  }

  #keepReserveLater(): void {
    const { disk = realDisk } = this.#environment;
    if (disk.isShared !== true || this.#isStopping) return;
    const { clock } = this.#parts();
    this.#reserveTimer = clock.schedule(RESERVE_DELAY_MS, () => void this.#store.keepReserve());
  }

  /** Nothing may be closed while it is being made; what waits for others gives up. */
  async #startEnded(): Promise<void> {
    this.#isStopping = true;
    this.#reserveTimer?.cancel();
    this.#stopped.reject(new MillraceError('CLOSED', 'the node was stopped while it started'));
    await this.#starting.catch(() => {});
  }

  async #startController(voters: readonly Voter[]): Promise<void> {
    const { config } = this;
    const { clock, random, logger, network } = this.#parts();
    const nodeId = config.properties['node.id'];
    const disk = this.#environment.disk ?? realDisk;
    const transport = new GrpcRaftTransport({
      nodeId,
      clusterId: this.#store.clusterId,
      peers: voters.filter(({ id }) => id !== nodeId),
      bootstrap: config.bootstrapControllers,
      address: this.#controllerAddress(),
      clock,
      logger,
      network,
    });
    this.#transports.push(transport);
    for (const server of this.#servers) registerRaftService(server, transport);
    transport.start();
    this.#controller = await startController(
      {
        nodeId,
        directoryId: this.#store.directoryId,
        voters: voters.map((voter) => ({ id: voter.id, address: formatHostPort(voter) })),
        store: await disk.openRaftStore(`${this.#store.path}/${METADATA_FOLDER}`),
        transport,
        clock,
        random,
        logger,
        config: config.quorum,
        onFatal: this.#environment.onFatal,
      },
      { clock, random, logger, config: config.controller, clusterDefaults: config.clusterTexts },
    );
    for (const server of this.#servers) {
      this.#transports.push(
        registerControllerServices(server, this.#controller, { clusterId: this.#store.clusterId }),
      );
    }
  }

  async #startBroker(voters: readonly Voter[]): Promise<void> {
    const { config } = this;
    const { clock, random, logger, network } = this.#parts();
    const nodeId = config.properties['node.id'];
    const clusterId = this.#store.clusterId;
    const clientId = `node-${nodeId}`;
    const controllers = new GrpcControllerChannel({
      clusterId,
      quorum: this.#store,
      clientId,
      // Addresses that no node is named for get names that no node has.
      controllers: [
        ...voters,
        ...config.bootstrapControllers.map((address, i) => ({ id: -2 - i, ...address })),
      ],
      clock,
      logger,
      network,
    });
    this.#transports.push(controllers);
    let hasStarted = false;
    const { newGroupCoordinator } = this.#environment;
    const broker = await Broker.start({
      nodeId,
      incarnationId: randomUuid(random),
      logStore: this.#store,
      controllers,
      replicas: new GrpcReplicaChannel({ clusterId, clientId, network }),
      endpoints: this.addresses,
      interBrokerListener: config.interBrokerListener,
      rack: config.properties['broker.rack'],
      clock,
      random,
      logger,
      config: config.broker,
      groupConfig: config.groups,
      ...(newGroupCoordinator !== undefined && { newGroupCoordinator }),
      sessionTimeoutMs: config.controller['broker.session.timeout.ms'],
      fileTexts: config.clusterTexts,
      onFatal: (error) => {
        // While it starts, whoever waits for the start hears of it; afterwards the owner does.
        if (hasStarted) this.#environment.onFatal(error);
        else this.#stopped.reject(error);
      },
      defer: (callback) => void clock.schedule(0, callback),
    });
    this.#broker = broker;
    for (const server of this.#servers) {
      registerBrokerServices(server, broker);
      registerAdminServices(server, broker);
    }
    for (const door of this.#doors) door.leadTo(broker);
    await Promise.race([broker.whenActive(), this.#stopped.promise]);
    hasStarted = true;
  }

  /** Where other controllers reach this one. */
  #controllerAddress(): string {
    const name = this.config.interBrokerListener;
    return formatHostPort(this.addresses.find(({ listener }) => listener === name)!);
  }

  #parts(): { clock: Clock; random: Random; logger: Logger; network: RpcNetwork } {
    const { clock = systemClock, random = systemRandom(), logger, network = grpcNetwork } = this.#environment;
    return { clock, random, logger, network };
  }

  async #close(): Promise<void> {
    for (const server of [...this.#servers, ...this.#doors]) server.setServing(false);
    await this.#startEnded();
    await closeAll([
      ...(this.#broker ? [this.#broker] : []),
      ...(this.#controller ? [this.#controller] : []),
      ...this.#transports.toReversed(),
      ...[...this.#servers, ...this.#doors].map((server) => closing(server, this.config)),
      ...(this.#broker ? [] : [{ close: () => this.#store.close({ clean: true }) }]),
    ]);
  }

  async #abandon(): Promise<void> {
    await this.#startEnded();
    await closeAll([
      { close: async () => this.#broker?.kill() },
      ...this.#doors,
      ...(this.#controller ? [this.#controller] : []),
      ...this.#transports.toReversed(),
      ...this.#servers.map((server) => closing(server, this.config)),
      ...(this.#broker ? [] : [{ close: () => this.#store.close({ clean: false }) }]),
    ]);
  }
}

/** Every interface, with IPv6 where the machine has it. @throws {MillraceError} ADDRESS_IN_USE */
async function listen(server: RpcListener, host: string, port: number): Promise<number> {
  try {
    if (host !== '') return await server.listen(host, port);
    return await server.listen('::', port).catch(() => server.listen('0.0.0.0', port));
  } catch (error) {
    const reason = (error as Error).message;
    if (!/EADDRINUSE|No address added/.test(reason)) throw error;
    const address = `${host === '' ? '*' : host}:${port}`;
    throw new MillraceError('ADDRESS_IN_USE', `cannot listen on ${address}`, { cause: error });
  }
}

function closing(server: RpcListener | KafkaDoor, config: NodeConfig): Closable {
  return { close: () => server.drain(config.properties['shutdown.timeout.ms']) };
}

/** What the parts of this node will serve. */
function methodsOf({ isBroker, isController }: NodeConfig): ExpectedMethod[] {
  const services = [
    ...(isController ? [raftService, controllerService] : []),
    ...(isBroker ? [brokerService, adminService, groupService, replicationService] : []),
  ];
  return services.flatMap((service): ExpectedMethod[] => Object.values(service));
}
