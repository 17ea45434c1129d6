/** OffsetFetch (key 9): how far a group has come; from v8 for several groups at once. */
import { array, arrayOf, boolean, int16, int32, int64, message, string } from '../wire/schema.ts';

export const offsetFetchRequest = message(
  'OffsetFetchRequest',
  { versions: '1-9', flexible: '6+' },
  {
    groupId: string('0-7'),
    topics: array(
      '0-7',
      {
        name: string('0-7'),
        partitionIndexes: arrayOf('0-7', 'int32'),
      },
      { nullable: '2-7' },
    ),
    groups: array('8+', {
      groupId: string('8+'),
      memberId: string('9+', { nullable: '9+', default: null, ignorable: true }),
      memberEpoch: int32('9+', { default: -1, ignorable: true }),
      topics: array(
        '8+',
        {
          name: string('8+'),
          partitionIndexes: arrayOf('8+', 'int32'),
        },
        { nullable: '8+' },
      ),
    }),
    requireStable: boolean('7+', { default: false }),
  },
);

export const offsetFetchResponse = message(
  'OffsetFetchResponse',
  { versions: '1-9', flexible: '6+' },
  {
    throttleTimeMs: int32('3+', { default: 0, ignorable: true }),
    topics: array('0-7', {
      name: string('0-7'),
      partitions: array('0-7', {
        partitionIndex: int32('0-7'),
        committedOffset: int64('0-7'),
        committedLeaderEpoch: int32('5-7', { default: -1, ignorable: true }),
        metadata: string('0-7', { nullable: '0-7' }),
        errorCode: int16('0-7'),
      }),
    }),
    errorCode: int16('2-7', { default: 0, ignorable: true }),
    groups: array('8+', {
      groupId: string('8+'),
      topics: array('8+', {
        name: string('8+'),
        partitions: array('8+', {
          partitionIndex: int32('8+'),
          committedOffset: int64('8+'),
          committedLeaderEpoch: int32('8+', { default: -1, ignorable: true }),
          metadata: string('8+', { nullable: '8+' }),
          errorCode: int16('8+'),
        }),
      }),
      errorCode: int16('8+', { default: 0 }),
    }),
  },
);
