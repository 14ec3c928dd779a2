import type { CoordinatorShard, Decision, ShardStart } from "../coordinator/coordinator-shard.ts";
import { OFFSETS_TOPIC, partitionForGroup } from "../coordinator/group-partition.ts";
import type { Reply } from "../coordinator/reply.ts";
import type { Topics } from "../coordinator/topics.ts";
import { createTopics } from "../protocol/apis/19-create-topics.ts";
import { errorName } from "../protocol/error-codes.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { Broker } from "./broker.ts";
import { gather } from "./gather.ts";
import { GroupShard } from "./group-shard.ts";
import type { Replica } from "./replica.ts";

type Decide = (shard: CoordinatorShard) => Decision;
type DecideFor<Found> = (shard: CoordinatorShard, reply: Reply<Found>) => Decision;

const CREATION_TIMEOUT_MS = 10_000;

/** Kafka's group coordinator: the shards of the partitions of `__consumer_offsets` that this broker leads. */
export class GroupCoordinator {
  readonly #broker: Broker;
  readonly #start: ShardStart;
  readonly #shards = new Map<number, GroupShard>();
  /** The names of topics, to know them by when they are deleted. */
  #names = new Map<string, string>();
  #isCreatingTopic = false;

  constructor(broker: Broker, uuid: () => string) {
    this.#broker = broker;
    this.#start = {
      topics: topicsOf(broker),
      config: broker.config.coordinator,
      uuid,
      wallMs: (nowMs) => broker.wallMs(nowMs),
    };
  }

  get wakeAtMs(): number {
    let wakeAtMs = Number.POSITIVE_INFINITY;
    for (const shard of this.#shards.values()) wakeAtMs = Math.min(wakeAtMs, shard.wakeAtMs);
    return wakeAtMs;
  }

  /** What is coordinated here of one partition of `__consumer_offsets`; undefined unless it is loaded. For looking at. */
  loaded(partitionIndex: number): CoordinatorShard | undefined {
    return this.#shards.get(partitionIndex)?.loaded;
  }

  /** The replica has taken another role, or leads in another epoch. */
  roleChanged(replica: Replica): void {
    const { topicName, log, role } = replica;
    if (topicName !== OFFSETS_TOPIC) return;
    this.#shards.get(log.partitionIndex)?.close();
    this.#shards.delete(log.partitionIndex);
    if (role.kind !== "leader") return;
    this.#shards.set(log.partitionIndex, new GroupShard(this.#broker, replica, role.state, this.#start));
  }

  step(nowMs: number): void {
    for (const shard of this.#shards.values()) shard.step(nowMs);
  }

  /** Looks something up at the coordinator of the group; the reply hears why that cannot be done. */
  read(groupId: string, nowMs: number, reply: Reply<never>, decide: Decide): void {
    const shard = this.#shardOf(groupId);
    const error = shard === undefined ? "NOT_COORDINATOR" : shard.read(nowMs, decide);
    if (error !== undefined) reply(error);
  }

  /** Has the coordinator of the group decide on something; the reply hears why that cannot be done. */
  write(groupId: string, nowMs: number, reply: Reply<never>, decide: Decide): void {
    const shard = this.#shardOf(groupId);
    const error = shard === undefined ? "NOT_COORDINATOR" : shard.write(nowMs, decide);
    if (error !== undefined) reply(error);
  }

  /** Looks something up in every shard that is here; `done` gets a part, or an error, from each. */
  readAll<Found>(nowMs: number, decide: DecideFor<Found>, done: (parts: readonly (Found | ErrorName)[]) => void): void {
    gather<GroupShard, Found | ErrorName>(
      [...this.#shards.values()],
      (shard, answered) => {
        const error = shard.read(nowMs, (coordinator) => decide(coordinator, answered));
        if (error !== undefined) answered(error);
      },
      done,
    );
  }

  /** Which broker coordinates a group, as far as this one knows; undefined while there is none. */
  coordinatorOf(groupId: string): number | undefined {
    const topic = this.#broker.image.topicNamed(OFFSETS_TOPIC);
    if (topic === undefined) {
      this.createTopic();
      return undefined;
    }
    const leader = topic.partitions[partitionForGroup(groupId, topic.partitions.length)]?.leader ?? -1;
    return leader < 0 ? undefined : leader;
  }

  /** Has the internal topic made, on the first need for it. Whoever needs it asks again later. */
  createTopic(): void {
    if (this.#isCreatingTopic || this.#broker.image.topicNamed(OFFSETS_TOPIC) !== undefined) return;
    this.#isCreatingTopic = true;
    const { offsetsTopicPartitions, offsetsTopicReplicationFactor } = this.#broker.config;
    this.#broker.requests.ask(
      createTopics,
      7,
      {
        topics: [
          {
            name: OFFSETS_TOPIC,
            numPartitions: offsetsTopicPartitions,
            replicationFactor: offsetsTopicReplicationFactor,
            assignments: [],
            configs: [{ name: "cleanup.policy", value: "compact" }],
          },
        ],
        timeoutMs: CREATION_TIMEOUT_MS,
        validateOnly: false,
      },
      ({ topics }) => {
        this.#isCreatingTopic = false;
        const error = errorName(topics[0]?.errorCode ?? 0);
        // Another broker may have been first.
        if (error === "NONE" || error === "TOPIC_ALREADY_EXISTS") return;
        this.#broker.log("warn", `${OFFSETS_TOPIC} cannot be created: ${topics[0]?.errorMessage ?? error}`);
      },
      () => (this.#isCreatingTopic = false),
    );
  }

  /** The metadata changed. What groups have committed for the topics that were deleted goes with them. */
  noteTopics(removedIds: readonly string[], nowMs: number): void {
    const gone = new Set(removedIds.flatMap((topicId) => this.#names.get(topicId) ?? []));
    this.#names = new Map([...this.#broker.image.topics.values()].map(({ topicId, name }) => [topicId, name]));
    if (gone.size > 0) for (const shard of this.#shards.values()) shard.topicsDeleted(gone, nowMs);
  }

  #shardOf(groupId: string): GroupShard | undefined {
    const topic = this.#broker.image.topicNamed(OFFSETS_TOPIC);
    return topic === undefined ? undefined : this.#shards.get(partitionForGroup(groupId, topic.partitions.length));
  }
}

function topicsOf(broker: Broker): Topics {
  return {
    get version() {
      return broker.image.endOffset;
    },
    named(name) {
      const topic = broker.image.topicNamed(name);
      return topic === undefined ? undefined : { topicId: topic.topicId, partitionCount: topic.partitions.length };
    },
    nameOf: (topicId) => broker.image.topics.get(topicId)?.name,
  };
}
