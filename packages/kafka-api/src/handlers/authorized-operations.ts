/** Which operations an answer says are allowed: a bit for each (KIP-430). Nobody is refused anything here. */

/** Numbers of Kafka's `AclOperation`: read, delete, describe. */
const GROUP_OPERATIONS = (1 << 3) | (1 << 6) | (1 << 8);

/** Undefined where nobody asked: the field's default says that. */
export function authorizedOperations(isAsked: boolean): number | undefined {
  return isAsked ? GROUP_OPERATIONS : undefined;
}
