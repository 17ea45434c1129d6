/** DeleteGroups (key 42). */
import { array, arrayOf, int16, int32, message, string } from '../wire/schema.ts';

export const deleteGroupsRequest = message(
  'DeleteGroupsRequest',
  { versions: '0-2', flexible: '2+' },
  {
    groupsNames: arrayOf('0+', 'string'),
  },
);

export const deleteGroupsResponse = message(
  'DeleteGroupsResponse',
  { versions: '0-2', flexible: '2+' },
  {
    throttleTimeMs: int32('0+', { default: 0 }),
    results: array('0+', {
      groupId: string('0+'),
      errorCode: int16('0+'),
    }),
  },
);
