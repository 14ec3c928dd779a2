import { offsetCommit } from "../../../src/protocol/apis/08-offset-commit.ts";
import { offsetFetch } from "../../../src/protocol/apis/09-offset-fetch.ts";
import { findCoordinator } from "../../../src/protocol/apis/10-find-coordinator.ts";
import { joinGroup } from "../../../src/protocol/apis/11-join-group.ts";
import type { JoinGroupRequestInit, JoinGroupResponse } from "../../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../../src/protocol/apis/12-heartbeat.ts";
import { leaveGroup } from "../../../src/protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../../src/protocol/apis/14-sync-group.ts";
import { describeGroups } from "../../../src/protocol/apis/15-describe-groups.ts";
import { listGroups } from "../../../src/protocol/apis/16-list-groups.ts";
import { deleteGroups } from "../../../src/protocol/apis/42-delete-groups.ts";
import { offsetDelete } from "../../../src/protocol/apis/47-offset-delete.ts";
import { encodeSubscription } from "../../../src/protocol/consumer-protocol.ts";
import { makeTopic } from "./topic-conversations.ts";
import type { Conversation, Speaker } from "./speaker.ts";

const MEMBER_ID_REQUIRED = 79;
const assignment = new Uint8Array([0, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff]);

function joining(groupId: string, memberId: string, topic: string, more: Partial<JoinGroupRequestInit> = {}) {
  return {
    groupId,
    memberId,
    sessionTimeoutMs: 10_000,
    rebalanceTimeoutMs: 10_000,
    protocolType: "consumer",
    protocols: [{ name: "range", metadata: encodeSubscription({ topics: [topic] }) }],
    ...more,
  };
}

/** Waits until the coordinator of a group serves it. */
export async function findGroup(speaker: Speaker, groupId: string): Promise<void> {
  const isFound = (answer: { readonly coordinators: readonly { readonly errorCode: number }[] }) =>
    answer.coordinators.every(({ errorCode }) => errorCode === 0);
  await speaker.arrange(findCoordinator, { keyType: 0, coordinatorKeys: [groupId] }, isFound);
  const isLoaded = ({ groups }: { readonly groups: readonly { readonly errorCode: number }[] }) =>
    ![14, 15, 16].includes(groups[0]?.errorCode ?? 0);
  await speaker.arrange(offsetFetch, { groups: [{ groupId, topics: [] }] }, isLoaded);
}

/** Makes a group of one member, stable unless `unsynced`. */
async function makeGroup(
  speaker: Speaker,
  groupId: string,
  topic: string,
  unsynced = false,
): Promise<JoinGroupResponse> {
  await findGroup(speaker, groupId);
  const asked = await speaker.arrange(joinGroup, joining(groupId, "", topic));
  const joined = await speaker.arrange(joinGroup, joining(groupId, asked.memberId, topic));
  const { memberId, generationId } = joined;
  const assignments = [{ memberId, assignment }];
  const names = { protocolType: "consumer", protocolName: "range" };
  if (!unsynced) await speaker.arrange(syncGroup, { groupId, generationId, memberId, assignments, ...names });
  return joined;
}

const findCoordinatorTalk: Conversation = {
  api: findCoordinator,
  async talk(speaker) {
    const { name, version } = speaker;
    await findGroup(speaker, name);
    const ask = (label: string, keyType: number, ...keys: string[]) =>
      speaker.ask(label, findCoordinator, { keyType, key: keys[0] ?? "", coordinatorKeys: keys });
    await ask("of a group", 0, name);
    await ask("of a group without a name", 0, "");
    if (version >= 1) await ask("of an unknown type", 7, name);
    if (version < 4) return;
    await ask("of nothing", 0);
    await ask("of a group twice", 0, name, name);
  },
};

