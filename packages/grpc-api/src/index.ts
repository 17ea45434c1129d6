/** The gRPC door: services onto the broker and the controller, and the channels between nodes. */
export { registerAdminServices } from './admin-services.ts';
export { registerBrokerServices } from './broker-services.ts';
export { GrpcReplicaChannel, type GrpcReplicaChannelOptions } from './grpc-replica-channel.ts';
