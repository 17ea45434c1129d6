/** AlterConfigs (key 33): replaces all settings of a resource. */
import { array, boolean, int8, int16, int32, message, string } from '../wire/schema.ts';

export const alterConfigsRequest = message(
  'AlterConfigsRequest',
  { versions: '0-2', flexible: '2+' },
  {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: boolean('0+'),
  },
);

/** Of IncrementalAlterConfigs, too. */
export const alteredConfigs = {
  throttleTimeMs: int32('0+', { default: 0 }),
  responses: array('0+', {
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+' }),
    resourceType: int8('0+'),
    resourceName: string('0+'),
  }),
};

export const alterConfigsResponse = message(
  'AlterConfigsResponse',
  { versions: '0-2', flexible: '2+' },
  alteredConfigs,
);
