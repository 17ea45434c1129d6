/** ListGroups (key 16): all groups of a broker, by state and type. */
import { array, arrayOf, int16, int32, message, string } from '../wire/schema.ts';

export const listGroupsRequest = message(
  'ListGroupsRequest',
  { versions: '0-5', flexible: '3+' },
  {
    statesFilter: arrayOf('4+', 'string'),
    typesFilter: arrayOf('5+', 'string'),
  },
);

export const listGroupsResponse = message(
  'ListGroupsResponse',
  { versions: '0-5', flexible: '3+' },
  {
    throttleTimeMs: int32('1+', { default: 0, ignorable: true }),
    errorCode: int16('0+'),
    groups: array('0+', {
      groupId: string('0+'),
      protocolType: string('0+'),
      groupState: string('4+', { ignorable: true }),
      groupType: string('5+', { ignorable: true }),
    }),
  },
);
