import type { NodeId } from '@millrace/core';
import type { RaftMessage } from '@millrace/raft';
import { expect, onTestFinished, test } from 'vitest';
import {
  GrpcRaftTransport,
  type GrpcRaftTransportOptions,
  registerRaftService,
} from './grpc-raft-transport.ts';
import { realClock, recordingLogger, type ServedNode, serve, until } from './testing/nodes.ts';

interface Speaker {
  readonly transport: GrpcRaftTransport;
  readonly received: { from: NodeId; message: RaftMessage }[];
  readonly disconnects: NodeId[];
  readonly logged: Record<string, unknown>[];
}

function speaker(
  nodeId: NodeId,
  nodes: readonly ServedNode[],
  clusterId = 'c',
  options: Partial<GrpcRaftTransportOptions> = {},
): Speaker {
  const logged: Record<string, unknown>[] = [];
  const transport = new GrpcRaftTransport({
    nodeId,
    clusterId,
    peers: nodes.map(({ port }, i) => ({ id: i + 1, host: '127.0.0.1', port })),
    clock: realClock,
    logger: recordingLogger(logged),
    ...options,
  });
  onTestFinished(() => transport.close());
  const received: Speaker['received'] = [];
  const disconnects: NodeId[] = [];
  transport.onMessage((from, message) => received.push({ from, message }));
  transport.onDisconnect((peer) => disconnects.push(peer));
  return { transport, received, disconnects, logged };
}

const heartbeat = (round: number): RaftMessage => ({
  kind: 'heartbeat',
  term: 1,
  directoryId: 'd',
  quorumId: 'q',
  commitIndex: 0,
  round,
});

/** Sends until one comes through: what is sent before the streams stand is dropped. */
async function greet(from: Speaker, to: NodeId, at: Speaker): Promise<void> {
  await until(() => {
    from.transport.send(to, heartbeat(0));
    return at.received.length > 0;
  });
}

async function pair(clusterOfSecond = 'c'): Promise<{ nodes: ServedNode[]; one: Speaker; two: Speaker }> {
  const nodes = [await serve(() => undefined), await serve(() => undefined)];
  const one = speaker(1, nodes);
  const two = speaker(2, nodes, clusterOfSecond);
  registerRaftService(nodes[0]!.server, one.transport);
  registerRaftService(nodes[1]!.server, two.transport);
  one.transport.start();
  two.transport.start();
  return { nodes, one, two };
}

test('messages arrive in order, from the node that sent them', async () => {
  const { one, two } = await pair();
  await greet(one, 2, two);
  two.received.length = 0;
  for (let round = 1; round <= 50; round++) one.transport.send(2, heartbeat(round));
  await until(() => two.received.some(({ message }) => message.kind === 'heartbeat' && message.round === 50));
  const rounds = two.received.flatMap(({ message }) => (message.kind === 'heartbeat' ? [message.round] : []));
  expect(rounds.filter((round) => round > 0)).toEqual(Array.from({ length: 50 }, (_, i) => i + 1));
  expect(new Set(two.received.map(({ from }) => from))).toEqual(new Set([1]));
});

test('a peer that dies is reported once, at once; one that comes back is found again', async () => {
  const { nodes, one, two } = await pair();
  await greet(one, 2, two);
  await greet(two, 1, one);
  const { port, server } = nodes[1]!;
  await two.transport.close();
  server.close();
  await until(() => one.disconnects.length > 0);
  const revived = speaker(2, nodes);
  await serve((bound) => registerRaftService(bound, revived.transport), port);
  revived.transport.start();
  await greet(one, 2, revived);
  expect(one.disconnects).toEqual([2]);
});

test('a node of another cluster is refused, and the log says why once', async () => {
  const { one, two } = await pair('another');
  await until(() => one.logged.length > 0 && two.logged.length > 0);
  expect(one.logged[0]).toMatchObject({
    event: 'raft_peer_unreachable',
    peer: 2,
    code: 'INCONSISTENT_CLUSTER_ID',
  });
  one.transport.send(2, heartbeat(1));
  expect(two.received).toEqual([]);
});

test('a node that means another one is refused', async () => {
  const nodes = [await serve(() => undefined), await serve(() => undefined)];
  const one = speaker(1, nodes);
  const impostor = speaker(1, nodes);
  registerRaftService(nodes[1]!.server, impostor.transport);
  one.transport.start();
  await until(() => one.logged.length > 0);
  expect(one.logged[0]).toMatchObject({ code: 'INVALID_REQUEST' });
});

/** Node 1 knows nobody; node 2 knows one address, not whose it is. */
async function joining(): Promise<{ nodes: ServedNode[]; one: Speaker; two: Speaker }> {
  const nodes = [await serve(() => undefined), await serve(() => undefined)];
  const address = ({ port }: ServedNode): string => `127.0.0.1:${port}`;
  const one = speaker(1, [], 'c', { address: address(nodes[0]!) });
  const bootstrap = nodes.map(({ port }) => ({ host: '127.0.0.1', port }));
  const two = speaker(2, [], 'c', { address: address(nodes[1]!), bootstrap });
  registerRaftService(nodes[0]!.server, one.transport);
  registerRaftService(nodes[1]!.server, two.transport);
  one.transport.start();
  two.transport.start();
  return { nodes, one, two };
}

test('a node that knows only an address finds who listens there, and is answered', async () => {
  const { nodes, one, two } = await joining();
  const met: NodeId[] = [];
  two.transport.onPeer((peer) => met.push(peer));
  await greet(two, 1, one);
  await greet(one, 2, two);
  expect(met).toEqual([1]);
  expect(one.transport.addressOf(2)).toBe(`127.0.0.1:${nodes[1]!.port}`);
  expect(one.transport.addressOf(1)).toBe(`127.0.0.1:${nodes[0]!.port}`);
});

test('a node that nobody named is forgotten when it leaves, and greets again when it is back', async () => {
  const { nodes, one, two } = await joining();
  await greet(two, 1, one);
  await two.transport.close();
  await until(() => one.disconnects.length > 0);
  expect(one.transport.addressOf(2)).toBeUndefined();
  nodes[1]!.server.close();
  const back = speaker(2, [], 'c', {
    address: `127.0.0.1:${nodes[1]!.port}`,
    bootstrap: [{ host: '127.0.0.1', port: nodes[0]!.port }],
  });
  await serve((bound) => registerRaftService(bound, back.transport), nodes[1]!.port);
  back.transport.start();
  one.received.length = 0;
  await greet(back, 1, one);
});

test('a peer that moved is found where it says it is, although the voter set has its old place', async () => {
  const { nodes, one, two } = await joining();
  await greet(two, 1, one);
  const [gone] = [await serve(() => undefined)];
  gone.server.close();
  one.transport.connect([{ id: 2, address: `127.0.0.1:${gone.port}` }]);
  await greet(one, 2, two);
  expect(one.transport.addressOf(2)).toBe(`127.0.0.1:${nodes[1]!.port}`);
});
