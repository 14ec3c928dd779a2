import { KafkaClient, serverAddress } from "./client/kafka.ts";
import type { KafkaConfig, ServerAddress } from "./client/kafka.ts";
import { loadCode } from "./client/on-demand.ts";
import type { BrokerTab, BrokerTabOptions } from "./platform/browser/browser-broker-tab.ts";
import { browserClientPlatform } from "./platform/browser/browser-client-platform.ts";

export type BrokerOptions = Partial<BrokerTabOptions>;

/** A cluster, reached from a browser's page. */
export class Kafka extends KafkaClient {
  readonly #config: KafkaConfig;

  constructor(config: KafkaConfig) {
    super(config, (address) => browserClientPlatform({ ...address, ...links(config) }));
    this.#config = config;
  }

  /**
   * Makes this tab a broker of the cluster. Its code is loaded only here. Resolves once the tab has its storage; it
   * joins the cluster by itself, and `status()` says how far it is.
   */
  async broker(options: BrokerOptions = {}): Promise<BrokerTab> {
    const { startBrokerTab } = await loadCode(() => import("./platform/browser/browser-broker-tab.ts"));
    const address: ServerAddress = serverAddress(this.#config.brokers);
    return startBrokerTab({ ...address, ...links(this.#config), ...options });
  }
}

function links({ iceServers, relayOnly }: KafkaConfig): Pick<BrokerOptions, "iceServers" | "relayOnly"> {
  return {
    ...(iceServers === undefined ? {} : { iceServers }),
    ...(relayOnly === undefined ? {} : { relayOnly }),
  };
}

export {
  AclOperationTypes,
  AclPermissionTypes,
  AclResourceTypes,
  ResourcePatternTypes,
} from "./client/acl-types.ts";
export { Admin } from "./client/admin.ts";
export type {
  AdminConfig,
  ConfigEntry,
  DescribeConfigResponse,
  IResourceConfig,
  ITopicConfig,
  ITopicMetadata,
  OngoingTopicReassignment,
  PartitionReassignment,
  ResourceConfigQuery,
  SeekEntry,
} from "./client/admin-types.ts";
export { AssignerProtocol } from "./client/assigners/assigner-protocol.ts";
export type { MemberAssignment, MemberMetadata } from "./client/assigners/assigner-protocol.ts";
export type {
  Assigner,
  AssignerCluster,
  AssignerSubscription,
  GroupMember,
  GroupMemberAssignment,
  GroupState,
  PartitionAssigner,
} from "./client/assigners/assigner.ts";
export { PartitionAssigners } from "./client/assigners/partition-assigners.ts";
export type { RetryOptions } from "./client/backoff.ts";
export type { BrokerView, ClusterView, PartitionView, TopicView } from "./client/cluster-view.ts";
export { CompressionCodecs, CompressionTypes } from "./client/compression-types.ts";
export { ConfigResourceTypes, ConfigSource } from "./client/config-resources.ts";
export { Consumer } from "./client/consumer.ts";
export type {
  ConsumerConfig,
  ConsumerRunConfig,
  EachBatchPayload,
  EachMessagePayload,
  PartitionAssignment,
  TopicPartitionOffset,
  TopicPartitionOffsetAndMetadata,
} from "./client/consumer-types.ts";
export type { Batch } from "./client/consumer-batch.ts";
export type { RecordMetadata } from "./client/delivery.ts";
export {
  KafkaJSAggregateError,
  KafkaJSAlterPartitionReassignmentsError,
  KafkaJSBrokerNotFound,
  KafkaJSConnectionClosedError,
  KafkaJSConnectionError,
  KafkaJSCreateTopicError,
  KafkaJSDeleteGroupsError,
  KafkaJSDeleteTopicRecordsError,
  KafkaJSError,
  KafkaJSGroupCoordinatorNotFound,
  KafkaJSLogTruncationError,
  KafkaJSMetadataNotLoaded,
  KafkaJSNonRetriableError,
  KafkaJSNotImplemented,
  KafkaJSNumberOfRetriesExceeded,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
  KafkaJSRequestTimeoutError,
  KafkaJSServerDoesNotSupportApiKey,
  KafkaJSTimeout,
  KafkaJSTopicMetadataNotLoaded,
} from "./client/errors.ts";
export type {
  ConnectEvent,
  DisconnectEvent,
  InstrumentationEvent,
  RequestEvent,
  RequestQueueSizeEvent,
  RequestTimeoutEvent,
} from "./client/events.ts";
export type { CommitTerms } from "./client/group/auto-commit.ts";
export type { OffsetsByTopicPartition } from "./client/group/committed-offsets.ts";
export type { GroupDescription, MemberDescription } from "./client/group/describe-group.ts";
export type { DeleteGroupsResult, FetchOffsetsPartition, GroupOverview } from "./client/group/group-admin.ts";
export type { KafkaConfig } from "./client/kafka.ts";
export { logLevel } from "./client/logger.ts";
export type { logCreator, LogEntry, Logger, LoggerEntryContent } from "./client/logger.ts";
export { Bytes } from "./client/messages.ts";
export type { ConsumedMessage, IHeaders, KafkaMessage, Message } from "./client/messages.ts";
export { Partitioners } from "./client/partitioner.ts";
export type { ICustomPartitioner, Partitioner, PartitionerArgs, PartitionMetadata } from "./client/partitioner.ts";
export { Producer } from "./client/producer.ts";
export type { ProducerBatch, ProducerConfig, ProducerRecord } from "./client/producer.ts";
export {
  KafkaJSFetcherRebalanceError,
  KafkaJSInvalidLongError,
  KafkaJSInvalidVarIntError,
  KafkaJSInvariantViolation,
  KafkaJSLockTimeout,
  KafkaJSMemberIdRequired,
  KafkaJSNoBrokerAvailableError,
  KafkaJSPartialMessageError,
  KafkaJSSASLAuthenticationError,
  KafkaJSStaleTopicMetadataAssignment,
  KafkaJSUnsupportedMagicByteInMessageSet,
} from "./client/unthrown-errors.ts";
export type { BrokerState, BrokerStatus, PartitionStatus } from "./broker/broker-status.ts";
export type { BrokerTab } from "./platform/browser/browser-broker-tab.ts";
