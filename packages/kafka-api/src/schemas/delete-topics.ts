/** DeleteTopics (key 20): by name, from v6 also by id. */
import { array, arrayOf, int16, int32, message, string, uuid } from '../wire/schema.ts';

export const deleteTopicsRequest = message(
  'DeleteTopicsRequest',
  { versions: '0-6', flexible: '4+' },
  {
    topics: array('6+', {
      name: string('6+', { nullable: '6+', default: null }),
      topicId: uuid('6+'),
    }),
    topicNames: arrayOf('0-5', 'string', { ignorable: true }),
    timeoutMs: int32('0+'),
  },
);

export const deleteTopicsResponse = message(
  'DeleteTopicsResponse',
  { versions: '0-6', flexible: '4+' },
  {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    responses: array('0+', {
      name: string('0+', { nullable: '6+' }),
      topicId: uuid('6+', { ignorable: true }),
      errorCode: int16('0+'),
      errorMessage: string('5+', { nullable: '5+', default: null, ignorable: true }),
    }),
  },
);