const joinGroupTalk: Conversation = {
  api: joinGroup,
  async talk(speaker) {
    const { name, version } = speaker;
    await makeTopic(speaker, name);
    await findGroup(speaker, name);
    const ask = (label: string, memberId: string, more: Partial<JoinGroupRequestInit> = {}) =>
      speaker.ask(label, joinGroup, joining(name, memberId, name, more));
    await ask("without a group id", "", { groupId: "" });
    await ask("with too short a session", "", { sessionTimeoutMs: 10 });
    await ask("with too long a session", "", { sessionTimeoutMs: 10_000_000 });
    await ask("as an unknown member", "nobody");
    await ask("without protocols", "", { protocols: [], protocolType: "" });
    await ask("without a protocol type", "", { protocolType: "" });
    let first = await ask("at first", "");
    if (first.errorCode === MEMBER_ID_REQUIRED) first = await ask("with the given id", first.memberId);
    const { memberId, generationId } = first;
    await ask("of another type", "", { protocolType: "connect" });
    await ask("with another protocol", "", { protocols: [{ name: "else", metadata: new Uint8Array([1]) }] });
    const names = { protocolType: "consumer", protocolName: "range" };
    const assignments = [{ memberId, assignment }];
    await speaker.arrange(syncGroup, { groupId: name, generationId, memberId, assignments, ...names });
    await ask("again as the leader", memberId);
    if (version < 5) return;
    const group = `${name}-static`;
    await findGroup(speaker, group);
    const fixed = { groupId: group, groupInstanceId: "one" };
    const joined = await ask("as a static member", "", fixed);
    await speaker.arrange(syncGroup, {
      groupId: group,
      generationId: joined.generationId,
      memberId: joined.memberId,
      groupInstanceId: "one",
      assignments: [{ memberId: joined.memberId, assignment }],
      ...names,
    });
    await ask("as the static member started again", "", fixed);
    await ask("with the id of before", joined.memberId, fixed);
    await ask("as an unknown static member", "nobody", { groupId: group, groupInstanceId: "two" });
  },
};

const syncGroupTalk: Conversation = {
  api: syncGroup,
  async talk(speaker) {
    const { name, version } = speaker;
    const { memberId, generationId } = await makeGroup(speaker, name, name, true);
    type Request = { groupId?: string; memberId?: string; generationId?: number; type?: string };
    const sync = (label: string, more: Request) => {
      const { type = "consumer", ...others } = more;
      const assignments = [{ memberId, assignment }];
      const names = { protocolType: type, protocolName: "range" };
      return speaker.ask(label, syncGroup, { groupId: name, memberId, generationId, assignments, ...names, ...others });
    };
    const cases: readonly (readonly [string, Request])[] = [
      ["without a group id", { groupId: "" }],
      ["in an unknown group", { groupId: `${name}-unknown` }],
      ["as an unknown member", { memberId: "nobody" }],
      ["in a later generation", { generationId: generationId + 1 }],
      ["in an earlier generation", { generationId: generationId - 1 }],
    ];
    for (const [label, request] of cases) await sync(label, request);
    if (version >= 5) await sync("of another type", { type: "connect" });
    await sync("as due", {});
    await sync("again", {});
  },
};

const heartbeatTalk: Conversation = {
  api: heartbeat,
  async talk(speaker) {
    const { name, version } = speaker;
    const { memberId, generationId } = await makeGroup(speaker, name, name);
    const ask = (label: string, more: { groupId?: string; memberId?: string; generationId?: number; id?: string }) => {
      const { id = null, ...others } = more;
      return speaker.ask(label, heartbeat, { groupId: name, memberId, generationId, groupInstanceId: id, ...others });
    };
    await ask("as due", {});
    await ask("without a group id", { groupId: "" });
    await ask("in an unknown group", { groupId: `${name}-unknown` });
    await ask("as an unknown member", { memberId: "nobody" });
    await ask("without a member id", { memberId: "" });
    await ask("in a later generation", { generationId: generationId + 1 });
    if (version >= 3) await ask("as an unknown static member", { id: "one" });
    const waiting = `${name}-waiting`;
    const unsynced = await makeGroup(speaker, waiting, name, true);
    const before = { groupId: waiting, memberId: unsynced.memberId, generationId: unsynced.generationId };
    await ask("before the group has synced", before);
  },
};

const leaveGroupTalk: Conversation = {
  api: leaveGroup,
  async talk(speaker) {
    const { name, version } = speaker;
    const { memberId } = await makeGroup(speaker, name, name);
    const ask = (label: string, member: string, groupId = name, groupInstanceId: string | null = null) =>
      speaker.ask(label, leaveGroup, { groupId, memberId: member, members: [{ memberId: member, groupInstanceId }] });
    await ask("without a group id", memberId, "");
    await ask("an unknown group", memberId, `${name}-unknown`);
    await ask("as an unknown member", "nobody");
    if (version >= 3) await ask("as an unknown static member", "", name, "one");
    await ask("as due", memberId);
    await ask("again", memberId);
    if (version >= 3) await speaker.ask("nobody", leaveGroup, { groupId: name, members: [] });
  },
};

