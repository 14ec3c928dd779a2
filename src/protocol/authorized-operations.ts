/** Operations by their numbers in Kafka's access control (KIP-430). */
const READ = 3;
const WRITE = 4;
const CREATE = 5;
const DELETE = 6;
const ALTER = 7;
const DESCRIBE = 8;
const CLUSTER_ACTION = 9;
const DESCRIBE_CONFIGS = 10;
const ALTER_CONFIGS = 11;
const IDEMPOTENT_WRITE = 12;

/**
 * What an asker may do, one bit for each operation, as the answers to Metadata, DescribeCluster and the describing of
 * groups tell it. There is no access control here: everybody may do all that a resource of its kind has.
 */
export const authorizedOperations = {
  cluster: bits(CREATE, ALTER, DESCRIBE, CLUSTER_ACTION, DESCRIBE_CONFIGS, ALTER_CONFIGS, IDEMPOTENT_WRITE),
  topic: bits(READ, WRITE, CREATE, DELETE, ALTER, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS),
  group: bits(READ, DELETE, DESCRIBE, DESCRIBE_CONFIGS, ALTER_CONFIGS),
} as const;

/** Of a group that there is no answer about, nothing is said. */
export function withGroupOperations<Group extends { readonly errorCode: number }>(group: Group): Group {
  return group.errorCode === 0 ? { ...group, authorizedOperations: authorizedOperations.group } : group;
}

function bits(...operations: readonly number[]): number {
  return operations.reduce((set, operation) => set | (1 << operation), 0);
}
