import { describe, expect, it } from "vitest";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { Api } from "../../src/protocol/schema.ts";
import { KnownMembers } from "./known-members.ts";

interface Heard {
  readonly ms: number;
  /** When the answer comes, if not at once. */
  readonly untilMs?: number;
  readonly api?: Api;
  readonly error: ErrorName;
  readonly generationId?: number;
  readonly leaderEpoch?: number;
  readonly isToGiveUp?: boolean;
}

/** Judges what a member hears whose coordinator began at zero, in epoch 4, with the member in generation 7. */
function judge(...answers: readonly Heard[]): () => void {
  const members = new KnownMembers();
  members.loaded("group", ["member"], { atUs: 0, leaderEpoch: 4, generation: 7 });
  return () => {
    for (const { ms, untilMs = ms, api = heartbeat, error, generationId = 7, leaderEpoch = 4, isToGiveUp } of answers) {
      const request = { memberId: "member", generationId };
      const asked = { groupId: "group", api, version: 0, request, at: 0, atUs: ms * 1_000, leaderEpoch, announced: 7 };
      members.answered("tab-1, group", asked, error, untilMs * 1_000, isToGiveUp);
    }
  };
}

const unknownAt = (ms: number, api: Api = heartbeat): Heard => ({ ms, api, error: "UNKNOWN_MEMBER_ID" });
const rebalance: readonly Heard[] = [1_000, 2_000, 3_000].map((ms) => ({ ms, error: "REBALANCE_IN_PROGRESS" }));

describe("a member is known", () => {
  it("to a coordinator that has just begun", () => {
    expect(judge(unknownAt(500))).toThrow("is unknown, and was known 500000 us ago");
    expect(judge(unknownAt(5_000))).not.toThrow();
  });

  it.each([heartbeat, syncGroup, joinGroup, offsetCommit])("when nothing was wanted of it, whatever it asks: $name", (api) => {
    expect(judge({ ms: 5_000, error: "NONE" }, unknownAt(5_500, api))).toThrow("was known 500000 us ago");
  });

  it("when it has its assignment, and in heartbeats of that generation", () => {
    const synced: Heard = { ms: 5_000, api: syncGroup, error: "NONE", generationId: 8 };
    expect(judge(synced, unknownAt(5_500))).toThrow("was known 500000 us ago");
    expect(judge(synced, { ms: 7_000, error: "NONE", generationId: 8 }, unknownAt(7_500))).toThrow("was known 500000 us ago");
  });

  it.each([consumerGroupHeartbeat, offsetCommit])("when it has beaten in a consumer group (KIP-848), and asks: $name", (api) => {
    expect(judge({ ms: 5_000, api: consumerGroupHeartbeat, error: "NONE" }, unknownAt(5_500, api))).toThrow("500000 us ago");
  });

  it("as long as its coordinator can commit nothing", () => {
    const putOff = [1_000, 2_000, 3_000].map((ms): Heard => ({ ms, error: "COORDINATOR_NOT_AVAILABLE" }));
    expect(judge(...putOff, unknownAt(4_000))).toThrow("was known 1000000 us ago");
  });
});

describe("a member may be forgotten", () => {
  it("in a rebalance that it does not join in time, though its commits are taken meanwhile", () => {
    expect(judge(...rebalance, { ms: 3_900, api: offsetCommit, error: "NONE" }, unknownAt(4_000))).not.toThrow();
  });

  it("while it asks for no assignment in time, though its heartbeats are answered meanwhile", () => {
    const joined: Heard = { ms: 0, untilMs: 100, api: joinGroup, error: "NONE" };
    expect(judge(joined, { ms: 3_900, error: "NONE", generationId: 8 }, unknownAt(4_000))).not.toThrow();
  });

  it("while what it was told waited to be committed", () => {
    expect(judge({ ms: 1_000, untilMs: 4_900, error: "NONE" }, unknownAt(5_000))).not.toThrow();
  });

  it("before its coordinator could commit nothing any more", () => {
    expect(judge(...rebalance, { ms: 5_000, error: "COORDINATOR_NOT_AVAILABLE" }, unknownAt(5_500))).not.toThrow();
  });

  it("by a coordinator that can commit nothing, but has decided that before it knew", () => {
    expect(judge({ ms: 7_000, error: "COORDINATOR_NOT_AVAILABLE" }, unknownAt(7_500))).not.toThrow();
  });

  it("when it does not give up partitions in time, though its heartbeats are answered meanwhile (KIP-848)", () => {
    const beaten: Heard = { ms: 5_000, api: consumerGroupHeartbeat, error: "NONE", isToGiveUp: true };
    expect(judge(beaten, unknownAt(5_500, consumerGroupHeartbeat))).not.toThrow();
  });

  it("when it asked before it joined again", () => {
    const joined: Heard = { ms: 5_000, api: consumerGroupHeartbeat, error: "NONE" };
    expect(judge(joined, { ...unknownAt(4_900, offsetCommit), untilMs: 5_100 })).not.toThrow();
  });

  it("once it has left, though it hears later of what it asked before", () => {
    const members = new KnownMembers();
    members.left("group", "member");
    const request = { memberId: "member" };
    const asked = { groupId: "group", api: consumerGroupHeartbeat, version: 1, request, at: 0, atUs: 0, leaderEpoch: 4, announced: -1 };
    members.answered("tab-1, group", asked, "NONE", 0);
    expect(() => members.answered("tab-1, group", { ...asked, atUs: 1 }, "UNKNOWN_MEMBER_ID", 1)).not.toThrow();
  });

  it("by a coordinator that never knew it", () => {
    expect(judge({ ms: 1_000, error: "NONE" }, { ...unknownAt(1_500), leaderEpoch: 5 })).not.toThrow();
  });
});
