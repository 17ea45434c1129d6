/** Connections to the one coordinator of all groups of a row, as a program without the SDK would make them. */
import { groupService, RpcChannel } from '@millrace/protocol';
import { sleepMs } from '../monotonic-clock.ts';

export const REQUEST_HEADER = {
  correlationId: 0,
  timeoutMs: 5_000,
  clientId: 'bench',
  clusterId: '',
  quorumId: '',
};
const RETRY_MS = 50;

/** @throws {Error} if the groups have several coordinators. */
export async function connectToCoordinator(
  bootstrap: string,
  groupIds: readonly string[],
  connections: number,
): Promise<readonly RpcChannel[]> {
  const [host, port] = bootstrap.split(',')[0]!.split(':') as [string, string];
  const any = RpcChannel.connect(host, Number(port));
  try {
    for (;;) {
      const { coordinators } = await any.unary(groupService.findCoordinators, {
        header: REQUEST_HEADER,
        groupIds: [...groupIds],
      });
      const nodes = coordinators.flatMap(({ node }) => (node === undefined ? [] : [node]));
      if (nodes.length === groupIds.length) {
        const [first] = nodes;
        if (nodes.some(({ id }) => id !== first!.id)) throw new Error('several coordinators');
        return Array.from({ length: connections }, () => RpcChannel.connect(first!.host, first!.port));
      }
      await sleepMs(RETRY_MS);
    }
  } finally {
    any.close();
  }
}
