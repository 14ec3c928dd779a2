import { describeTopicPartitions } from "../../protocol/apis/75-describe-topic-partitions.ts";
import { describeTopicPartitionsResponse } from "../../metadata/describe-topic-partitions.ts";
import type { Handler } from "../handle-request.ts";

/** Serves v0 from the metadata that this broker has followed. */
export const describeTopicPartitionsHandler: Handler<typeof describeTopicPartitions> = {
  api: describeTopicPartitions,
  handle(broker, request, { listener }, respond) {
    respond(describeTopicPartitionsResponse(broker.image, request, listener));
  },
};
