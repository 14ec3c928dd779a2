import { KafkaJSError, KafkaJSNonRetriableError, KafkaJSProtocolError, KafkaJSTimeout } from "./errors.ts";

// Classes of KafkaJS that nothing here throws. Programs that name them in a `catch` must start all the same.

export class KafkaJSFetcherRebalanceError extends Error {}
export class KafkaJSInvalidLongError extends KafkaJSNonRetriableError {}
export class KafkaJSInvalidVarIntError extends KafkaJSNonRetriableError {}
export class KafkaJSInvariantViolation extends KafkaJSNonRetriableError {}
export class KafkaJSLockTimeout extends KafkaJSTimeout {}
export class KafkaJSMemberIdRequired extends KafkaJSProtocolError {
  declare readonly memberId: string;
}
export class KafkaJSNoBrokerAvailableError extends KafkaJSError {}
export class KafkaJSPartialMessageError extends KafkaJSNonRetriableError {}
export class KafkaJSSASLAuthenticationError extends KafkaJSNonRetriableError {}
export class KafkaJSStaleTopicMetadataAssignment extends KafkaJSError {
  declare readonly topic: string;
  declare readonly unknownPartitions: number;
}
export class KafkaJSUnsupportedMagicByteInMessageSet extends KafkaJSNonRetriableError {}
