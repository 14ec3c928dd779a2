import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { fail } from "./oracle-context.ts";

/** What Kafka's protocol lets a broker answer to each API that the scripted clients use, beside success. */
const documented: Readonly<Record<string, readonly ErrorName[]>> = {
  Produce: [
    "CORRUPT_MESSAGE", "UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "MESSAGE_TOO_LARGE",
    "INVALID_TOPIC_EXCEPTION", "RECORD_LIST_TOO_LARGE", "NOT_ENOUGH_REPLICAS", "NOT_ENOUGH_REPLICAS_AFTER_APPEND",
    "INVALID_REQUIRED_ACKS", "TOPIC_AUTHORIZATION_FAILED", "UNSUPPORTED_FOR_MESSAGE_FORMAT", "POLICY_VIOLATION",
    "CLUSTER_AUTHORIZATION_FAILED", "TRANSACTIONAL_ID_AUTHORIZATION_FAILED", "INVALID_RECORD", "INVALID_TIMESTAMP",
    "OUT_OF_ORDER_SEQUENCE_NUMBER", "DUPLICATE_SEQUENCE_NUMBER", "INVALID_PRODUCER_EPOCH", "UNKNOWN_PRODUCER_ID",
    "REQUEST_TIMED_OUT", "KAFKA_STORAGE_ERROR",
  ],
  Fetch: [
    "OFFSET_OUT_OF_RANGE", "UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "REPLICA_NOT_AVAILABLE",
    "FENCED_LEADER_EPOCH", "UNKNOWN_LEADER_EPOCH", "UNKNOWN_TOPIC_ID", "INCONSISTENT_TOPIC_ID", "KAFKA_STORAGE_ERROR",
    "OFFSET_NOT_AVAILABLE", "CORRUPT_MESSAGE",
  ],
  ListOffsets: [
    "UNKNOWN_TOPIC_OR_PARTITION", "NOT_LEADER_OR_FOLLOWER", "REPLICA_NOT_AVAILABLE", "FENCED_LEADER_EPOCH",
    "UNKNOWN_LEADER_EPOCH", "OFFSET_NOT_AVAILABLE", "KAFKA_STORAGE_ERROR", "UNSUPPORTED_FOR_MESSAGE_FORMAT",
  ],
  Metadata: ["UNKNOWN_TOPIC_OR_PARTITION", "LEADER_NOT_AVAILABLE", "INVALID_TOPIC_EXCEPTION", "UNKNOWN_TOPIC_ID"],
  InitProducerId: [
    "CLUSTER_AUTHORIZATION_FAILED", "COORDINATOR_LOAD_IN_PROGRESS", "COORDINATOR_NOT_AVAILABLE", "NOT_COORDINATOR",
    "REQUEST_TIMED_OUT", "INVALID_PRODUCER_EPOCH", "CONCURRENT_TRANSACTIONS",
  ],
};

/** The name of an error that a client was told, which must be one of those that the API may answer with. */
export function documentedError(api: { readonly name: string }, code: number): ErrorName {
  const error = errorName(code);
  if (error !== "NONE" && documented[api.name]?.includes(error) !== true) {
    fail("documented-errors", `${api.name} was answered with ${error}`);
  }
  return error;
}
