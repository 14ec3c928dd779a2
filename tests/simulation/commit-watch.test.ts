import { beforeEach, describe, expect, test } from "vitest";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { encodeRequest, encodeResponse } from "../../src/protocol/envelope.ts";
import { encodeGroupRecord } from "../../src/protocol/group-records/registry.ts";
import { CommitWatch } from "./commit-watch.ts";
import { GroupTruth } from "./group-truth.ts";
import { ViolationFound } from "./recorder.ts";

/** One member of a group commits a partition, whose offsets only grow. */
describe("only a commit that its member waits for no longer may come late, says the oracle", () => {
  const [first, second] = [{}, {}];
  let truth: GroupTruth;
  let watch: CommitWatch;
  let requests: number;

  const asks = (connection: object, committedOffset: number): number => {
    const partition = { partitionIndex: 0, committedOffset, committedLeaderEpoch: -1, committedMetadata: null };
    const topics = [{ name: "t", partitions: [partition] }];
    const header = { correlationId: ++requests, clientId: "test" };
    const body = { groupId: "group", generationIdOrMemberEpoch: 1, memberId: "member", groupInstanceId: null, topics };
    watch.exchanged(connection, encodeRequest(offsetCommit, 8, header, body).slice(), true);
    return requests;
  };
  const isAnswered = (connection: object, correlationId: number) => {
    const topics = [{ name: "t", partitions: [{ partitionIndex: 0, errorCode: 0 }] }];
    watch.exchanged(connection, encodeResponse(offsetCommit, 8, correlationId, { topics }).slice(), false);
  };
  const isCommitted = (offset: number) => {
    const key = { group: "group", topic: "t", partition: 0 };
    const value = { offset, leaderEpoch: -1, metadata: "", commitTimestamp: 0 };
    truth.replay({ offset: truth.count, ...encodeGroupRecord({ type: "OffsetCommit", key, value }) }, 0);
  };

  beforeEach(() => {
    truth = new GroupTruth();
    watch = new CommitWatch((topicPartition, offset) => truth.gaveUpCommit("group", topicPartition, offset));
    requests = 0;
  });

  test("one without an answer, when the next went by another connection", () => {
    asks(first, 10);
    asks(second, 20);
    isCommitted(20);
    isCommitted(10);
    expect(truth.committed("group", "t/0")).toBe(10);
  });

  test("not one that was answered", () => {
    isAnswered(first, asks(first, 10));
    asks(second, 20);
    isCommitted(20);
    expect(() => isCommitted(10)).toThrow(ViolationFound);
  });

  test("not one that went ahead on the same connection", () => {
    asks(first, 10);
    asks(first, 20);
    isCommitted(20);
    expect(() => isCommitted(10)).toThrow(ViolationFound);
  });

  test("not another offset than the one that was given up", () => {
    asks(first, 10);
    asks(second, 20);
    isCommitted(20);
    expect(() => isCommitted(15)).toThrow("15 is committed of t/0, where 20 was");
  });
});
