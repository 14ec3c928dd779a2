import type { DeleteTopicsRequest, DeleteTopicsResponseInit } from "../protocol/apis/20-delete-topics.ts";
import type { MetadataRecordInit } from "../protocol/metadata-records/registry.ts";
import { ZERO_UUID } from "../protocol/uuid.ts";
import type { ClusterImage, Topic } from "./image.ts";
import { distinct, duplicates, errorFields, isRefused, refuse } from "./request-error.ts";
import type { RequestError } from "./request-error.ts";
import { isInternalTopic } from "./topic-name.ts";

type Asked = DeleteTopicsRequest["topics"][number];

/**
 * Deletes topics by name, or since v6 by id. The record of it is what lets brokers delete their copies (R18). One that is
 * asked for twice is refused, once.
 */
export function deleteTopics(
  image: ClusterImage,
  request: DeleteTopicsRequest,
): { readonly records: readonly MetadataRecordInit[]; readonly response: DeleteTopicsResponseInit } {
  const asked = [...request.topics, ...request.topicNames.map((name): Asked => ({ name, topicId: ZERO_UUID }))];
  const repeated = duplicates(asked, textOf);
  const found = distinct(asked, textOf).map((topic) => ({
    topic,
    outcome: repeated.has(textOf(topic)) ? TWICE : find(image, topic),
  }));
  const existing = found.flatMap(({ outcome }) => (isRefused(outcome) ? [] : [outcome]));
  const byNameAndId = duplicates(existing, ({ topicId }) => topicId);
  const records: MetadataRecordInit[] = [];
  const responses = found.flatMap(({ topic, outcome }) => {
    if (isRefused(outcome)) return { name: topic.name, topicId: topic.topicId, ...errorFields(outcome) };
    const { name, topicId } = outcome;
    if (isInternalTopic(name)) {
      const refusal = refuse("INVALID_TOPIC_EXCEPTION", `${name} is kept by brokers for themselves`);
      return { name, topicId, ...errorFields(refusal) };
    }
    if (byNameAndId.has(topicId)) return topic.name === null ? [] : { name, topicId, ...errorFields(TWICE) };
    records.push({ type: "RemoveTopicRecord", topicId });
    return { name, topicId, errorCode: 0 };
  });
  // Below v6 the name of a topic is not null, and every topic was given by name.
  return { records, response: { responses } };
}

const TWICE = refuse("INVALID_REQUEST", "the topic is named twice in the request");

function textOf({ name, topicId }: Asked): string {
  return `${name ?? ""} ${topicId}`;
}

function find(image: ClusterImage, { name, topicId }: Asked): Topic | RequestError {
  if ((name === null) === (topicId === ZERO_UUID)) return refuse("INVALID_REQUEST", "a topic is given by name or by id");
  if (name === null) return image.topics.get(topicId) ?? refuse("UNKNOWN_TOPIC_ID", "no topic has that id");
  return image.topicNamed(name) ?? refuse("UNKNOWN_TOPIC_OR_PARTITION", "no topic has that name");
}
