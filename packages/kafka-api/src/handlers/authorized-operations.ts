/** Which operations an answer says are allowed: a bit for each (KIP-430). Nobody is refused anything here. */

/** Numbers of Kafka's `AclOperation`. */
const [READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, CLUSTER_ACTION] = [3, 4, 5, 6, 7, 8, 9];
const [DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE] = [10, 11, 12];

const bits = (...operations: number[]): number => operations.reduce((set, each) => set | (1 << each), 0);

const TOPIC_ADMIN = [CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS];
const CLUSTER_ADMIN = [CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS];
const OPERATIONS = {
  topic: bits(READ, WRITE, ...TOPIC_ADMIN),
  group: bits(READ, DELETE, DESCRIBE),
  cluster: bits(IDEMPOTENT_WRITE, ...CLUSTER_ADMIN),
} as const;

/** Undefined where nobody asked: the field's default says that. */
export function authorizedOperations(of: keyof typeof OPERATIONS, isAsked: boolean): number | undefined {
  return isAsked ? OPERATIONS[of] : undefined;
}
