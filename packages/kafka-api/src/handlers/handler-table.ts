/** Every handler, by API: one for each API of the table, or this does not compile. */
import { apiVersionsHandler } from './api-versions.ts';
import { classicGroupHandlers } from './classic-group.ts';
import { clusterAdminHandlers } from './cluster-admin.ts';
import { configHandlers } from './configs.ts';
import { consumerGroupHandlers } from './consumer-group.ts';
import { describeProducersHandler } from './describe-producers.ts';
import { fetchHandler } from './fetch.ts';
import { findCoordinatorHandler } from './find-coordinator.ts';
import { groupAdminHandlers } from './group-admin.ts';
import { groupOffsetHandlers } from './group-offsets.ts';
import type { Handlers, Surroundings } from './handler.ts';
import { initProducerIdHandler } from './init-producer-id.ts';
import { logDirsHandler } from './log-dirs.ts';
import { metadataHandler } from './metadata.ts';
import { offsetHandlers } from './offsets.ts';
import { produceHandler } from './produce.ts';
import { topicAdminHandlers } from './topic-admin.ts';
import { topicPartitionsHandler } from './topic-partitions.ts';

export function handlerTable(around: Surroundings): Handlers {
  return {
    apiVersions: apiVersionsHandler(around),
    findCoordinator: findCoordinatorHandler(around),
    ...classicGroupHandlers(around),
    ...consumerGroupHandlers(around),
    ...groupOffsetHandlers(around),
    ...groupAdminHandlers(around),
    ...clusterAdminHandlers(around),
    ...configHandlers(around),
    describeLogDirs: logDirsHandler(around),
    describeProducers: describeProducersHandler(around),
    fetch: fetchHandler(around),
    initProducerId: initProducerIdHandler(around),
    metadata: metadataHandler(around),
    produce: produceHandler(around),
    ...offsetHandlers(around),
    ...topicAdminHandlers(around),
    describeTopicPartitions: topicPartitionsHandler(around),
  };
}