const offsetCommitTalk: Conversation = {
  api: offsetCommit,
  async talk(speaker) {
    const { name, version } = speaker;
    await makeTopic(speaker, name, 2);
    await findGroup(speaker, name);
    type Member = { groupId?: string; generationIdOrMemberEpoch?: number; memberId?: string; groupInstanceId?: string };
    type Place = { topic?: string; partitionIndex?: number; offset?: number; metadata?: string | null };
    const ask = (label: string, member: Member = {}, place: Place = {}) => {
      const { topic = name, partitionIndex = 0, offset = 5, metadata = "note" } = place;
      const partitions = [{ partitionIndex, committedOffset: offset, committedMetadata: metadata }];
      return speaker.ask(label, offsetCommit, { groupId: name, topics: [{ name: topic, partitions }], ...member });
    };
    await ask("without a member");
    await ask("without metadata", {}, { metadata: null });
    await ask("with long metadata", {}, { metadata: "x".repeat(5_000) });
    await ask("a negative offset", {}, { offset: -2 });
    await ask("of an unknown topic", {}, { topic: `${name}-unknown` });
    await ask("of an unknown partition", {}, { partitionIndex: 9 });
    await ask("without a group id", { groupId: "" });
    const unknown = { groupId: `${name}-x`, generationIdOrMemberEpoch: 3, memberId: "m" };
    await ask("in a generation of an unknown group", unknown);
    await ask("as a member of an empty group", { generationIdOrMemberEpoch: 1, memberId: "nobody" });
    const group = `${name}-members`;
    const { memberId, generationId } = await makeGroup(speaker, group, name);
    const member = { groupId: group, memberId, generationIdOrMemberEpoch: generationId };
    await ask("as a member", member);
    await ask("in a later generation", { ...member, generationIdOrMemberEpoch: generationId + 1 });
    await ask("as an unknown member", { ...member, memberId: "nobody" });
    await ask("without a member, of a group that has some", { groupId: group });
    if (version >= 7) await ask("as an unknown static member", { ...member, groupInstanceId: "one" });
    const waiting = await makeGroup(speaker, `${name}-waiting`, name, true);
    const unsynced = { memberId: waiting.memberId, generationIdOrMemberEpoch: waiting.generationId };
    await ask("before the group has synced", { groupId: `${name}-waiting`, ...unsynced });
    await speaker.ask("nothing", offsetCommit, { groupId: name, topics: [] });
  },
};

const offsetFetchTalk: Conversation = {
  api: offsetFetch,
  async talk(speaker) {
    const { name, version } = speaker;
    await makeTopic(speaker, name, 2);
    await findGroup(speaker, name);
    const partitions = [{ partitionIndex: 0, committedOffset: 5, committedMetadata: "note", committedLeaderEpoch: 0 }];
    await speaker.arrange(offsetCommit, { groupId: name, topics: [{ name, partitions }] });
    type Topics = readonly { readonly name: string; readonly partitionIndexes: readonly number[] }[] | null;
    const ask = (label: string, topics: Topics, groupId = name) =>
      speaker.ask(label, offsetFetch, { groupId, topics, groups: [{ groupId, topics }] });
    await ask("of a topic", [{ name, partitionIndexes: [0, 1] }]);
    await ask("of an unknown topic", [{ name: `${name}-unknown`, partitionIndexes: [0] }]);
    await ask("of an unknown partition", [{ name, partitionIndexes: [9] }]);
    await ask("of no topic", []);
    await ask("of an unknown group", [{ name, partitionIndexes: [0] }], `${name}-unknown`);
    if (version >= 2) await ask("of all topics", null);
    if (version >= 2) await ask("of all topics of an unknown group", null, `${name}-unknown`);
    await ask("without a group id", [{ name, partitionIndexes: [0] }], "");
    const whole = { groupId: name, topics: null };
    const stable = { requireStable: true, ...whole, groups: [whole] };
    if (version >= 7) await speaker.ask("what is stable", offsetFetch, stable);
    if (version < 8) return;
    const groups = [name, `${name}-unknown`].map((groupId) => ({ groupId, topics: null }));
    await speaker.ask("of two groups", offsetFetch, { groups });
    await speaker.ask("of no group", offsetFetch, { groups: [] });
    if (version < 9) return;
    const member = { groupId: name, topics: null, memberId: "nobody", memberEpoch: 3 };
    await speaker.ask("as an unknown member", offsetFetch, { groups: [member] });
  },
};

