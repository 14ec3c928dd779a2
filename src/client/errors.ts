import { errorCode, errorMessage, isRetriable } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";

/**
 * The errors an application sees, under KafkaJS's names. `retriable` says that the same call may succeed later;
 * `cause` always leads to what went wrong underneath.
 */
export class KafkaJSError extends Error {
  override readonly name: string = "KafkaJSError";
  readonly retriable: boolean;

  constructor(message: string, options: { readonly retriable?: boolean; readonly cause?: unknown } = {}) {
    super(message, "cause" in options ? { cause: options.cause } : undefined);
    this.retriable = options.retriable ?? true;
  }
}

/** Thrown when trying again cannot help: the arguments or the configuration must change. */
export class KafkaJSNonRetriableError extends KafkaJSError {
  override readonly name: string = "KafkaJSNonRetriableError";

  constructor(message: string, options: { readonly cause?: unknown } = {}) {
    super(message, { ...options, retriable: false });
  }
}

/** Thrown when a broker or the controller answers with a Kafka error. */
export class KafkaJSProtocolError extends KafkaJSError {
  override readonly name: string = "KafkaJSProtocolError";
  /** Kafka's name of the error, such as `MESSAGE_TOO_LARGE`. */
  readonly type: ErrorName;
  /** Kafka's number of the error. */
  readonly code: number;

  constructor(type: ErrorName, detail?: string, options: { readonly cause?: unknown } = {}) {
    super(detail === undefined ? errorMessage(type) : `${detail}: ${errorMessage(type)}`, {
      ...options,
      retriable: isRetriable(type),
    });
    this.type = type;
    this.code = errorCode(type);
  }
}

/** Thrown when a consumer's position is outside what the partition holds and its reset policy is `none`. */
export class KafkaJSOffsetOutOfRange extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSOffsetOutOfRange";
  readonly topic: string;
  readonly partition: number;

  constructor(detail: string, where: { readonly topic: string; readonly partition: number }) {
    super("OFFSET_OUT_OF_RANGE", detail);
    this.topic = where.topic;
    this.partition = where.partition;
  }
}

/**
 * Thrown when records that a consumer has read are no longer in the partition: an unclean election or lost disks
 * replaced them (KIP-320). `divergingOffset` is the first offset that may hold something else.
 */
export class KafkaJSLogTruncationError extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSLogTruncationError";
  readonly topic: string;
  readonly partition: number;
  readonly divergingOffset: string;

  constructor(message: string, where: { topic: string; partition: number; divergingOffset: string }) {
    super(message);
    this.topic = where.topic;
    this.partition = where.partition;
    this.divergingOffset = where.divergingOffset;
  }
}

/** Thrown when the last permitted attempt failed; `cause` is that failure. */
export class KafkaJSNumberOfRetriesExceeded extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSNumberOfRetriesExceeded";
  readonly retryCount: number;
  /** Milliseconds from the first attempt to the last failure. */
  readonly retryTime: number;

  constructor(message: string, details: { retryCount: number; retryTime: number; cause: unknown }) {
    super(message, { cause: details.cause });
    this.retryCount = details.retryCount;
    this.retryTime = details.retryTime;
  }
}

/** Thrown when no connection to a broker opens. */
export class KafkaJSConnectionError extends KafkaJSError {
  override readonly name: string = "KafkaJSConnectionError";
  /** The broker's node id, as text. */
  readonly broker: string;

  constructor(message: string, details: { readonly broker: string; readonly cause?: unknown }) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.broker = details.broker;
  }
}

/** Thrown when a connection ends before the response came, so that the fate of the request is unknown. */
export class KafkaJSConnectionClosedError extends KafkaJSConnectionError {
  override readonly name: string = "KafkaJSConnectionClosedError";
}

/** Thrown when a response stays out for longer than `requestTimeout`. */
export class KafkaJSRequestTimeoutError extends KafkaJSError {
  override readonly name: string = "KafkaJSRequestTimeoutError";
  readonly broker: string;
  readonly correlationId: number;
  readonly createdAt: number;
  readonly sentAt: number;
  readonly pendingDuration: number;

  constructor(
    message: string,
    details: { broker: string; correlationId: number; createdAt: number; sentAt: number; pendingDuration: number },
  ) {
    super(message);
    this.broker = details.broker;
    this.correlationId = details.correlationId;
    this.createdAt = details.createdAt;
    this.sentAt = details.sentAt;
    this.pendingDuration = details.pendingDuration;
  }
}

/** Thrown when something did not happen within the time given for it. */
export class KafkaJSTimeout extends KafkaJSError {
  override readonly name: string = "KafkaJSTimeout";
}

