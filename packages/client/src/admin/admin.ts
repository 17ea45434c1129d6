/** The admin that users hold. */
import { MillraceError, type TopicPartition } from '@millrace/core';
import type {
  AdminOptions,
  ClusterInfo,
  ConfigChange,
  ConfigResource,
  CreatedTopic,
  DeletedRecords,
  ElectedLeader,
  ListedOffset,
  NewPartitions,
  NewTopic,
  OffsetSpec,
  QuorumInfo,
  ResourceConfigs,
  TopicInfo,
  ValidateOptions,
} from './admin-shapes.ts';

const unsupported = () => new MillraceError('UNSUPPORTED_VERSION');

/**
 * Administration. Calls that take several items throw the MillraceError of the one that failed, or an
 * AggregateError of MillraceErrors if several did; the others were done.
 */
export class Admin implements AsyncDisposable {
  createTopic(_topic: NewTopic, _options?: ValidateOptions): Promise<CreatedTopic> {
    throw unsupported();
  }
  createTopics(_topics: readonly NewTopic[], _options?: ValidateOptions): Promise<CreatedTopic[]> {
    throw unsupported();
  }
  deleteTopic(_name: string, _options?: AdminOptions): Promise<void> {
    throw unsupported();
  }
  deleteTopics(_names: readonly string[], _options?: AdminOptions): Promise<void> {
    throw unsupported();
  }
  /** Names, sorted. */
  listTopics(_options?: AdminOptions & { readonly includeInternal?: boolean }): Promise<string[]> {
    throw unsupported();
  }
  /** In the order asked; every topic, sorted by name, if no names are given. */
  describeTopics(_names?: readonly string[], _options?: AdminOptions): Promise<TopicInfo[]> {
    throw unsupported();
  }
  createPartitions(_topics: readonly NewPartitions[], _options?: ValidateOptions): Promise<void> {
    throw unsupported();
  }
  describeConfigs(
    _resources: readonly ConfigResource[],
    _options?: AdminOptions,
  ): Promise<ResourceConfigs[]> {
    throw unsupported();
  }
  alterConfigs(_changes: readonly ConfigChange[], _options?: ValidateOptions): Promise<void> {
    throw unsupported();
  }
  describeCluster(_options?: AdminOptions): Promise<ClusterInfo> {
    throw unsupported();
  }
  describeQuorum(_options?: AdminOptions): Promise<QuorumInfo> {
    throw unsupported();
  }
  /** In the order asked. */
  listOffsets(
    _queries: readonly (TopicPartition & { readonly at: OffsetSpec })[],
    _options?: AdminOptions,
  ): Promise<ListedOffset[]> {
    throw unsupported();
  }
  /** Deletes records before an offset; `'latest'` deletes everything readers can see. */
  deleteRecords(
    _partitions: readonly (TopicPartition & { readonly before: bigint | number | 'latest' })[],
    _options?: AdminOptions,
  ): Promise<DeletedRecords[]> {
    throw unsupported();
  }
  /** Every partition if none are given. Partitions whose leader stays are in the answer with their `error`. */
  electLeaders(
    _election: 'preferred' | 'unclean',
    _partitions?: readonly TopicPartition[],
    _options?: AdminOptions,
  ): Promise<ElectedLeader[]> {
    throw unsupported();
  }
  close(): Promise<void> {
    throw unsupported();
  }
  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}
