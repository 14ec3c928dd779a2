/**
 * Kafka's error table, complete up to Kafka 4.2. Everywhere outside the codec an error is its name; the number exists
 * on the wire only. A retriable error says that the same request may succeed later, perhaps after fresh metadata.
 */
interface ErrorEntry {
  readonly code: number;
  readonly retriable: boolean;
  readonly message: string;
}

const retriable = (code: number, message: string): ErrorEntry => ({ code, retriable: true, message });
const fatal = (code: number, message: string): ErrorEntry => ({ code, retriable: false, message });

const table = {
  UNKNOWN_SERVER_ERROR: fatal(-1, "The broker met an error that it did not expect."),
  NONE: fatal(0, "No error."),
  OFFSET_OUT_OF_RANGE: fatal(1, "The offset is outside the range this replica holds."),
  CORRUPT_MESSAGE: retriable(2, "The records fail their checksum, or are otherwise malformed."),
  UNKNOWN_TOPIC_OR_PARTITION: retriable(3, "This broker does not host that topic or partition."),
  INVALID_FETCH_SIZE: fatal(4, "The fetch size is not valid."),
  LEADER_NOT_AVAILABLE: retriable(5, "The partition has no leader; an election is due."),
  NOT_LEADER_OR_FOLLOWER: retriable(6, "This broker is not the replica that the request needs."),
  REQUEST_TIMED_OUT: retriable(7, "The request was not completed within its time."),
  BROKER_NOT_AVAILABLE: fatal(8, "The broker is not available."),
  REPLICA_NOT_AVAILABLE: retriable(9, "The replica is not available for that partition."),
  MESSAGE_TOO_LARGE: fatal(10, "The batch is larger than the topic allows."),
  STALE_CONTROLLER_EPOCH: fatal(11, "The controller has moved to another node."),
  OFFSET_METADATA_TOO_LARGE: fatal(12, "The metadata committed with an offset is too large."),
  NETWORK_EXCEPTION: retriable(13, "The connection ended before a response came."),
  COORDINATOR_LOAD_IN_PROGRESS: retriable(14, "The coordinator is still loading its state."),
  COORDINATOR_NOT_AVAILABLE: retriable(15, "The coordinator is not available."),
  NOT_COORDINATOR: retriable(16, "This broker is not the coordinator."),
  INVALID_TOPIC_EXCEPTION: fatal(17, "The topic name is not valid, or the topic may not be used this way."),
  RECORD_LIST_TOO_LARGE: fatal(18, "The records exceed the largest segment of the log."),
  NOT_ENOUGH_REPLICAS: retriable(19, "Fewer replicas are in sync than min.insync.replicas asks for."),
  NOT_ENOUGH_REPLICAS_AFTER_APPEND: retriable(20, "Appended, but to fewer in-sync replicas than required."),
  INVALID_REQUIRED_ACKS: fatal(21, "acks must be -1, 0 or 1."),
  ILLEGAL_GENERATION: fatal(22, "The generation is not the group's current one."),
  INCONSISTENT_GROUP_PROTOCOL: fatal(23, "The member shares no protocol with the rest of its group."),
  INVALID_GROUP_ID: fatal(24, "The group id is not valid."),
  UNKNOWN_MEMBER_ID: fatal(25, "The coordinator does not know that member."),
  INVALID_SESSION_TIMEOUT: fatal(26, "The session timeout is outside the range the broker allows."),
  REBALANCE_IN_PROGRESS: fatal(27, "The group is rebalancing; join it again."),
  INVALID_COMMIT_OFFSET_SIZE: fatal(28, "The offsets to commit are too large."),
  TOPIC_AUTHORIZATION_FAILED: fatal(29, "Not authorized for the topic."),
  GROUP_AUTHORIZATION_FAILED: fatal(30, "Not authorized for the group."),
  CLUSTER_AUTHORIZATION_FAILED: fatal(31, "Not authorized for the cluster."),
  INVALID_TIMESTAMP: fatal(32, "A record's timestamp is outside the range the topic allows."),
  UNSUPPORTED_SASL_MECHANISM: fatal(33, "The broker does not offer that SASL mechanism."),
  ILLEGAL_SASL_STATE: fatal(34, "The request does not fit the state of the SASL handshake."),
  UNSUPPORTED_VERSION: fatal(35, "The version of the request is not supported."),
  TOPIC_ALREADY_EXISTS: fatal(36, "A topic of that name exists."),
  INVALID_PARTITIONS: fatal(37, "The number of partitions is not valid."),
  INVALID_REPLICATION_FACTOR: fatal(38, "The replication factor is not positive, or exceeds the brokers available."),
  INVALID_REPLICA_ASSIGNMENT: fatal(39, "The replica assignment is not valid."),
  INVALID_CONFIG: fatal(40, "The configuration is not valid."),
  NOT_CONTROLLER: retriable(41, "This node is not the active controller."),
  INVALID_REQUEST: fatal(42, "The request is malformed or contradicts itself."),
  UNSUPPORTED_FOR_MESSAGE_FORMAT: fatal(43, "The broker's record format does not support the request."),
  POLICY_VIOLATION: fatal(44, "The request violates a policy."),
  OUT_OF_ORDER_SEQUENCE_NUMBER: fatal(45, "The batch does not follow the producer's last one."),
  DUPLICATE_SEQUENCE_NUMBER: fatal(46, "The batch was appended before."),
  INVALID_PRODUCER_EPOCH: fatal(47, "A newer instance of the producer has taken over."),
  INVALID_TXN_STATE: fatal(48, "The request does not fit the state of the transaction."),
  INVALID_PRODUCER_ID_MAPPING: fatal(49, "The producer id does not belong to the transactional id."),
  INVALID_TRANSACTION_TIMEOUT: fatal(50, "The transaction timeout exceeds what the broker allows."),
  CONCURRENT_TRANSACTIONS: retriable(51, "The producer's previous transaction is still being completed."),
  TRANSACTION_COORDINATOR_FENCED: fatal(52, "A newer transaction coordinator has taken over."),
  TRANSACTIONAL_ID_AUTHORIZATION_FAILED: fatal(53, "Not authorized for the transactional id."),
  SECURITY_DISABLED: fatal(54, "Security features are disabled."),
  OPERATION_NOT_ATTEMPTED: fatal(55, "Not attempted, because another part of the request failed."),
  KAFKA_STORAGE_ERROR: retriable(56, "The broker's storage failed."),
  LOG_DIR_NOT_FOUND: fatal(57, "The log directory is not known."),
  SASL_AUTHENTICATION_FAILED: fatal(58, "Authentication failed."),
  UNKNOWN_PRODUCER_ID: fatal(59, "The broker holds no state for that producer id."),
  REASSIGNMENT_IN_PROGRESS: fatal(60, "A reassignment of the partition is in progress."),
  DELEGATION_TOKEN_AUTH_DISABLED: fatal(61, "Delegation tokens are disabled."),
  DELEGATION_TOKEN_NOT_FOUND: fatal(62, "The delegation token is not known."),
  DELEGATION_TOKEN_OWNER_MISMATCH: fatal(63, "The principal does not own the delegation token."),
  DELEGATION_TOKEN_REQUEST_NOT_ALLOWED: fatal(64, "Delegation tokens cannot be used over this connection."),
  DELEGATION_TOKEN_AUTHORIZATION_FAILED: fatal(65, "Not authorized for the delegation token."),
  DELEGATION_TOKEN_EXPIRED: fatal(66, "The delegation token has expired."),
  INVALID_PRINCIPAL_TYPE: fatal(67, "The principal type is not supported."),
  NON_EMPTY_GROUP: fatal(68, "The group still has members."),
  GROUP_ID_NOT_FOUND: fatal(69, "The group does not exist."),
  FETCH_SESSION_ID_NOT_FOUND: retriable(70, "The fetch session is not known."),
  INVALID_FETCH_SESSION_EPOCH: retriable(71, "The epoch of the fetch session is not the expected one."),
  LISTENER_NOT_FOUND: retriable(72, "The leader has no endpoint on the listener that the request came in by."),
  TOPIC_DELETION_DISABLED: fatal(73, "Deleting topics is disabled."),
  FENCED_LEADER_EPOCH: retriable(74, "The leader epoch of the request is older than the broker's."),
  UNKNOWN_LEADER_EPOCH: retriable(75, "The leader epoch of the request is newer than the broker's."),
  UNSUPPORTED_COMPRESSION_TYPE: fatal(76, "The compression codec is not supported by this version of the request."),
  STALE_BROKER_EPOCH: fatal(77, "The broker has registered again since; its epoch is stale."),
  OFFSET_NOT_AVAILABLE: retriable(78, "The new leader's high watermark has not caught up yet."),
  MEMBER_ID_REQUIRED: fatal(79, "Join again with the member id given in this response."),
  PREFERRED_LEADER_NOT_AVAILABLE: retriable(80, "The preferred leader is not available."),
  GROUP_MAX_SIZE_REACHED: fatal(81, "The group is full."),
  FENCED_INSTANCE_ID: fatal(82, "Another member has taken over this group instance id."),
  ELIGIBLE_LEADERS_NOT_AVAILABLE: retriable(83, "No eligible leader is available."),
  ELECTION_NOT_NEEDED: retriable(84, "The partition already has the leader that was asked for."),
  NO_REASSIGNMENT_IN_PROGRESS: fatal(85, "No reassignment of the partition is in progress."),
  GROUP_SUBSCRIBED_TO_TOPIC: fatal(86, "A member of the group still subscribes to the topic."),
  INVALID_RECORD: fatal(87, "A record breaks a rule of the topic or of the format."),
  UNSTABLE_OFFSET_COMMIT: retriable(88, "A transaction with offsets for the partition is still open."),
  THROTTLING_QUOTA_EXCEEDED: retriable(89, "The quota is used up; wait for the throttle time."),
  PRODUCER_FENCED: fatal(90, "A newer producer with the same transactional id has taken over."),
  RESOURCE_NOT_FOUND: fatal(91, "The resource does not exist."),
  DUPLICATE_RESOURCE: fatal(92, "The resource is named twice."),
  UNACCEPTABLE_CREDENTIAL: fatal(93, "The credential does not meet the rules."),
  INCONSISTENT_VOTER_SET: fatal(94, "Only the voters of the quorum may take part."),
  INVALID_UPDATE_VERSION: fatal(95, "The update is based on an older version of the state."),
  FEATURE_UPDATE_FAILED: fatal(96, "The features could not be updated."),
  PRINCIPAL_DESERIALIZATION_FAILURE: fatal(97, "The forwarded principal could not be read."),
  SNAPSHOT_NOT_FOUND: fatal(98, "The snapshot does not exist."),
  POSITION_OUT_OF_RANGE: fatal(99, "The position is outside the snapshot."),
  UNKNOWN_TOPIC_ID: retriable(100, "This broker does not host the topic with that id."),
  DUPLICATE_BROKER_REGISTRATION: fatal(101, "Another live broker holds that id."),
  BROKER_ID_NOT_REGISTERED: fatal(102, "No broker with that id is registered."),
  INCONSISTENT_TOPIC_ID: retriable(103, "The topic id of the log differs from the one in the request."),
  INCONSISTENT_CLUSTER_ID: fatal(104, "The cluster id is not this cluster's."),
  TRANSACTIONAL_ID_NOT_FOUND: fatal(105, "The transactional id is not known."),
  FETCH_SESSION_TOPIC_ID_ERROR: retriable(106, "The fetch session mixes topic names and topic ids."),
  INELIGIBLE_REPLICA: fatal(107, "The replica may not join the in-sync replicas."),
  NEW_LEADER_ELECTED: fatal(108, "The change was made, and elected another leader."),
  OFFSET_MOVED_TO_TIERED_STORAGE: fatal(109, "The offset has moved to tiered storage."),
  FENCED_MEMBER_EPOCH: fatal(110, "The member's epoch is fenced; join the group again."),
  UNRELEASED_INSTANCE_ID: fatal(111, "The group instance id is still held by another member."),
  UNSUPPORTED_ASSIGNOR: fatal(112, "The assignor is not supported by the group."),
  STALE_MEMBER_EPOCH: fatal(113, "The member epoch is stale; refresh it with a heartbeat."),
  MISMATCHED_ENDPOINT_TYPE: fatal(114, "The request was sent to an endpoint of the wrong type."),
  UNSUPPORTED_ENDPOINT_TYPE: fatal(115, "The endpoint type is not supported."),
  UNKNOWN_CONTROLLER_ID: fatal(116, "The controller id is not known."),
  UNKNOWN_SUBSCRIPTION_ID: fatal(117, "The telemetry subscription is outdated."),
  TELEMETRY_TOO_LARGE: fatal(118, "The telemetry is larger than the broker accepts."),
  INVALID_REGISTRATION: fatal(119, "The broker registration was refused."),
  TRANSACTION_ABORTABLE: fatal(120, "The transaction met an error and must be aborted."),
  INVALID_RECORD_STATE: fatal(121, "The delivery state of the record does not allow this."),
  SHARE_SESSION_NOT_FOUND: retriable(122, "The share session is not known."),
  INVALID_SHARE_SESSION_EPOCH: retriable(123, "The epoch of the share session is not the expected one."),
  FENCED_STATE_EPOCH: fatal(124, "The state epoch is not the one that the share coordinator holds."),
  INVALID_VOTER_KEY: fatal(125, "The voter key is not the receiving node's."),
  DUPLICATE_VOTER: fatal(126, "The voter is a member of the quorum already."),
  VOTER_NOT_FOUND: fatal(127, "The voter is not a member of the quorum."),
  INVALID_REGULAR_EXPRESSION: fatal(128, "The regular expression is not valid."),
  REBOOTSTRAP_REQUIRED: fatal(129, "The metadata is outdated; connect to the bootstrap servers again."),
  STREAMS_INVALID_TOPOLOGY: fatal(130, "The streams topology is not valid."),
  STREAMS_INVALID_TOPOLOGY_EPOCH: fatal(131, "The epoch of the streams topology is not valid."),
  STREAMS_TOPOLOGY_FENCED: fatal(132, "The epoch of the streams topology is outdated."),
  SHARE_SESSION_LIMIT_REACHED: retriable(133, "The broker holds as many share sessions as it may."),
} as const satisfies Record<string, ErrorEntry>;

/** The name of a Kafka error, as Kafka spells it. */
export type ErrorName = keyof typeof table;

const nameByCode = new Map<number, ErrorName>(
  (Object.keys(table) as ErrorName[]).map((name) => [table[name].code, name]),
);

/** All names, for tables and tests. */
export const errorNames: readonly ErrorName[] = [...nameByCode.values()];

/** The number that stands for the error on the wire. */
export function errorCode(name: ErrorName): number {
  return table[name].code;
}

/** The error a number stands for. A number from a newer Kafka reads as UNKNOWN_SERVER_ERROR. */
export function errorName(code: number): ErrorName {
  return nameByCode.get(code) ?? "UNKNOWN_SERVER_ERROR";
}

/** Whether the same request may succeed later. */
export function isRetriable(name: ErrorName): boolean {
  return table[name].retriable;
}

/** One sentence for people. */
export function errorMessage(name: ErrorName): string {
  return table[name].message;
}