/** Thrown when no metadata of the cluster has arrived yet. */
export class KafkaJSMetadataNotLoaded extends KafkaJSError {
  override readonly name: string = "KafkaJSMetadataNotLoaded";
}

/** Thrown when the cluster's metadata has no such topic. */
export class KafkaJSTopicMetadataNotLoaded extends KafkaJSMetadataNotLoaded {
  override readonly name: string = "KafkaJSTopicMetadataNotLoaded";
  readonly topic: string;

  constructor(message: string, details: { readonly topic: string; readonly cause?: unknown }) {
    super(message, "cause" in details ? { cause: details.cause } : {});
    this.topic = details.topic;
  }
}

/** Thrown when the cluster's metadata has no such broker, or the broker is not alive. */
export class KafkaJSBrokerNotFound extends KafkaJSError {
  override readonly name: string = "KafkaJSBrokerNotFound";
}

/** Thrown when nobody coordinates the group at the moment: its coordinator has gone, and the next one is to come. */
export class KafkaJSGroupCoordinatorNotFound extends KafkaJSError {
  override readonly name: string = "KafkaJSGroupCoordinatorNotFound";
}

/** Thrown when groups cannot be deleted; `groups` says which, and why. */
export class KafkaJSDeleteGroupsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteGroupsError";
  readonly groups: readonly { groupId: string; errorCode: number; error: KafkaJSProtocolError }[];

  constructor(message: string, groups: KafkaJSDeleteGroupsError["groups"]) {
    super(message, { cause: groups[0]?.error });
    this.groups = groups;
  }
}

/** Thrown when the other side speaks no version of a request that this client speaks. */
export class KafkaJSServerDoesNotSupportApiKey extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSServerDoesNotSupportApiKey";
  readonly apiKey: number;
  readonly apiName: string;

  constructor(message: string, details: { readonly apiKey: number; readonly apiName: string }) {
    super(message);
    this.apiKey = details.apiKey;
    this.apiName = details.apiName;
  }
}

/** Thrown by a part of KafkaJS's interface that is not there. The message says what to use instead. */
export class KafkaJSNotImplemented extends KafkaJSNonRetriableError {
  override readonly name: string = "KafkaJSNotImplemented";
}

/** Thrown for one topic that could not be created; `KafkaJSAggregateError` carries these. */
export class KafkaJSCreateTopicError extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSCreateTopicError";
  readonly topic: string;

  constructor(type: ErrorName, topic: string, detail: string) {
    super(type, detail);
    this.topic = topic;
  }
}

/** Thrown for one partition that could not be moved; `KafkaJSAggregateError` carries these. */
export class KafkaJSAlterPartitionReassignmentsError extends KafkaJSProtocolError {
  override readonly name: string = "KafkaJSAlterPartitionReassignmentsError";
  readonly topic: string;
  readonly partition: number;

  constructor(type: ErrorName, topic: string, partition: number, detail: string | null) {
    const what = `Partition ${partition} of topic ${topic}`;
    super(type, detail === null ? what : `${what}, ${detail}`);
    this.topic = topic;
    this.partition = partition;
  }
}

/** A partition of which no records were deleted. */
export interface RefusedDeletion {
  readonly partition: number;
  readonly offset: string;
  readonly error: Error;
}

/** Thrown when records could not be deleted in every partition; retriable if trying again may help with each. */
export class KafkaJSDeleteTopicRecordsError extends KafkaJSError {
  override readonly name: string = "KafkaJSDeleteTopicRecordsError";
  readonly partitions: readonly RefusedDeletion[];

  constructor(topic: string, partitions: readonly RefusedDeletion[]) {
    const reasons = partitions.map(({ error }) => error.message).join("; ");
    super(`Records of topic ${topic} could not be deleted: ${reasons}`, {
      retriable: partitions.every(({ error }) => isRetriableError(error)),
      cause: partitions[0]?.error,
    });
    this.partitions = partitions;
  }
}

/** Thrown when several things failed at once; `errors` holds each. */
export class KafkaJSAggregateError extends Error {
  override readonly name: string = "KafkaJSAggregateError";
  readonly errors: readonly Error[];

  constructor(message: string, errors: readonly Error[]) {
    super(message, { cause: errors[0] });
    this.errors = errors;
  }
}

/** Whether another attempt may succeed. A failure that is not ours, such as a bug in a callback, is not retriable. */
export function isRetriableError(error: unknown): boolean {
  return error instanceof KafkaJSError && error.retriable;
}

/** The text of anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Anything that was thrown, as an error. */
export function asError(thrown: unknown): Error {
  return thrown instanceof Error ? thrown : new KafkaJSError(String(thrown), { cause: thrown });
}
