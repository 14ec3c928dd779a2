import { retryPause, sleep } from "./backoff.ts";
import type { RetryPolicy } from "./backoff.ts";
import type { BrokerConnections } from "./broker-connections.ts";
import type { Cluster } from "./cluster.ts";
import { asError, isRetriableError, KafkaJSProtocolError, KafkaJSTimeout, reasonOf } from "./errors.ts";
import { nameOf } from "./fetch-position.ts";
import type { TopicPartition } from "./fetch-position.ts";
import { groupBy } from "./group-by.ts";
import { listOffsets } from "../protocol/apis/02-list-offsets.ts";
import { offsetForLeaderEpoch } from "../protocol/apis/23-offset-for-leader-epoch.ts";
import { errorName } from "../protocol/error-codes.ts";

export interface OffsetQuestion extends TopicPartition {
  /** Milliseconds since 1970, or one of the special values of ListOffsets. */
  readonly timestamp: number;
}

export interface OffsetAnswer extends TopicPartition {
  /** -1 when no record is that young. */
  readonly offset: number;
  readonly timestamp: number;
  readonly leaderEpoch: number;
}

export interface LookupOptions {
  readonly policy: RetryPolicy;
  /** Of `clock.now()`. */
  readonly deadline: number;
}

/** Asks the leaders for offsets, again until all have answered; the answers come in the order of the questions. */
export async function lookUpOffsets(
  cluster: Cluster,
  connections: BrokerConnections,
  questions: readonly OffsetQuestion[],
  options: LookupOptions,
): Promise<OffsetAnswer[]> {
  const answers = new Map<OffsetQuestion, OffsetAnswer>();
  for (let attempt = 0; ; attempt++) {
    const open = questions.filter((question) => !answers.has(question));
    if (open.length === 0) return questions.map((question) => answers.get(question)!);
    const failures: Error[] = [];
    for (const [question, answer] of await askForOffsets(cluster, connections, open)) {
      if (answer instanceof Error) failures.push(answer);
      else answers.set(question, answer);
    }
    const [failure] = failures;
    if (failure === undefined) continue;
    const fatal = failures.find((error) => !isRetriableError(error));
    if (fatal !== undefined) throw fatal;
    const pause = retryPause(options.policy, attempt, cluster.platform.random());
    if (attempt >= options.policy.retries || cluster.clock.now() + pause > options.deadline) {
      throw new KafkaJSTimeout(`The leaders did not tell their offsets in time, lastly: ${reasonOf(failure)}`, {
        cause: failure,
      });
    }
    await sleep(cluster.clock, pause);
  }
}

/** Asks each leader once. Every question gets an answer or an error. */
export async function askForOffsets(
  cluster: Cluster,
  connections: BrokerConnections,
  questions: readonly OffsetQuestion[],
): Promise<Map<OffsetQuestion, OffsetAnswer | Error>> {
  const answers = new Map<OffsetQuestion, OffsetAnswer | Error>();
  const byLeader = groupBy(questions, ({ topic, partition }) => cluster.leaderOf(topic, partition)?.nodeId);
  await Promise.all(
    [...byLeader].map(async ([nodeId, group]) => {
      try {
        if (nodeId === undefined) throw new KafkaJSProtocolError("LEADER_NOT_AVAILABLE", nameOf(group[0]!));
        await askLeader(cluster, connections, nodeId, group, answers);
      } catch (error) {
        for (const question of group) answers.set(question, asError(error));
      }
    }),
  );
  return answers;
}

async function askLeader(
  cluster: Cluster,
  connections: BrokerConnections,
  nodeId: number,
  questions: readonly OffsetQuestion[],
  answers: Map<OffsetQuestion, OffsetAnswer | Error>,
): Promise<void> {
  const topics = [...groupBy(questions, ({ topic }) => topic)].map(([name, group]) => ({
    name,
    partitions: group.map(({ partition, timestamp }) => ({
      partitionIndex: partition,
      currentLeaderEpoch: cluster.leaderOf(name, partition)?.leaderEpoch ?? -1,
      timestamp,
    })),
  }));
  const response = await connections.to(nodeId, "query").request(listOffsets, { topics }, cluster.requestTimeoutMs);
  for (const question of questions) {
    const { topic, partition } = question;
    const answer = response.topics
      .find(({ name }) => name === topic)
      ?.partitions.find(({ partitionIndex }) => partitionIndex === partition);
    const error = errorName(answer?.errorCode ?? -1);
    if (answer === undefined || error !== "NONE")
      answers.set(question, new KafkaJSProtocolError(error, nameOf(question)));
    else answers.set(question, { topic, partition, ...pick(answer) });
  }
}

function pick({ offset, timestamp, leaderEpoch }: { offset: number; timestamp: number; leaderEpoch: number }) {
  return { offset, timestamp, leaderEpoch };
}

/** Asks the leader where `epoch`, or the last epoch before it that it has, ended in its log (KIP-320). */
export async function lookUpEpochEnd(
  cluster: Cluster,
  connections: BrokerConnections,
  { topic, partition }: TopicPartition,
  leaderEpoch: number,
): Promise<{ readonly epoch: number; readonly endOffset: number }> {
  const leader = cluster.leaderOf(topic, partition);
  if (leader === undefined) throw new KafkaJSProtocolError("LEADER_NOT_AVAILABLE", nameOf({ topic, partition }));
  const question = { partition, currentLeaderEpoch: leader.leaderEpoch, leaderEpoch };
  const response = await connections
    .to(leader.nodeId, "query")
    .request(
      offsetForLeaderEpoch,
      { replicaId: -1, topics: [{ topic, partitions: [question] }] },
      cluster.requestTimeoutMs,
    );
  const answer = response.topics[0]?.partitions[0];
  const error = errorName(answer?.errorCode ?? -1);
  if (answer === undefined || error !== "NONE") throw new KafkaJSProtocolError(error, nameOf({ topic, partition }));
  return { epoch: answer.leaderEpoch, endOffset: answer.endOffset };
}
