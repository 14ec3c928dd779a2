import { defaultRetry, retrying } from "./backoff.ts";
import type { Cluster } from "./cluster.ts";
import { KafkaJSCreateTopicError, KafkaJSTopicMetadataNotLoaded, reasonOf } from "./errors.ts";
import { topicNameProblem } from "../metadata/topic-name.ts";
import { createTopics } from "../protocol/apis/19-create-topics.ts";
import { errorName } from "../protocol/error-codes.ts";

/** Waits until the metadata has the topic; asks the controller to create it, with its defaults, if `create` is set. */
export async function ensureTopic(
  cluster: Cluster,
  topic: string,
  options: { readonly create: boolean; readonly timeoutMs: number },
): Promise<void> {
  if (cluster.image.topicNamed(topic) !== undefined) return;
  const problem = topicNameProblem(topic);
  if (problem !== undefined) throw new KafkaJSCreateTopicError("INVALID_TOPIC_EXCEPTION", topic, problem);
  const deadline = cluster.clock.now() + options.timeoutMs;
  try {
    if (options.create) {
      await waitForBroker(cluster, deadline);
      await create(cluster, topic, deadline);
    }
    await cluster.waitFor(`topic ${topic}`, deadline, (image) => image.topicNamed(topic)?.partitions[0]);
  } catch (error) {
    if (error instanceof KafkaJSCreateTopicError) throw error;
    throw new KafkaJSTopicMetadataNotLoaded(
      `Topic ${topic} is not known${options.create ? "" : " and is not created by itself"}: ${reasonOf(error)}`,
      { topic, cause: error },
    );
  }
}

async function create(cluster: Cluster, topic: string, deadline: number): Promise<void> {
  const { clock, platform } = cluster;
  const environment = { clock, random: () => platform.random() };
  const topics = [{ name: topic, numPartitions: -1, replicationFactor: -1 }];
  const response = await retrying(environment, { what: createTopics.name, policy: defaultRetry, deadline }, () => {
    const timeoutMs = Math.ceil(Math.max(1, deadline - clock.now()));
    return cluster.askController(createTopics, { topics, timeoutMs }, timeoutMs);
  });
  const answer = response.topics.find(({ name }) => name === topic);
  const error = errorName(answer?.errorCode ?? -1);
  if (error === "NONE" || error === "TOPIC_ALREADY_EXISTS") return;
  throw new KafkaJSCreateTopicError(error, topic, answer?.errorMessage ?? `Topic ${topic} could not be created`);
}

/** A tab that has just become a broker takes a moment to join, and partitions are made where there are brokers. */
export async function waitForBroker(cluster: Cluster, deadline: number): Promise<void> {
  await cluster.waitFor("a broker (open a tab that is one)", deadline, (image) =>
    [...image.brokers.keys()].find((brokerId) => image.isActive(brokerId)),
  );
}
