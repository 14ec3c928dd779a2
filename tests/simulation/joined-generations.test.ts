import { describe, expect, it } from "vitest";
import { JoinedGenerations } from "./joined-generations.ts";

const NO_BYTES = new Uint8Array();

/** Of the coordinator that everybody joins, where nothing else is said. */
const LEADER_EPOCH = 4;

/** Judges generation 8 of these members, after a generation 7 in which `first` and then `second` joined. */
function judge(joinedAgain: readonly string[], members: readonly string[], groupInstanceId: string | null = null) {
  const joined = new JoinedGenerations();
  for (const [atUs, memberId] of [[10, "first"], [20, "second"]] as const) {
    joined.asked("group", memberId, atUs);
    joined.answered("group", memberId, { generation: 7, leaderEpoch: LEADER_EPOCH, atUs });
  }
  for (const memberId of joinedAgain) joined.asked("group", memberId, 30);
  const stored = members.map((memberId) => ({
    memberId,
    groupInstanceId,
    clientId: "",
    clientHost: "",
    rebalanceTimeout: 0,
    sessionTimeout: 0,
    subscription: NO_BYTES,
    assignment: NO_BYTES,
  }));
  return () => joined.expectJoined("tab-1, group", "group", { generation: 8, members: stored }, LEADER_EPOCH);
}

describe("a classic generation", () => {
  it("has members that joined for it", () => {
    expect(judge(["first", "second"], ["first", "second"])).not.toThrow();
    expect(judge(["second"], ["second"])).not.toThrow();
    expect(judge(["second"], ["first", "second"])).toThrow("first is of generation 8, and last joined before 7");
  });

  it("keeps the places of members with a name", () => {
    expect(judge(["second"], ["first", "second"], "name")).not.toThrow();
  });

  it("may have members that were given their ids in answers nobody has seen", () => {
    expect(judge(["first", "second"], ["first", "second", "third"])).not.toThrow();
  });

  it("is known by everybody that asked to join before the next one", () => {
    const joined = new JoinedGenerations();
    joined.asked("group", "member", 10);
    joined.answered("group", "member", { generation: 7, leaderEpoch: LEADER_EPOCH, atUs: 10 });
    joined.asked("group", "follower", 30);
    joined.answered("group", "follower", { generation: 7, leaderEpoch: LEADER_EPOCH, atUs: 30 });
    const members = [{ memberId: "member", groupInstanceId: null } as never];
    const expectJoined = (generation: number) => () =>
      joined.expectJoined("", "group", { generation, members }, LEADER_EPOCH);
    expect(expectJoined(7)).not.toThrow();
    expect(expectJoined(8)).toThrow("member is of generation 8");
  });

  it("is joined before the next coordinator, which may lack it, tells members of an earlier one", () => {
    const joined = new JoinedGenerations();
    for (const [generation, atUs] of [[7, 10], [8, 20]] as const) {
      joined.asked("group", "member", atUs);
      joined.answered("group", "member", { generation, leaderEpoch: LEADER_EPOCH, atUs });
    }
    joined.asked("group", "follower", 30);
    joined.answered("group", "follower", { generation: 7, leaderEpoch: LEADER_EPOCH + 1, atUs: 30 });
    const members = [{ memberId: "member", groupInstanceId: null } as never];
    const expectJoined = (leaderEpoch: number) => () =>
      joined.expectJoined("", "group", { generation: 8, members }, leaderEpoch);
    // The coordinator after that one has the record, and commits it.
    expect(expectJoined(LEADER_EPOCH)).not.toThrow();
    // A generation of its own would be another one with that number.
    for (const later of [1, 2]) expect(expectJoined(LEADER_EPOCH + later)).toThrow("last joined before 7");
  });
});
