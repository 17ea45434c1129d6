/** What must hold between settings, or of a setting for a certain topic, beyond the range of each alone. No defaults. */
import { MillraceError } from '@millrace/core';
import { BROKER_NAME_OF, type ClusterConfig } from './cluster-config.ts';
import { isInternalTopic } from './internal-topic.ts';
import type { TopicConfig } from './topic-config.ts';

const MIN_LAG = 'min.compaction.lag.ms';
const MAX_LAG = 'max.compaction.lag.ms';

/** @param config what would be in force, defaults of the cluster included. @throws {MillraceError} INVALID_CONFIG */
export function checkTopicRules(name: string, config: TopicConfig): void {
  checkCompactionLags([MIN_LAG, config[MIN_LAG]], [MAX_LAG, config[MAX_LAG]]);
  if (isInternalTopic(name) && config['cleanup.policy'].join(',') !== 'compact') {
    throw new MillraceError(
      'INVALID_CONFIG',
      `cleanup.policy of ${name} must be compact: retention would delete offsets that groups have committed`,
    );
  }
}

/** @throws {MillraceError} INVALID_CONFIG */
export function checkClusterRules(config: ClusterConfig): void {
  const [min, max] = [BROKER_NAME_OF[MIN_LAG], BROKER_NAME_OF[MAX_LAG]] as const;
  checkCompactionLags([min, config[min]], [max, config[max]]);
}

function checkCompactionLags(
  [minName, minMs]: readonly [string, number],
  [maxName, maxMs]: readonly [string, number],
): void {
  if (minMs <= maxMs) return;
  throw new MillraceError(
    'INVALID_CONFIG',
    `${minName}=${minMs} must not be above ${maxName}=${maxMs}: a record cannot both stay and be cleaned`,
  );
}
