/** What a broker is made of: everything outside of it comes in here. Only types. */

import type { Clock, Logger, MillraceError, NodeId, Random } from '@millrace/core';
import type { GroupConfig } from '@millrace/groups';
import type { LogStore } from '@millrace/storage';
import type { BrokerConfig } from './broker-config.ts';
import type { BrokerEndpoint, ControllerChannel } from './controller-channel.ts';
import type { Defer } from './defer.ts';
import type { NewGroupCoordinator } from './group-coordinators.ts';
import type { ReplicaChannel } from './replica-channel.ts';

export interface BrokerOptions {
  readonly nodeId: NodeId;
  /** One life of the process: random at every start. */
  readonly incarnationId: string;
  /** Open. The broker closes it when it closes. */
  readonly logStore: LogStore;
  readonly controllers: ControllerChannel;
  readonly replicas: ReplicaChannel;
  /** As advertised to clients and to other brokers. */
  readonly endpoints: readonly BrokerEndpoint[];
  /** Which of the endpoints brokers use among themselves. */
  readonly interBrokerListener: string;
  readonly rack: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
  readonly config: BrokerConfig;
  /** Kafka's defaults if absent. */
  readonly groupConfig?: GroupConfig;
  /** Another machine than the real one, for tests. */
  readonly newGroupCoordinator?: NewGroupCoordinator;
  /** As the controllers have it, `broker.session.timeout.ms`. */
  readonly sessionTimeoutMs: number;
  /** Texts of clusterConfig keys in the node's file: defaults of topics as this broker sees them. */
  readonly fileTexts?: Readonly<Record<string, string>>;
  /** The broker cannot go on; close it. Called at most once. */
  readonly onFatal: (error: MillraceError) => void;
  /** Runs a callback after the current event, before time passes. A microtask by default; `setImmediate` batches more. */
  readonly defer?: Defer;
}
