/** IncrementalAlterConfigs (key 44): sets, removes, appends to and subtracts from single settings. */
import { array, boolean, int8, message, string } from '../wire/schema.ts';
import { alteredConfigs } from './alter-configs.ts';

export const incrementalAlterConfigsRequest = message(
  'IncrementalAlterConfigsRequest',
  { versions: '0-1', flexible: '1+' },
  {
    resources: array('0+', {
      resourceType: int8('0+'),
      resourceName: string('0+'),
      configs: array('0+', {
        name: string('0+'),
        configOperation: int8('0+'),
        value: string('0+', { nullable: '0+' }),
      }),
    }),
    validateOnly: boolean('0+'),
  },
);

export const incrementalAlterConfigsResponse = message(
  'IncrementalAlterConfigsResponse',
  { versions: '0-1', flexible: '1+' },
  alteredConfigs,
);
