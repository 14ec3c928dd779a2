import { createTopics } from "../../protocol/apis/19-create-topics.ts";
import { deleteTopics } from "../../protocol/apis/20-delete-topics.ts";
import { describeConfigs } from "../../protocol/apis/32-describe-configs.ts";
import { createPartitions } from "../../protocol/apis/37-create-partitions.ts";
import { incrementalAlterConfigs } from "../../protocol/apis/44-incremental-alter-configs.ts";
import type { Handler } from "../handle-request.ts";
import { produceHandler } from "./00-produce.ts";
import { fetchHandler } from "./01-fetch.ts";
import { listOffsetsHandler } from "./02-list-offsets.ts";
import { metadataHandler } from "./03-metadata.ts";
import { apiVersionsHandler } from "./18-api-versions.ts";
import { initProducerIdHandler } from "./22-init-producer-id.ts";
import { offsetForLeaderEpochHandler } from "./23-offset-for-leader-epoch.ts";
import { describeClusterHandler } from "./60-describe-cluster.ts";

/** What a broker answers by itself. Each handler is named, and numbered, as its api. */
export const handlers: ReadonlyMap<number, Handler> = new Map(
  [
    produceHandler,
    fetchHandler,
    listOffsetsHandler,
    metadataHandler,
    apiVersionsHandler,
    initProducerIdHandler,
    offsetForLeaderEpochHandler,
    describeClusterHandler,
  ].map((handler) => [handler.api.key, handler as unknown as Handler]),
);

/** What only the controller can decide, so that a broker passes it on. */
export const forwardedApis: ReadonlySet<number> = new Set(
  [createTopics, deleteTopics, describeConfigs, createPartitions, incrementalAlterConfigs].map(({ key }) => key),
);
