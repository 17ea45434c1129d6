/**
 * The door for Kafka's clients on a simulated node: production's handlers of requests, fed by a simulated stream in place
 * of a socket. Requests begin in the order they come, and answers leave in that order, as production's connections have it.
 */
import type { BrokerApi } from '@millrace/broker';
import { BufferPool, giveBackAll, KiB, type Loan, releaseMemory } from '@millrace/core';
import { kafkaRequestHandler } from '@millrace/kafka-api';
import type { RpcListener, RpcStream } from '@millrace/protocol';
import type { SimRpcNetwork } from '../network/sim-rpc-network.ts';
import { simLogger } from '../world/sim-logger.ts';
import type { SimLife } from '../world/sim-process.ts';
import { inUsedMemory } from '../world/used-memory.ts';
import { KAFKA_PORT, kafkaConnection } from './kafka-wire.ts';

/** The addresses that clients are told are those of the node's own listener; they know the port to take instead. */
const LISTENER = 'GRPC';
const FETCH_SESSIONS = 10;
const PRODUCE = 0;
const POOL_BYTES = 256 * KiB;

/** Opens it for as long as the life lasts, or until it is closed. */
export async function openKafkaDoor(
  rpc: SimRpcNetwork,
  life: SimLife,
  broker: BrokerApi,
): Promise<RpcListener> {
  const handle = kafkaRequestHandler({
    broker,
    clock: life.clock,
    random: life.random.fork(),
    logger: simLogger(life),
    fetchSessionSlots: FETCH_SESSIONS,
  });
  const door = rpc.of(life).serve({ listener: LISTENER });
  const buffers = new BufferPool({ bytesMax: POOL_BYTES });
  let lastId = 0;
  door.duplex(kafkaConnection, (stream, { peer, signal }) => {
    lastId += 1;
    const facts = { id: lastId, listener: LISTENER, peerHost: peer, peerPort: 0, signal };
    /** Of the request before. */
    let answered: Promise<void> = Promise.resolve();
    return {
      onMessage: (message) => {
        const lent: Loan[] = [];
        const frame = message.readInt16BE(0) === PRODUCE ? inUsedMemory(message, buffers) : message;
        const reuse = (): void => releaseMemory(frame);
        const answer = handle(frame, facts, { reuse, release: reuse, lent });
        answered = answerAfter(answered, answer, stream).then(() => giveBackAll(lent));
      },
      onClosed: () => {},
    };
  });
  await door.listen(life.process.name, KAFKA_PORT);
  return door;
}

/** What no handler can answer is no operating error: it ends the node, as every error that nobody catches. */
async function answerAfter(
  before: Promise<void>,
  answer: Promise<readonly Buffer[] | undefined>,
  stream: RpcStream<Buffer>,
): Promise<void> {
  const [pieces] = await Promise.all([answer, before]);
  if (pieces !== undefined && !stream.closed) stream.send(Buffer.concat(pieces));
}
