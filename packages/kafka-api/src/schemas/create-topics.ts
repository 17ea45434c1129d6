/** CreateTopics (key 19). */
import { array, arrayOf, boolean, int8, int16, int32, message, string, uuid } from '../wire/schema.ts';

export const createTopicsRequest = message(
  'CreateTopicsRequest',
  { versions: '0-7', flexible: '5+' },
  {
    topics: array('0+', {
      name: string('0+'),
      numPartitions: int32('0+'),
      replicationFactor: int16('0+'),
      assignments: array('0+', {
        partitionIndex: int32('0+'),
        brokerIds: arrayOf('0+', 'int32'),
      }),
      configs: array('0+', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    timeoutMs: int32('0+', { default: 60000 }),
    validateOnly: boolean('1+', { default: false }),
  },
);

export const createTopicsResponse = message(
  'CreateTopicsResponse',
  { versions: '0-7', flexible: '5+' },
  {
    throttleTimeMs: int32('2+', { default: 0, ignorable: true }),
    topics: array('0+', {
      name: string('0+'),
      topicId: uuid('7+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('1+', { nullable: '0+', ignorable: true }),
      topicConfigErrorCode: int16('5+', { ignorable: true, tag: 0 }),
      numPartitions: int32('5+', { default: -1, ignorable: true }),
      replicationFactor: int16('5+', { default: -1, ignorable: true }),
      configs: array(
        '5+',
        {
          name: string('5+'),
          value: string('5+', { nullable: '5+' }),
          readOnly: boolean('5+'),
          configSource: int8('5+', { default: -1, ignorable: true }),
          isSensitive: boolean('5+'),
        },
        { nullable: '5+', ignorable: true },
      ),
    }),
  },
);
