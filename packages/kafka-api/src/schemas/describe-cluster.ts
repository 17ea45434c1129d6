/** DescribeCluster (key 60): brokers and controller, for administrators. */
import { array, boolean, int8, int16, int32, message, string } from '../wire/schema.ts';

export const describeClusterRequest = message(
  'DescribeClusterRequest',
  { versions: '0-1', flexible: '0+' },
  {
    includeClusterAuthorizedOperations: boolean('0+'),
    endpointType: int8('1+', { default: 1 }),
  },
);

export const describeClusterResponse = message(
  'DescribeClusterResponse',
  { versions: '0-1', flexible: '0+' },
  {
    throttleTimeMs: int32('0+', { default: 0 }),
    errorCode: int16('0+'),
    errorMessage: string('0+', { nullable: '0+', default: null }),
    endpointType: int8('1+', { default: 1 }),
    clusterId: string('0+'),
    controllerId: int32('0+', { default: -1 }),
    brokers: array('0+', {
      brokerId: int32('0+'),
      host: string('0+'),
      port: int32('0+'),
      rack: string('0+', { nullable: '0+', default: null }),
    }),
    clusterAuthorizedOperations: int32('0+', { default: -2147483648 }),
  },
);
