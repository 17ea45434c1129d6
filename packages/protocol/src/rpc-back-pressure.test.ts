import { MiB, MillraceError } from '@millrace/core';
import { expect, test } from 'vitest';
import {
  adminService,
  brokerService,
  type FetchResponse,
  type ProduceRequest,
  type ProduceResponse,
  type RpcStream,
} from './index.ts';
import { HEADER, loopback, until } from './testing/loopback.ts';

const PAYLOAD = Buffer.alloc(1 * MiB, 7);

function produceRequest(correlationId: number): ProduceRequest {
  const partition = { topicId: 't', partition: 0, leaderEpoch: 3, records: PAYLOAD };
  return { header: { ...HEADER, correlationId }, acks: -1, partitions: [partition] };
}

function fetchResponse(correlationId: number): FetchResponse {
  const offsets = { highWatermark: 1, lastStableOffset: 1, logStartOffset: 0 };
  const none = { divergingEpoch: -1, divergingEndOffset: -1, currentLeaderId: -1, currentLeaderEpoch: -1 };
  const partition = { topicId: 't', partition: 0, ...offsets, ...none, records: PAYLOAD };
  return { correlationId, partitions: [partition] };
}

test('the server opens wide windows: measured on its sessions, not guessed from speed', async () => {
  const { server, channel } = await loopback(
    (bound) => bound.unary(adminService.deleteTopics, () => ({ topics: [] })),
    { 'connection.window.bytes': String(24 * MiB) },
  );
  await channel.unary(adminService.deleteTopics, { header: HEADER, names: [], topicIds: [] });
  expect(server.localWindowSizes).toHaveLength(1);
  expect(server.localWindowSizes[0]).toBeGreaterThan(23 * MiB);
});

test('a server that stops reading holds the producer back after the stream window; reading on lets all through', async () => {
  const seen: number[] = [];
  let serverStream: RpcStream<ProduceResponse> | undefined;
  const { channel } = await loopback((bound) => {
    bound.duplex(brokerService.produce, (stream) => {
      serverStream = stream;
      return {
        onMessage: ({ header }) => {
          seen.push(header.correlationId);
          if (seen.length === 1) stream.pause();
        },
        onClosed: () => undefined,
      };
    });
  });
  const stream = channel.duplex(brokerService.produce, {
    onMessage: () => undefined,
    onClosed: () => undefined,
  });
  let sent = 0;
  while (sent < 64 && stream.send(produceRequest(++sent)));
  expect(sent).toBe(4);
  // Feed it until nothing moves any more: the window of 8 MiB, what Node holds per stream, and the send buffer are full.
  let stuck = false;
  while (!stuck) {
    const drained = stream.drained().then(() => 'drained');
    const idle = new Promise<string>((resolve) => setTimeout(resolve, 300, 'idle'));
    stuck = (await Promise.race([drained, idle])) === 'idle';
    if (!stuck) stream.send(produceRequest(++sent));
  }
  expect(sent).toBeGreaterThan(8);
  expect(sent).toBeLessThan(24);
  expect(seen.length).toBeLessThan(4);
  expect(stream.bufferedBytes).toBeGreaterThanOrEqual(4 * MiB);
  serverStream?.resume();
  await stream.drained();
  stream.close();
  await until(() => seen.length === sent);
  expect(seen).toEqual(Array.from({ length: sent }, (_, i) => i + 1));
});

