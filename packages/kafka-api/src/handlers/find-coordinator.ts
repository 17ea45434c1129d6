/** FindCoordinator: which broker a group's members, committers and operators are to ask. */
import { type Failure, failure } from '@millrace/broker';
import type { NodeId } from '@millrace/core';
import type { RequestOf, ResponseDraftOf } from '../schemas/api-table.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { type KafkaNode, kafkaNode } from './kafka-nodes.ts';
import { coordinatorErrorOf, NO_ERROR } from './wire-error.ts';

type Request = RequestOf<'findCoordinator'>;
type Response = ResponseDraftOf<'findCoordinator'>;
type Located = NonNullable<Response['coordinators']>[number];

const GROUP = 0;
const TRANSACTION = 1;
/** Clients ask for several at once from this version on. */
const BATCHES = 4;
/** The topic of offsets may have to be made first. Tools give up after five seconds, and everybody asks again. */
const TIMEOUT_MS = 3000;

export function findCoordinatorHandler({ broker }: Surroundings): Handler<'findCoordinator'> {
  return {
    handle: async (request, facts) => {
      const { keyType } = request;
      if (keyType !== GROUP) return refused(request, notServed(keyType), facts);
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
function notServed(keyType: number): Failure {
  const what = keyType === TRANSACTION ? 'transactions are' : `coordinators of type ${keyType} are`;
  return failure('INVALID_REQUEST', `${what} not served by this cluster`);
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
  if ('code' in found) {
    const { message } = found;
    return {
      key,
      nodeId: -1,
      host: '',
      port: -1,
      errorCode: coordinatorErrorOf(found),
      errorMessage: message,
    };
  }
  const { nodeId, host, port } = found;
  return { key, nodeId, host, port, errorCode: NO_ERROR, errorMessage: null };
}

function answer(coordinators: readonly Located[], { version }: RequestFacts): Response {
  return version >= BATCHES ? { coordinators } : coordinators[0]!;
}
