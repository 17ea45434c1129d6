/** A controller on a fake quorum and a manual clock, and brokers that talk to it, for tests. */
import { type Logger, ManualClock, SeededRandom, silentLogger } from '@millrace/core';
import {
  type BrokerHeartbeat,
  type BrokerRegistration,
  type PartitionImage,
  topicByName,
} from '@millrace/metadata';
import { Controller } from '../controller.ts';
import { controllerConfig } from '../controller-config.ts';
import { FakeQuorum } from './fake-quorum.ts';

export class ControllerScenario {
  readonly clock = new ManualClock();
  /** Lines of the log from "warn" on. */
  readonly warnings: Record<string, unknown>[] = [];
  controller!: Controller;
  quorum!: FakeQuorum;
  readonly epochs = new Map<number, number>();

  static async start(clusterDefaults: Record<string, string> = {}): Promise<ControllerScenario> {
    const scenario = new ControllerScenario();
    scenario.controller = await Controller.create({
      startQuorum: async (hooks) => {
        scenario.quorum = new FakeQuorum(hooks);
        return scenario.quorum;
      },
      clock: scenario.clock,
      random: new SeededRandom(11),
      logger: scenario.#logger(),
      config: controllerConfig.parse({}),
      clusterDefaults,
    });
    return scenario;
  }

  /** An active controller with live brokers. */
  static async withBrokers(...brokerIds: number[]): Promise<ControllerScenario> {
    const scenario = await ControllerScenario.start();
    scenario.quorum.elect();
    for (const id of brokerIds) await scenario.startBroker(id);
    return scenario;
  }

  async startBroker(brokerId: number, changes: Partial<BrokerRegistration> = {}): Promise<void> {
    const { brokerEpoch } = await this.controller.registerBroker({
      brokerId,
      incarnationId: `incarnation-${brokerId}`,
      directoryId: `directory-${brokerId}`,
      endpoints: [{ listener: 'GRPC', host: 'localhost', port: 9000 + brokerId }],
      rack: '',
      previousBrokerEpoch: -1,
      ...changes,
    });
    this.epochs.set(brokerId, brokerEpoch);
    await this.heartbeat(brokerId);
  }

  heartbeat(brokerId: number, changes: Partial<BrokerHeartbeat> = {}) {
    return this.controller.heartbeat({
      brokerId,
      brokerEpoch: this.epochs.get(brokerId)!,
      metadataOffset: this.controller.image().offset,
      wantsShutdown: false,
      offline: [],
      ...changes,
    });
  }

  async topic(name: string, partitionCount = 1, replicationFactor = 1) {
    const { topics } = await this.controller.createTopics({
      topics: [{ name, partitionCount, replicationFactor }],
    });
    return topics[0]!;
  }

  partition(name: string, partition = 0): PartitionImage {
    return topicByName(this.controller.image(), name)!.partitions[partition]!;
  }

  isFenced(brokerId: number): boolean {
    return this.controller.image().brokers.get(brokerId)!.fenced;
  }

  /** Time passes in small steps, with whatever it sets off. */
  async pass(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 50) {
      this.clock.advance(50);
      await settle();
    }
  }

  #logger(): Logger {
    const warn = (fields: object): void => {
      this.warnings.push(fields as Record<string, unknown>);
    };
    return { ...silentLogger, warn, error: warn };
  }
}

/** Lets everything run that waits for nothing but its turn. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
