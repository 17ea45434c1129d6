/** FindCoordinator: which broker a group's members, committers and operators are to ask. */
import { failure, type GroupLocation } from '@millrace/broker';
import type { ResponseDraftOf } from '../schemas/api-table.ts';
import type { Handler, RequestFacts, Surroundings } from './handler.ts';
import { coordinatorErrorOf } from './wire-error.ts';

type Located = NonNullable<ResponseDraftOf<'findCoordinator'>['coordinators']>[number];

const GROUP = 0;
const TRANSACTION = 1;
/** Clients ask for several at once from this version on. */
const BATCHES = 4;
/** The topic of offsets may have to be made first. Tools give up after five seconds, and everybody asks again. */
const TIMEOUT_MS = 3000;

export function findCoordinatorHandler({ broker: { groups } }: Surroundings): Handler<'findCoordinator'> {
  return {
    handle: async (request, facts) => {
      const { listener } = facts.connection;
      const { clientId } = facts;
      const groupIds = keysOf(request, facts);
      if (request.keyType !== GROUP) return answer(refused(groupIds, noCoordinator(request.keyType)), facts);
      const asked = { timeoutMs: TIMEOUT_MS, clientId, listener, groupIds };
      return answer((await groups.findCoordinators(asked)).coordinators, facts);
    },
    refuse: (request, reason, facts) => answer(refused(keysOf(request, facts), reason), facts),
  };
}

/** Nothing that a client could wait for: no later answer will differ. */
function noCoordinator(keyType: number): GroupLocation['failure'] {
  const what = keyType === TRANSACTION ? 'transactions are' : `coordinators of type ${keyType} are`;
  return failure('INVALID_REQUEST', `${what} not served by this cluster`);
}

function keysOf(
  { key, coordinatorKeys }: { readonly key: string; readonly coordinatorKeys: readonly string[] },
  { version }: RequestFacts,
): readonly string[] {
  return version >= BATCHES ? coordinatorKeys : [key];
}

function refused(groupIds: readonly string[], reason: GroupLocation['failure']): readonly GroupLocation[] {
  return groupIds.map((groupId) => ({ groupId, failure: reason, node: undefined }));
}

function answer(
  locations: readonly GroupLocation[],
  { version }: RequestFacts,
): ResponseDraftOf<'findCoordinator'> {
  const coordinators = locations.map(located);
  return version >= BATCHES ? { coordinators } : coordinators[0]!;
}

function located({ groupId, failure: reason, node }: GroupLocation): Located {
  return {
    key: groupId,
    nodeId: node?.id ?? -1,
    host: node?.host ?? '',
    port: node?.port ?? -1,
    errorCode: coordinatorErrorOf(reason),
    errorMessage: reason?.message ?? null,
  };
}
