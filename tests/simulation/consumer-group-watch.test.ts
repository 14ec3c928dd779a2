import { describe, expect, it } from "vitest";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { encodeGroupRecord } from "../../src/protocol/group-records/registry.ts";
import { ConsumerGroupWatch } from "./consumer-group-watch.ts";
import { GroupTruth } from "./group-truth.ts";

const GROUP = "group";
const TOPIC_ID = "1e8ebe77-3213-421a-ad17-f09bdc9cf697";
/** The epoch of the coordinator that is asked, while it is one. */
const LEADER_EPOCH = 4;

const named = (partitions: readonly number[]) => (partitions.length === 0 ? [] : [{ topicId: TOPIC_ID, partitions }]);

/** A group whose heartbeats are judged. A member's epoch is told with what it has. */
class JudgedGroup {
  readonly #truth = new GroupTruth();
  readonly #watch = new ConsumerGroupWatch(this.#truth);

  /** A coordinator has committed what the member has; null if it is none any more. */
  commits(memberId: string, memberEpoch: number, partitions: readonly number[] | null): void {
    const key = { groupId: GROUP, memberId };
    const [assignedPartitions, partitionsPendingRevocation] = [named(partitions ?? []), []];
    const value = { memberEpoch, previousMemberEpoch: 0, state: 0, assignedPartitions, partitionsPendingRevocation };
    const type = "ConsumerGroupCurrentMemberAssignment";
    const record = encodeGroupRecord({ type, key, value: partitions && value });
    this.#truth.replay({ offset: this.#truth.count, ...record }, LEADER_EPOCH);
  }

  /** A member says what it has, and is told what to have, by a coordinator that may be replaced when it hears of it. */
  beats(
    memberId: string,
    memberEpoch: number,
    has: readonly number[],
    given: readonly number[],
    replaced?: "before" | "after",
  ): void {
    const leaderEpoch = replaced === "before" ? undefined : LEADER_EPOCH;
    const request = {
      groupId: GROUP,
      memberId,
      memberEpoch,
      instanceId: null,
      rackId: null,
      rebalanceTimeoutMs: 4_000,
      subscribedTopicNames: ["t"],
      subscribedTopicRegex: null,
      serverAssignor: null,
      topicPartitions: named(has),
    };
    const at = this.#truth.count;
    const when = { at, atUs: 0, leaderEpoch, announced: -1 };
    const asked = { groupId: GROUP, api: consumerGroupHeartbeat, version: 1, request, ...when };
    this.#watch.asked(asked);
    const assignment = { topicPartitions: named(given) };
    const done = { throttleTimeMs: 0, errorCode: 0, errorMessage: null };
    const response = { ...done, memberId, memberEpoch, heartbeatIntervalMs: 500, assignment };
    this.#watch.answered("tab-1", asked, response, "NONE", replaced !== undefined);
  }

  /** The slow member has both partitions; then its coordinator is replaced, and the new one has the other take them. */
  static takenOver(): JudgedGroup {
    const group = new JudgedGroup();
    group.commits("slow", 7, [0, 1]);
    group.beats("slow", 7, [], [0, 1]);
    group.commits("slow", 7, null);
    group.commits("other", 8, [0, 1]);
    group.beats("other", 8, [], [0, 1]);
    return group;
  }
}

describe("a partition has one owner", () => {
  it("by what coordinators tell that were not replaced", () => {
    const group = new JudgedGroup();
    group.commits("slow", 7, [0, 1]);
    group.beats("slow", 7, [], [0, 1]);
    group.commits("slow", 8, [0]);
    group.commits("other", 8, [1]);
    expect(() => group.beats("other", 8, [], [1])).toThrow("other is told to use");
    group.beats("slow", 8, [0], [0]);
    expect(() => group.beats("other", 8, [], [1])).not.toThrow();
  });

  it.each(["before", "after"] as const)("though one replaced %s it was asked tells what was so", (replaced) => {
    const group = JudgedGroup.takenOver();
    expect(() => group.beats("slow", 7, [0, 1], [0, 1], replaced)).not.toThrow();
    expect(() => group.beats("other", 8, [0, 1], [0, 1])).not.toThrow();
  });

  it("though a coordinator that was replaced is asked late by a member that has let go", () => {
    const group = new JudgedGroup();
    group.commits("slow", 7, [0, 1]);
    group.beats("slow", 7, [], [0, 1]);
    group.commits("slow", 8, [0]);
    group.beats("slow", 8, [0], [0]);
    group.beats("slow", 7, [0, 1], [0, 1], "before");
    group.commits("other", 8, [1]);
    expect(() => group.beats("other", 8, [], [1])).not.toThrow();
  });

  it("and what a member has let go of is free, though it told a coordinator that was replaced", () => {
    const group = new JudgedGroup();
    group.commits("slow", 7, [0, 1]);
    group.beats("slow", 7, [], [0, 1]);
    group.commits("slow", 8, [0]);
    group.beats("slow", 8, [0], [0], "before");
    group.commits("other", 8, [1]);
    expect(() => group.beats("other", 8, [], [1])).not.toThrow();
  });
});
