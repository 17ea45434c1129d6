/** Vocabulary of every package: ids, errors, configuration schema, clock and random, lifecycle. Pure. */
export {
  BufferPool,
  giveBackAll,
  holdMemory,
  type Loan,
  lendMemory,
  occupiedBytes,
  releaseMemory,
} from './buffer-pool.ts';
export { type Clock, DELAY_MAX_MS, ManualClock, sleep, type Timer } from './clock.ts';
export {
  bytes,
  type ConfigKey,
  type ConfigKeys,
  type ConfigOf,
  ConfigSchema,
  configSchema,
  count,
  flag,
  list,
  millis,
  oneOf,
  ratio,
  text,
} from './config-schema.ts';
export {
  ERRORS,
  type ErrorCode,
  type ErrorFacts,
  errorCodeOf,
  MillraceError,
  toMillraceError,
} from './errors.ts';
export {
  checkTopicName,
  formatTopicPartition,
  type NodeId,
  randomUuid,
  type TopicId,
  type TopicPartition,
} from './ids.ts';
export { assertNever, InvariantError, invariant } from './invariant.ts';
export { type Closable, closeAll, Deferred } from './lifecycle.ts';
export { type Logger, silentLogger } from './logger.ts';
export { ownCopy } from './own-copy.ts';
export { below, type Random, SeededRandom, shuffled, unit } from './random.ts';
export { DAY_MS, GiB, HOUR_MS, KiB, MINUTE_MS, MiB, SECOND_MS } from './units.ts';
