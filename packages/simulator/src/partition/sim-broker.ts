/** One broker of a partition world over all its lives: its disk, its process, what it serves. */
import {
  Broker,
  type DeleteRecordsRequest,
  type FetchRequest,
  type ListOffsetsRequest,
  type PartitionProduce,
  type ProduceRequest,
  type ProduceResponse,
} from '@millrace/broker';
import { MillraceError, type NodeId, type Random, randomUuid } from '@millrace/core';
import { BatchView } from '@millrace/records';
import { LogStore } from '@millrace/storage';
import type { PlannedPowerLosses } from '../disk/planned-power-losses.ts';
import { SimDisk } from '../disk/sim-disk.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { Death, SimLife, SimProcess } from '../world/sim-process.ts';
import type { World } from '../world/world.ts';
import { brokerName } from './broker-client.ts';
import { answering } from './calls.ts';
import type { MessageStreams } from './message-streams.ts';
import type { Observatory } from './observatory.ts';
import { modelBatch } from './partition-model.ts';
import type { ProduceAnswer } from './partition-observation.ts';
import type { PartitionPlan } from './partition-plan.ts';
import { simControllerChannel } from './sim-controller-channel.ts';
import {
  type AnswerFilter,
  type ReplicaHello,
  replicaSession,
  simReplicaChannel,
} from './sim-replica-channel.ts';

export interface SimBrokerOptions {
  readonly world: World;
  readonly streams: MessageStreams;
  readonly observatory: Observatory;
  readonly plan: Pick<PartitionPlan, 'broker' | 'storage' | 'controller'>;
  readonly clusterId: string;
  readonly answerFilter?: AnswerFilter;
}

const PATH = '/data';
const PORT = 9192;
const RESTART_MS = 300;

export class SimBroker {
  readonly id: NodeId;
  readonly process: SimProcess;
  readonly disk: SimDisk;
  broker: Broker | undefined;
  /** Until it starts again no durable log of this life can be used, those that it does not have yet included. */
  hasFailedJournal = false;
  /** While false a broker that ends by itself is not started again. */
  restarts = true;
  /** Undefined: with every trouble that a power loss can make. */
  powerLosses: PlannedPowerLosses | undefined;
  readonly #options: SimBrokerOptions;

  constructor(id: NodeId, options: SimBrokerOptions) {
    this.id = id;
    this.#options = options;
    const { world } = options;
    this.process = world.process(brokerName(id));
    this.disk = new SimDisk({
      schedule: (delayMs, run) => {
        world.schedule(delayMs, run, this.process.life);
      },
    });
  }

  start(): void {
    this.process.start((life) => this.#boot(life));
  }

  /** As `kill -9`, or with the power of the machine. */
  kill(death: Death): void {
    const { life } = this.process;
    this.process.kill(death);
    this.#ended(life);
    if (death === 'process') this.disk.unmount();
    else this.#losePower(this.#options.world.streams.disk);
  }

  #losePower(random: Random): void {
    this.disk.crash(this.powerLosses?.choices(random, this.disk.sequence) ?? random);
  }

  /** Logs that this broker cannot use until it is started again, or repaired. */
  get offlineCount(): number {
    let count = 0;
    for (const { offline } of this.broker?.partitions ?? []) if (offline !== undefined) count += 1;
    return count;
  }

