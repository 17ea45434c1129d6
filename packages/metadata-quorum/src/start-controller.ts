/** A controller on a real quorum: the two put together. Decides nothing. */
import type { NodeId } from '@millrace/core';
import { Controller, type ControllerOptions } from './controller.ts';
import { MetadataQuorum, type MetadataQuorumOptions } from './metadata-quorum.ts';
import type { RaftTransport } from './quorum-ports.ts';

/** @throws {MillraceError} what `MetadataQuorum.start` throws. */
export async function startController(
  quorumOptions: Omit<MetadataQuorumOptions, 'stateMachine' | 'onLeadership'>,
  controllerOptions: Omit<ControllerOptions, 'startQuorum'>,
): Promise<Controller> {
  let onDisconnect: (peer: NodeId) => void = () => {};
  const transport = withListener(quorumOptions.transport, (peer) => onDisconnect(peer));
  const controller = await Controller.create({
    ...controllerOptions,
    startQuorum: (hooks) => MetadataQuorum.start({ ...quorumOptions, ...hooks, transport }),
  });
  onDisconnect = (peer) => controller.peerDisconnected(peer);
  return controller;
}

/** The transport, with one more listener for broken connections: it hears of them before the quorum does. */
function withListener(transport: RaftTransport, listener: (peer: NodeId) => void): RaftTransport {
  return {
    send: (to, message) => transport.send(to, message),
    onMessage: (handler) => transport.onMessage(handler),
    onDisconnect: (handler) =>
      transport.onDisconnect((peer) => {
        listener(peer);
        handler(peer);
      }),
  };
}
