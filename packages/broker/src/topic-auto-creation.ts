/** Topics that come into being because somebody asked for them, as `auto.create.topics.enable` allows. */
import type { Clock } from '@millrace/core';
import { isInternalTopic, topicByName } from '@millrace/metadata';
import type { DescribeTopicsRequest } from './broker-api.ts';
import type { ControllerChannel } from './controller-channel.ts';
import type { MetadataView } from './metadata-view.ts';
import { within } from './within.ts';

/**
 * Asks the controller for every name that is missing, and waits until this broker sees the result. A name that
 * cannot be created stays missing: the answer to the description says so.
 */
export async function createMissingTopics(
  { names, timeoutMs, clientId }: DescribeTopicsRequest,
  controllers: Pick<ControllerChannel, 'createTopics'>,
  metadata: MetadataView,
  clock: Clock,
): Promise<void> {
  const missing = names.filter(
    (name) => topicByName(metadata.image, name) === undefined && !isInternalTopic(name),
  );
  if (missing.length === 0) return;
  const { topics } = await controllers.createTopics({
    timeoutMs,
    clientId,
    validateOnly: false,
    topics: missing.map((name) => ({
      name,
      partitionCount: -1,
      replicationFactor: -1,
      assignments: [],
      configs: {},
    })),
  });
  const created = topics.filter(({ failure }) => failure === undefined).map(({ name }) => name);
  const areHere = metadata.until((image) => created.every((name) => topicByName(image, name) !== undefined));
  await within(clock, timeoutMs, areHere);
}