  async #boot(life: SimLife): Promise<void> {
    try {
      await this.#open(life);
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error;
      this.#gaveUp(life, error);
    }
  }

  async #open(life: SimLife): Promise<void> {
    const { world, streams, observatory, plan, clusterId, answerFilter } = this.#options;
    const fileSystem = this.disk.mount();
    const { clock, random } = life;
    this.hasFailedJournal = false;
    const logger = simLogger(life, (event) => {
      if (event === 'journal_failed') this.hasFailedJournal = true;
    });
    if (LogStore.readIdentity(fileSystem, PATH) === undefined) {
      const identity = { clusterId, nodeId: this.id, directoryId: randomUuid(world.streams.disk) };
      await LogStore.format(fileSystem, PATH, identity);
    }
    const logStore = await LogStore.open({
      path: PATH,
      fileSystem,
      clock,
      random,
      logger,
      config: plan.storage,
    });
    if (!life.isCurrent) return;
    observatory.watch(this.id, life, this.disk, logStore);
    const broker = await Broker.start({
      nodeId: this.id,
      incarnationId: randomUuid(random),
      logStore,
      controllers: simControllerChannel(streams, life),
      replicas: simReplicaChannel(streams, life, this.id, answerFilter),
      endpoints: [{ listener: 'GRPC', host: this.process.name, port: PORT }],
      interBrokerListener: 'GRPC',
      rack: '',
      clock,
      random,
      logger,
      config: plan.broker,
      sessionTimeoutMs: plan.controller.sessionTimeoutMs,
      onFatal: (error) => this.#gaveUp(life, error),
    });
    if (!life.isCurrent) return;
    this.broker = broker;
    observatory.watchBroker(life, broker);
    streams.listen(life, (end, hello) =>
      hello === 'client'
        ? answering(end, (method, body) => this.#serve(life, broker, method, body))
        : replicaSession(broker, end, hello as ReplicaHello, (text) => this.#options.world.fail(text)),
    );
  }

  #serve(life: SimLife, broker: Broker, method: string, body: unknown): Promise<unknown> | undefined {
    switch (method) {
      case 'produce':
        return this.#produce(life, broker, body as ProduceRequest);
      case 'fetch':
        return broker.fetch(body as FetchRequest).then((response) => {
          this.#options.observatory.served(life, response.partitions);
          return response;
        });
      case 'deleteRecords':
        return broker.deleteRecords(body as DeleteRecordsRequest);
      case 'listOffsets':
        return broker.listOffsets(body as ListOffsetsRequest);
      default:
        return Promise.reject(new MillraceError('INVALID_REQUEST'));
    }
  }

  #produce(life: SimLife, broker: Broker, sent: ProduceRequest): Promise<ProduceResponse> | undefined {
    // A stream that is copied byte by byte would have given the broker bytes of its own.
    const request = { ...sent, partitions: sent.partitions.map(ownBytes) };
    const { topics } = broker.image();
    const epochs = request.partitions.map(
      ({ topicId, partition }) => topics.get(topicId)?.partitions[partition]?.leaderEpoch,
    );
    const answered = broker.produce(request).then((response) => {
      this.#judgeEpochs(request, response, epochs);
      const answers = response.partitions.map((answer, i): ProduceAnswer => {
        const view = BatchView.at(sent.partitions[i]!.records, 0)!;
        return { brokerId: this.id, acks: sent.acks, answer, batch: modelBatch(view) };
      });
      this.#options.observatory.produced(life, answers);
      return response;
    });
    return sent.acks === 0 ? undefined : answered;
  }

  /** P16: whoever knows another epoch than the leader is not served by it. */
  #judgeEpochs(
    { partitions }: ProduceRequest,
    response: ProduceResponse,
    epochs: readonly (number | undefined)[],
  ): void {
    for (const [i, { topicId, partition, leaderEpoch }] of partitions.entries()) {
      const answer = response.partitions[i];
      if (answer === undefined || answer.failure !== undefined) continue;
      if (leaderEpoch === -1 || leaderEpoch === epochs[i]) continue;
      this.#options.world.fail(
        `invariant 31 a-fenced-leader-acknowledges-nothing: broker ${this.id} in epoch ${epochs[i]} of ${topicId}-${partition} ` +
          `takes a batch for epoch ${leaderEpoch}`,
      );
    }
  }

  /** The broker cannot go on, or could not begin: somebody starts it again. */
  #gaveUp(life: SimLife, error: MillraceError): void {
    if (!life.isCurrent) return;
    life.note('gave up', error.code);
    this.#stop(life);
    if (!this.restarts) return;
    this.#options.world.schedule(RESTART_MS, () => {
      if (!this.process.isAlive && this.restarts) this.start();
    });
  }

  #stop(life: SimLife): void {
    this.process.kill('process');
    this.#ended(life);
    this.disk.unmount();
  }

  #ended(life: SimLife | undefined): void {
    this.broker = undefined;
    if (life !== undefined) this.#options.observatory.ended(life);
  }
}

function ownBytes(entry: PartitionProduce): PartitionProduce {
  return { ...entry, records: Buffer.from(entry.records) };
}
