/** The gRPC door: services onto the broker and the controller, and the channels between nodes. */
export { registerAdminServices } from './admin-services.ts';
export { registerBrokerServices } from './broker-services.ts';
export type { ControllerAddress } from './controller-directory.ts';
export { type ControllerServiceOptions, registerControllerServices } from './controller-services.ts';
export { GrpcControllerChannel, type GrpcControllerChannelOptions } from './grpc-controller-channel.ts';
export {
  GrpcRaftTransport,
  type GrpcRaftTransportOptions,
  registerRaftService,
} from './grpc-raft-transport.ts';
export { GrpcReplicaChannel, type GrpcReplicaChannelOptions } from './grpc-replica-channel.ts';
export { formatHostPort } from './host-port.ts';
export type { RaftPeerAddress } from './raft-peer.ts';
