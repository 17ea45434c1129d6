/** The topic of committed offsets and groups comes into being when somebody first asks for a coordinator. */
import { type Clock, MiB, MillraceError } from '@millrace/core';
import type { GroupConfig } from '@millrace/groups';
import { OFFSETS_TOPIC, type TopicImage, topicByName } from '@millrace/metadata';
import type { NewTopic } from './admin-api.ts';
import type { RequestContext } from './broker-api.ts';
import type { ControllerChannel } from './controller-channel.ts';
import type { MetadataView } from './metadata-view.ts';
import { within } from './within.ts';

export interface OffsetsTopicOptions {
  readonly controllers: Pick<ControllerChannel, 'createTopics' | 'describeQuorum'>;
  readonly metadata: MetadataView;
  readonly clock: Clock;
  readonly config: GroupConfig;
}

/** A change of a large group is one batch, whole or not at all: it may be larger than what producers send. */
const BATCH_BYTES_MIN = 8 * MiB;

export class OffsetsTopic {
  readonly #options: OffsetsTopicOptions;
  #creating: Promise<void> | undefined;

  constructor(options: OffsetsTopicOptions) {
    this.#options = options;
  }

  get image(): TopicImage | undefined {
    return topicByName(this.#options.metadata.image, OFFSETS_TOPIC);
  }

  /** @throws {MillraceError} COORDINATOR_NOT_AVAILABLE if it is not there by then; what keeps it is in the message. */
  async ensure(request: RequestContext): Promise<TopicImage> {
    if (this.image === undefined) {
      // Whoever comes meanwhile waits for the same.
      this.#creating ??= this.#create(request).finally(() => {
        this.#creating = undefined;
      });
      await within(this.#options.clock, request.timeoutMs, this.#creating);
    }
    const { image } = this;
    if (image === undefined) throw notAvailable('it is being created');
    return image;
  }

  async #create({ timeoutMs, clientId }: RequestContext): Promise<void> {
    const { controllers, metadata, clock, config } = this.#options;
    const { voters } = await controllers.describeQuorum({ timeoutMs, clientId });
    const nodeCount = Math.max(metadata.image.brokers.size, voters.length);
    const topic = newOffsetsTopic(config, nodeCount);
    const request = { timeoutMs, clientId, validateOnly: false, topics: [topic] };
    const [created] = (await controllers.createTopics(request)).topics;
    if (created?.failure !== undefined && created.failure.code !== 'TOPIC_ALREADY_EXISTS') {
      throw notAvailable(created.failure.message);
    }
    await within(
      clock,
      timeoutMs,
      metadata.until((image) => topicByName(image, OFFSETS_TOPIC) !== undefined),
    );
  }
}

/** @param nodeCount registered brokers, or voters if they are more: the cluster may still be starting. */
function newOffsetsTopic(config: GroupConfig, nodeCount: number): NewTopic {
  const replicationFactor = Math.min(config['offsets.topic.replication.factor'], nodeCount);
  return {
    name: OFFSETS_TOPIC,
    partitionCount: config['offsets.topic.num.partitions'],
    replicationFactor,
    assignments: [],
    configs: {
      'cleanup.policy': 'compact',
      'compression.type': 'producer',
      'max.message.bytes': String(Math.max(BATCH_BYTES_MIN, 2 * config['offsets.batch.max.bytes'])),
      'min.insync.replicas': replicationFactor >= 3 ? '2' : '1',
      'segment.bytes': String(config['offsets.topic.segment.bytes']),
    },
  };
}

function notAvailable(why: string): MillraceError {
  return new MillraceError('COORDINATOR_NOT_AVAILABLE', `${OFFSETS_TOPIC} is not available: ${why}`);
}
