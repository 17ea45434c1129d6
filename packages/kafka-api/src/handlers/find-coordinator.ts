/** FindCoordinator: which broker a group's members, committers and operators are to ask. */
import { type Failure, failure } from '@millrace/broker';
import type { NodeId } from '@millrace/core';
import { ThrottledLog } from '../connection/throttled-log.ts';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { type KafkaNode, kafkaNode } from './kafka-nodes.ts';
import { CLUSTER_AUTHORIZATION_FAILED, coordinatorErrorOf, NO_ERROR } from './wire-error.ts';

type Request = RequestOf<'findCoordinator'>;
type Response = ResponseDraftOf<'findCoordinator'>;
type Located = NonNullable<Response['coordinators']>[number];

const GROUP = 0;
const TRANSACTION = 1;
/** Clients ask for several at once from this version on. */
const BATCHES = 4;
/** The topic of offsets may have to be made first. Tools give up after five seconds, and everybody asks again. */
const TIMEOUT_MS = 3000;

/** Of a transactional id, in a line of the log. */
const ID_SHOWN_MAX = 200;

export function findCoordinatorHandler({ broker, clock, logger }: Surroundings): Handler<'findCoordinator'> {
  const log = new ThrottledLog(logger, clock);
  return {
    handle: async (request, facts) => {
      const { keyType } = request;
      if (keyType === TRANSACTION) return noTransactions(request, facts, log);
      if (keyType !== GROUP) return refused(request, unknownType(keyType), facts);
      const { clientId, connection } = facts;
      const { listener } = connection;
      const groupIds = keysOf(request, facts);
      const asked = { timeoutMs: TIMEOUT_MS, clientId, listener, groupIds };
      const { coordinators } = await broker.groups.findCoordinators(asked);
      const reach = (id: NodeId): KafkaNode | undefined => kafkaNode(broker.image(), id, listener);
      return answer(
        coordinators.map(({ groupId, failure: reason, node }) =>
          located(groupId, (node && reach(node.id)) ?? reason ?? failure('COORDINATOR_NOT_AVAILABLE')),
        ),
        facts,
      );
    },
    refuse: refused,
  };
}

/** Nothing that a client could wait for: no later answer will differ. */
function unknownType(keyType: number): Failure {
  return failure('INVALID_REQUEST', `coordinators of type ${keyType} are not served by this cluster`);
}

/**
 * The message says what is the matter, the number is the one that makes every client say so at once: librdkafka asks
 * again, until its time is up, after any number but those of a missing permission, and of these the Java client shows
 * the message with this one only.
 */
function noTransactions(request: Request, facts: RequestFacts, log: ThrottledLog): Response {
  const { clientId, connection } = facts;
  const keys = keysOf(request, facts);
  const transactionalId = (keys[0] ?? '').slice(0, ID_SHOWN_MAX);
  log.warn(
    'kafka_transaction_refused',
    { transactionalId, clientId, peer: `${connection.peerHost}:${connection.peerPort}` },
    `refused the transactional id ${JSON.stringify(transactionalId)}: transactions are not served`,
  );
  const message = 'transactions are not served by this cluster';
  return answer(
    keys.map((key) => nowhere(key, CLUSTER_AUTHORIZATION_FAILED, message)),
    facts,
  );
}

function keysOf({ key, coordinatorKeys }: Request, { version }: RequestFacts): readonly string[] {
  return version >= BATCHES ? coordinatorKeys : [key];
}

function refused(request: Request, reason: Failure, facts: RequestFacts): Response {
  return answer(
    keysOf(request, facts).map((key) => located(key, reason)),
    facts,
  );
}

function located(key: string, found: KafkaNode | Failure): Located {
  if ('code' in found) return nowhere(key, coordinatorErrorOf(found), found.message);
  const { nodeId, host, port } = found;
  return { key, nodeId, host, port, errorCode: NO_ERROR, errorMessage: null };
}

function nowhere(key: string, errorCode: number, errorMessage: string): Located {
  return { key, nodeId: -1, host: '', port: -1, errorCode, errorMessage };
}

function answer(coordinators: readonly Located[], { version }: RequestFacts): Response {
  return version >= BATCHES ? { coordinators } : coordinators[0]!;
}
