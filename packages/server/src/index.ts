/** The composition root: a node, an embedded cluster, the millrace command. */
export { systemClock, systemRandom } from '@millrace/client';
export { configReference } from './config-reference.ts';
export { type Cluster, type ClusterOptions, startCluster } from './embedded-cluster.ts';
export { MillraceNode, memoryDisk, type NodeDisk, type NodeEnvironment } from './millrace-node.ts';
export { NODE_SCHEMAS, type NodeConfig, parseNodeConfig } from './node-config.ts';
