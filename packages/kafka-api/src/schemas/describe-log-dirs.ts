/** DescribeLogDirs (key 35): sizes of replicas on disk. */
import { array, arrayOf, boolean, int16, int32, int64, message, string } from '../wire/schema.ts';

export const describeLogDirsRequest = message(
  'DescribeLogDirsRequest',
  { versions: '1-4', flexible: '2+' },
  {
    topics: array(
      '0+',
      {
        topic: string('0+'),
        partitions: arrayOf('0+', 'int32'),
      },
      { nullable: '0+' },
    ),
  },
);

export const describeLogDirsResponse = message(
  'DescribeLogDirsResponse',
  { versions: '1-4', flexible: '2+' },
  {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: int16('3+', { ignorable: true }),
    results: array('0+', {
      errorCode: int16('0+'),
      logDir: string('0+'),
      topics: array('0+', {
        name: string('0+'),
        partitions: array('0+', {
          partitionIndex: int32('0+'),
          partitionSize: int64('0+'),
          offsetLag: int64('0+'),
          isFutureKey: boolean('0+'),
        }),
      }),
      totalBytes: int64('4+', { default: -1, ignorable: true }),
      usableBytes: int64('4+', { default: -1, ignorable: true }),
    }),
  },
);
