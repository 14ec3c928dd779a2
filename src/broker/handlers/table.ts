import { createTopics } from "../../protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../protocol/apis/20-delete-topics.ts";
import { alterConfigs } from "../../protocol/apis/33-alter-configs.ts";
import { createPartitions } from "../../protocol/apis/37-create-partitions.ts";
import { electLeaders } from "../../protocol/apis/43-elect-leaders.ts";
import { incrementalAlterConfigs } from "../../protocol/apis/44-incremental-alter-configs.ts";
import { alterPartitionReassignments } from "../../protocol/apis/45-alter-partition-reassignments.ts";
import { listPartitionReassignments } from "../../protocol/apis/46-list-partition-reassignments.ts";
import type { Api } from "../../protocol/schema.ts";
import type { Handler } from "../handle-request.ts";
import { produceHandler } from "./00-produce.ts";
import { fetchHandler } from "./01-fetch.ts";
import { listOffsetsHandler } from "./02-list-offsets.ts";
import { metadataHandler } from "./03-metadata.ts";
import { offsetCommitHandler } from "./08-offset-commit.ts";
import { offsetFetchHandler } from "./09-offset-fetch.ts";
import { findCoordinatorHandler } from "./10-find-coordinator.ts";
import { joinGroupHandler } from "./11-join-group.ts";
import { heartbeatHandler } from "./12-heartbeat.ts";
import { leaveGroupHandler } from "./13-leave-group.ts";
import { syncGroupHandler } from "./14-sync-group.ts";
import { describeGroupsHandler } from "./15-describe-groups.ts";
import { listGroupsHandler } from "./16-list-groups.ts";
import { apiVersionsHandler } from "./18-api-versions.ts";
import { deleteRecordsHandler } from "./21-delete-records.ts";
import { initProducerIdHandler } from "./22-init-producer-id.ts";
import { offsetForLeaderEpochHandler } from "./23-offset-for-leader-epoch.ts";
import { describeConfigsHandler } from "./32-describe-configs.ts";
import { describeLogDirsHandler } from "./35-describe-log-dirs.ts";
import { deleteGroupsHandler } from "./42-delete-groups.ts";
import { offsetDeleteHandler } from "./47-offset-delete.ts";
import { describeClusterHandler } from "./60-describe-cluster.ts";
import { describeProducersHandler } from "./61-describe-producers.ts";
import { consumerGroupHeartbeatHandler } from "./68-consumer-group-heartbeat.ts";
import { consumerGroupDescribeHandler } from "./69-consumer-group-describe.ts";
import { listConfigResourcesHandler } from "./74-list-config-resources.ts";
import { describeTopicPartitionsHandler } from "./75-describe-topic-partitions.ts";

/** What a broker answers by itself. Each handler is named, and numbered, as its api. */
export const handlers: ReadonlyMap<number, Handler> = new Map(
  [
    produceHandler,
    fetchHandler,
    listOffsetsHandler,
    metadataHandler,
    offsetCommitHandler,
    offsetFetchHandler,
    findCoordinatorHandler,
    joinGroupHandler,
    heartbeatHandler,
    leaveGroupHandler,
    syncGroupHandler,
    describeGroupsHandler,
    listGroupsHandler,
    apiVersionsHandler,
    deleteRecordsHandler,
    initProducerIdHandler,
    offsetForLeaderEpochHandler,
    describeConfigsHandler,
    describeLogDirsHandler,
    deleteGroupsHandler,
    offsetDeleteHandler,
    describeClusterHandler,
    describeProducersHandler,
    consumerGroupHeartbeatHandler,
    consumerGroupDescribeHandler,
    listConfigResourcesHandler,
    describeTopicPartitionsHandler,
  ].map((handler) => [handler.api.key, handler as unknown as Handler]),
);

/** What only the controller can decide, so that a broker passes it on. */
export const forwardedApis: ReadonlyMap<number, Api> = new Map(
  [
    createTopics,
    deleteTopics,
    alterConfigs,
    createPartitions,
    electLeaders,
    incrementalAlterConfigs,
    alterPartitionReassignments,
    listPartitionReassignments,
  ].map((api) => [api.key, api as unknown as Api]),
);