const describeGroupsTalk: Conversation = {
  api: describeGroups,
  async talk(speaker) {
    const { name, version } = speaker;
    const { memberId } = await makeGroup(speaker, name, name);
    const ask = (label: string, ...groups: string[]) => speaker.ask(label, describeGroups, { groups });
    await ask("a stable group", name);
    await ask("an unknown group", `${name}-unknown`);
    await ask("a group without a name", "");
    await ask("no group");
    await ask("a group twice", name, name);
    if (version >= 3) {
      const groups = [name, `${name}-unknown`, ""];
      await speaker.ask("with operations", describeGroups, { groups, includeAuthorizedOperations: true });
    }
    await makeGroup(speaker, `${name}-waiting`, name, true);
    await ask("a group that has not synced", `${name}-waiting`);
    await speaker.arrange(leaveGroup, { groupId: name, members: [{ memberId }] });
    await ask("an empty group", name);
  },
};

const listGroupsTalk: Conversation = {
  api: listGroups,
  async talk(speaker) {
    const { name, version } = speaker;
    const { memberId } = await makeGroup(speaker, name, name);
    const ask = async (label: string, statesFilter: string[] = [], typesFilter: string[] = []) => {
      const { errorCode, groups } = await speaker.arrange(listGroups, { statesFilter, typesFilter });
      // Other conversations have groups too.
      speaker.note(label, { errorCode, groups: groups.filter(({ groupId }) => groupId === name) });
    };
    await ask("all");
    if (version >= 4) await ask("stable ones", ["Stable"]);
    if (version >= 4) await ask("in small letters", ["stable"]);
    if (version >= 4) await ask("empty ones", ["Empty"]);
    if (version >= 4) await ask("of an unknown state", ["Happy"]);
    if (version >= 5) await ask("classic ones", [], ["classic"]);
    if (version >= 5) await ask("consumer ones", [], ["consumer"]);
    if (version >= 5) await ask("of an unknown type", [], ["fancy"]);
    await speaker.arrange(leaveGroup, { groupId: name, members: [{ memberId }] });
    await ask("after the member left");
  },
};

const deleteGroupsTalk: Conversation = {
  api: deleteGroups,
  async talk(speaker) {
    const { name } = speaker;
    const { memberId } = await makeGroup(speaker, name, name);
    const ask = (label: string, ...groupsNames: string[]) => speaker.ask(label, deleteGroups, { groupsNames });
    await ask("a group with members", name);
    await ask("an unknown group", `${name}-unknown`);
    await ask("a group without a name", "");
    await ask("no group");
    await speaker.arrange(leaveGroup, { groupId: name, members: [{ memberId }] });
    await ask("an empty group", name);
    await ask("a deleted group", name);
  },
};

const offsetDeleteTalk: Conversation = {
  api: offsetDelete,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name, 2);
    const { memberId, generationId } = await makeGroup(speaker, name, name);
    const partitions = [0, 1].map((partitionIndex) => ({ partitionIndex, committedOffset: 5, committedMetadata: "" }));
    const member = { groupId: name, memberId, generationIdOrMemberEpoch: generationId };
    await speaker.arrange(offsetCommit, { ...member, topics: [{ name, partitions }] });
    const ask = (label: string, topic: string, partitionIndex: number, groupId = name) =>
      speaker.ask(label, offsetDelete, { groupId, topics: [{ name: topic, partitions: [{ partitionIndex }] }] });
    await ask("of a subscribed topic", name, 0);
    await ask("of an unknown topic", `${name}-unknown`, 0);
    await ask("of an unknown group", name, 0, `${name}-unknown`);
    await ask("without a group id", name, 0, "");
    await speaker.arrange(leaveGroup, { groupId: name, members: [{ memberId }] });
    await ask("of an empty group", name, 0);
    await ask("of an unknown partition", name, 9);
    await ask("again", name, 0);
    const left = await speaker.arrange(offsetFetch, { groups: [{ groupId: name, topics: null }] });
    speaker.note("what is left", left.groups);
  },
};

export const groupConversations: readonly Conversation[] = [
  findCoordinatorTalk,
  joinGroupTalk,
  syncGroupTalk,
  heartbeatTalk,
  leaveGroupTalk,
  offsetCommitTalk,
  offsetFetchTalk,
  describeGroupsTalk,
  listGroupsTalk,
  deleteGroupsTalk,
  offsetDeleteTalk,
];
