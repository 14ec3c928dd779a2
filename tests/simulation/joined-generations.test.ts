import { describe, expect, it } from "vitest";
import { JoinedGenerations } from "./joined-generations.ts";

const NO_BYTES = new Uint8Array();

/** Judges generation 8 of these members, after a generation 7 in which `first` and then `second` joined. */
function judge(joinedAgain: readonly string[], members: readonly string[], groupInstanceId: string | null = null) {
  const joined = new JoinedGenerations();
  for (const [atUs, memberId] of [[10, "first"], [20, "second"]] as const) {
    joined.asked("group", memberId, atUs);
    joined.answered("group", memberId, 7, atUs);
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
  return () => joined.expectJoined("tab-1, group", "group", { generation: 8, members: stored });
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
    joined.answered("group", "member", 7, 10);
    joined.asked("group", "follower", 30);
    joined.answered("group", "follower", 7, 30);
    const members = [{ memberId: "member", groupInstanceId: null } as never];
    const expectJoined = (generation: number) => () => joined.expectJoined("", "group", { generation, members });
    expect(expectJoined(7)).not.toThrow();
    expect(expectJoined(8)).toThrow("member is of generation 8");
  });
});
