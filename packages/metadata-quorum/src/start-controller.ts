/** A controller on a real quorum: the two put together. Decides nothing. */
import { Controller, type ControllerOptions } from './controller.ts';
import { MetadataQuorum, type MetadataQuorumOptions } from './metadata-quorum.ts';
import type { RaftTransport } from './quorum-ports.ts';

/** @throws {MillraceError} what `MetadataQuorum.start` throws. */
export async function startController(
  quorumOptions: Omit<MetadataQuorumOptions, 'stateMachine' | 'onLeadership'>,
  controllerOptions: Omit<ControllerOptions, 'startQuorum'>,
): Promise<Controller> {
  let controller: Controller | undefined;
  const { transport } = quorumOptions;
  // The controller hears of peers before the quorum does: an election that follows finds it informed.
  const watched: RaftTransport = {
    send: (to, message) => transport.send(to, message),
    onMessage: (handler) =>
      transport.onMessage((from, message) => {
        controller?.peerHeard(from);
        handler(from, message);
      }),
    onDisconnect: (handler) =>
      transport.onDisconnect((peer) => {
        controller?.peerDisconnected(peer);
        handler(peer);
      }),
    connect: (peers) => transport.connect?.(peers),
    addressOf: (peer) => transport.addressOf?.(peer),
    onPeer: (handler) => transport.onPeer?.(handler),
  };
  controller = await Controller.create({
    ...controllerOptions,
    startQuorum: (hooks) => MetadataQuorum.start({ ...quorumOptions, ...hooks, transport: watched }),
  });
  return controller;
}
