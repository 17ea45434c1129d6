/** ListOffsets (key 2): first, last, or by time. */
import { array, int8, int16, int32, int64, message, string } from '../wire/schema.ts';

export const listOffsetsRequest = message(
  'ListOffsetsRequest',
  { versions: '1-9', flexible: '6+' },
  {
    replicaId: int32('0+'),
    isolationLevel: int8('2+'),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        currentLeaderEpoch: int32('4+', { default: -1, ignorable: true }),
        timestamp: int64('0+'),
      }),
    }),
  },
);

export const listOffsetsResponse = message(
  'ListOffsetsResponse',
  { versions: '1-9', flexible: '6+' },
  {
    throttleTimeMs: int32('2+', { default: 0, ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      partitions: array('0+', {
        partitionIndex: int32('0+'),
        errorCode: int16('0+'),
        timestamp: int64('1+', { default: -1 }),
        offset: int64('1+', { default: -1 }),
        leaderEpoch: int32('4+', { default: -1 }),
      }),
    }),
  },
);