test('a consumer that never reads makes send() say stop; its buffer grows no further unless forced', async () => {
  let serverStream: RpcStream<FetchResponse> | undefined;
  let closed = false;
  const { channel } = await loopback((bound) => {
    bound.duplex(brokerService.fetch, (stream) => {
      serverStream = stream;
      return {
        onMessage: () => undefined,
        onClosed: () => {
          closed = true;
        },
      };
    });
  });
  const reader = channel.duplex(brokerService.fetch, {
    onMessage: () => undefined,
    onClosed: () => undefined,
  });
  await until(() => serverStream !== undefined);
  reader.pause();
  let id = 0;
  let stuck = false;
  while (!stuck) {
    while (serverStream!.send(fetchResponse(++id)));
    const drained = serverStream!.drained().then(() => 'drained');
    const idle = new Promise<string>((resolve) => setTimeout(resolve, 300, 'idle'));
    stuck = (await Promise.race([drained, idle])) === 'idle';
  }
  expect(id).toBeLessThan(40);
  expect(serverStream!.bufferedBytes).toBeLessThan(6 * MiB);
  const drained = Promise.all([serverStream!.drained(), serverStream!.drained(0)]);
  reader.close(new MillraceError('CANCELLED'));
  await drained;
  await until(() => closed);
  expect(serverStream!.send(fetchResponse(0))).toBe(false);
});

test('drained(0) waits until everything that was sent has left', async () => {
  const { channel } = await loopback((bound) => {
    bound.duplex(brokerService.fetch, () => ({ onMessage: () => undefined, onClosed: () => undefined }));
  });
  const stream = channel.duplex(brokerService.fetch, {
    onMessage: () => undefined,
    onClosed: () => undefined,
  });
  const header = { correlationId: 1, timeoutMs: 0, clientId: 'x'.repeat(1_000), clusterId: '', quorumId: '' };
  for (let i = 0; i < 10; i++) {
    stream.send({ header, maxWaitMs: 0, minBytes: 0, maxBytes: 0, partitions: [] });
  }
  await stream.drained();
  expect(stream.bufferedBytes).toBeGreaterThan(10_000);
  await stream.drained(0);
  expect(stream.bufferedBytes).toBe(0);
});

test('drain finishes what is in hand, ends streams in order, and refuses new connections', async () => {
  let finish: (() => void) | undefined;
  const { server, channel, connect } = await loopback((bound) => {
    bound.unary(adminService.deleteTopics, async () => {
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      return { topics: [] };
    });
    bound.duplex(brokerService.produce, (stream) => ({
      onMessage: () => undefined,
      onDrain: () => {
        stream.send({ correlationId: 9, partitions: [] });
        stream.close();
      },
      onClosed: () => undefined,
    }));
    bound.duplex(brokerService.fetch, () => ({ onMessage: () => undefined, onClosed: () => undefined }));
  });
  const call = channel.unary(adminService.deleteTopics, { header: HEADER, names: [], topicIds: [] });
  const heard: number[] = [];
  const ends: Promise<unknown>[] = [
    new Promise((resolve) => {
      const onMessage = (answer: ProduceResponse) => void heard.push(answer.correlationId);
      channel.duplex(brokerService.produce, { onMessage, onClosed: resolve });
    }),
    new Promise((resolve) => {
      channel.duplex(brokerService.fetch, { onMessage: () => undefined, onClosed: resolve });
    }),
  ];
  await until(() => finish !== undefined && server.openStreams === 2);
  const drained = server.drain(5_000);
  expect(await Promise.all(ends)).toEqual([undefined, undefined]);
  expect(heard).toEqual([9]);
  await expect(
    connect().unary(adminService.deleteTopics, { header: HEADER, names: [], topicIds: [] }),
  ).rejects.toMatchObject({ code: 'CONNECTION_FAILED' });
  finish!();
  expect(await call).toEqual({ topics: [] });
  await drained;
  await until(() => server.connections === 0);
});

test('drain gives up after its grace period', async () => {
  const { server, channel } = await loopback((bound) => {
    bound.unary(adminService.deleteTopics, () => new Promise(() => undefined));
  });
  const call = channel.unary(adminService.deleteTopics, { header: HEADER, names: [], topicIds: [] });
  const failed = expect(call).rejects.toMatchObject({ retriable: true });
  await until(() => server.connections === 1);
  await server.drain(50);
  await failed;
});
