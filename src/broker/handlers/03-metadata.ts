import { createTopics } from "../../protocol/apis/19-create-topics.ts";
import { metadata } from "../../protocol/apis/03-metadata.ts";
import type { MetadataRequest } from "../../protocol/apis/03-metadata.ts";
import type { ClusterImage } from "../../metadata/image.ts";
import { asksByIdTooEarly, metadataResponse } from "../../metadata/metadata-response.ts";
import { isInternalTopic, topicNameProblem } from "../../metadata/topic-name.ts";
import { autoCreatesTopics } from "../../metadata/topic-config.ts";
import type { Broker } from "../broker.ts";
import type { Handler } from "../handle-request.ts";

/**
 * Serves v0 to v12 from the metadata that this broker has followed, with the endpoints of the listener asked. A topic
 * that does not exist is created if the client allows it and the cluster does; the client learns that by asking
 * again.
 */
export const metadataHandler: Handler<typeof metadata> = {
  api: metadata,
  handle(broker, request, { version, listener, nowMs }, respond) {
    if (!asksByIdTooEarly(request, version)) createMissing(broker, request, nowMs);
    respond(metadataResponse(broker.image, request, version, listener, broker.nodeId));
  },
};

/** What is not created this time, because there is too much of it, is created when the client asks again. */
const MAX_CREATED_AT_ONCE = 100;
/** The controller answers for each topic with its configuration, or with why it is not made. */
const MAX_ANSWER_BYTES = 1024;

function createMissing(broker: Broker, request: MetadataRequest, nowMs: number): void {
  if (!request.allowAutoTopicCreation || !autoCreatesTopics(broker.image)) return;
  const missing = (request.topics ?? [])
    .flatMap(({ name }) => (name === null || !mayBeMade(broker.image, name) ? [] : [name]))
    .slice(0, MAX_CREATED_AT_ONCE);
  if (missing.length === 0 || !broker.forwarded.mayAsk(missing.length * MAX_ANSWER_BYTES, nowMs)) return;
  broker.requests.ask(
    createTopics,
    7,
    {
      topics: missing.map((name) => ({ name, numPartitions: -1, replicationFactor: -1, assignments: [], configs: [] })),
      timeoutMs: 10_000,
      validateOnly: false,
    },
    () => {},
  );
}

function mayBeMade(image: ClusterImage, name: string): boolean {
  return !image.topicsByName.has(name) && !isInternalTopic(name) && topicNameProblem(name) === undefined;
}
