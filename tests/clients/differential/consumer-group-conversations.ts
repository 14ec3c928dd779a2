import { offsetCommit } from "../../../src/protocol/apis/08-offset-commit.ts";
import { consumerGroupHeartbeat } from "../../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { ConsumerGroupHeartbeatRequestInit } from "../../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { consumerGroupDescribe } from "../../../src/protocol/apis/69-consumer-group-describe.ts";
import { findGroup } from "./group-conversations.ts";
import type { Conversation, Speaker } from "./speaker.ts";
import { makeTopic } from "./topic-conversations.ts";

type Heartbeat = Partial<ConsumerGroupHeartbeatRequestInit>;

/** The member id of a conversation, which from v1 on is the member's to choose. */
const MEMBER = "QUJDREVGR0hJSktMTU5PUA";

function joining(groupId: string, topic: string, more: Heartbeat = {}): ConsumerGroupHeartbeatRequestInit {
  return {
    groupId,
    memberId: MEMBER,
    memberEpoch: 0,
    rebalanceTimeoutMs: 10_000,
    subscribedTopicNames: [topic],
    topicPartitions: [],
    ...more,
  };
}

/** Beats until the member has its partitions. */
async function untilAssigned(speaker: Speaker, groupId: string, topic: string): Promise<number> {
  const isIn = ({ errorCode }: { readonly errorCode: number }) => errorCode === 0;
  const first = await speaker.arrange(consumerGroupHeartbeat, joining(groupId, topic), isIn);
  let { memberEpoch, assignment } = first;
  for (let beat = 0; beat < 100 && (assignment?.topicPartitions.length ?? 0) === 0; beat++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    const request = { groupId, memberId: MEMBER, memberEpoch };
    const answer = await speaker.arrange(consumerGroupHeartbeat, request);
    memberEpoch = answer.memberEpoch;
    assignment = answer.assignment ?? assignment;
  }
  return memberEpoch;
}

const heartbeatTalk: Conversation = {
  api: consumerGroupHeartbeat,
  async talk(speaker) {
    const { name, version } = speaker;
    const topicId = await makeTopic(speaker, name, 2);
    await findGroup(speaker, name);
    const ask = (label: string, more: Heartbeat) =>
      speaker.ask(label, consumerGroupHeartbeat, joining(name, name, more));
    await ask("without a group id", { groupId: "" });
    await ask("without a rebalance timeout", { rebalanceTimeoutMs: -1 });
    await ask("without a subscription", { subscribedTopicNames: null });
    await ask("with nothing said of its partitions", { topicPartitions: null });
    await ask("with partitions already", { topicPartitions: [{ topicId, partitions: [0] }] });
    await ask("with an unknown assignor", { serverAssignor: "magic" });
    await ask("with an empty instance id", { instanceId: "" });
    await ask("with an empty rack", { rackId: "" });
    await ask("with an epoch of an unknown group", { memberEpoch: 4 });
    await ask("leaving an unknown group", { memberEpoch: -1 });
    await ask("with an epoch below all", { memberEpoch: -3 });
    if (version >= 1) await ask("without a member id", { memberId: "" });
    if (version >= 1) {
      await ask("with a pattern that is none", { subscribedTopicNames: null, subscribedTopicRegex: "(" });
    }
    const memberEpoch = await untilAssigned(speaker, name, name);
    const beat = { groupId: name, memberId: MEMBER, memberEpoch };
    const again = (label: string, more: Heartbeat) =>
      speaker.ask(label, consumerGroupHeartbeat, { ...beat, ...more });
    await again("as due", {});
    await again("in a later epoch", { memberEpoch: memberEpoch + 1 });
    await again("as an unknown member", { memberId: "QUJDREVGR0hJSktMTU5PUB" });
    await again("leaving as a static member", { memberEpoch: -2 });
    await again("leaving", { memberEpoch: -1 });
    await again("leaving again", { memberEpoch: -1 });
    const fixed = { ...joining(name, name), instanceId: "one" };
    await speaker.ask("as a static member", consumerGroupHeartbeat, fixed);
    const other = { ...fixed, memberId: "QUJDREVGR0hJSktMTU5PUD" };
    await speaker.ask("as the same static member elsewhere", consumerGroupHeartbeat, other);
  },
};

const describeTalk: Conversation = {
  api: consumerGroupDescribe,
  async talk(speaker) {
    const { name } = speaker;
    await makeTopic(speaker, name, 2);
    await findGroup(speaker, name);
    const memberEpoch = await untilAssigned(speaker, name, name);
    const ask = (label: string, ...groupIds: string[]) => speaker.ask(label, consumerGroupDescribe, { groupIds });
    await ask("a group", name);
    await ask("an unknown group", `${name}-unknown`);
    await ask("a group without a name", "");
    await ask("no group");
    const withOperations = { groupIds: [name, `${name}-unknown`], includeAuthorizedOperations: true };
    await speaker.ask("with operations", consumerGroupDescribe, withOperations);
    const member = { groupId: name, memberId: MEMBER, generationIdOrMemberEpoch: memberEpoch };
    const partitions = [{ partitionIndex: 0, committedOffset: 3, committedMetadata: "" }];
    const commit = async (label: string, more: Partial<typeof member>) => {
      const topics = [{ name, partitions }];
      speaker.note(label, (await speaker.arrange(offsetCommit, { ...member, ...more, topics })).topics);
    };
    await commit("a commit of the member", {});
    await commit("a commit of an earlier epoch", { generationIdOrMemberEpoch: memberEpoch - 1 });
    await commit("a commit of a later epoch", { generationIdOrMemberEpoch: memberEpoch + 1 });
    await commit("a commit of an unknown member", { memberId: "nobody" });
    await speaker.arrange(consumerGroupHeartbeat, { groupId: name, memberId: MEMBER, memberEpoch: -1 });
    await ask("an empty group", name);
  },
};

export const consumerGroupConversations: readonly Conversation[] = [heartbeatTalk, describeTalk];
