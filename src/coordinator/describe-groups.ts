import type { DescribeGroupsResponseInit } from "../protocol/apis/15-describe-groups.ts";
import type { ListGroupsRequest, ListGroupsResponseInit } from "../protocol/apis/16-list-groups.ts";
import type { ConsumerGroupDescribeResponseInit } from "../protocol/apis/69-consumer-group-describe.ts";
import { CONSUMER_PROTOCOL_TYPE } from "../protocol/consumer-protocol.ts";
import { topicPartitionsOf } from "./assignment.ts";
import type { Assignment } from "./assignment.ts";
import type { ConsumerMember } from "./consumer-member.ts";
import { assignorOf } from "./consumer-membership.ts";
import { classicGroup, consumerGroup } from "./groups.ts";
import type { Reply } from "./reply.ts";
import type { Group, ShardState } from "./shard-state.ts";

export type DescribedGroup = DescribeGroupsResponseInit["groups"][number];
export type DescribedConsumerGroup = ConsumerGroupDescribeResponseInit["groups"][number];
export type ListedGroup = ListGroupsResponseInit["groups"][number];

const NOTHING = new Uint8Array(0);
/** The number that tells members of this protocol from those of the classic one. */
const CONSUMER_MEMBER = 1;

/** One group of a DescribeGroups. One that does not exist, or is of the other type, is "Dead". */
export function describeGroup(state: ShardState, groupId: string, reply: Reply<DescribedGroup>): void {
  const group = classicGroup(state, groupId);
  if (group === undefined) {
    return state.answer(reply, {
      errorCode: 0,
      groupId,
      groupState: "Dead",
      protocolType: "",
      protocolData: "",
      members: [],
    });
  }
  const isStable = group.state === "Stable";
  state.answer(reply, {
    errorCode: 0,
    groupId,
    groupState: group.state,
    protocolType: group.protocolType,
    protocolData: isStable ? (group.protocolName ?? "") : "",
    members: [...group.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      clientId: member.terms.clientId,
      clientHost: member.terms.clientHost,
      memberMetadata: (isStable ? member.metadataFor(group.protocolName) : undefined) ?? NOTHING,
      memberAssignment: isStable ? group.assignmentOf(member.memberId) : NOTHING,
    })),
  });
}

/** One group of a ConsumerGroupDescribe. */
export function describeConsumerGroup(
  state: ShardState,
  groupId: string,
  reply: Reply<DescribedConsumerGroup>,
): void {
  if (groupId === "") return state.answer(reply, "INVALID_GROUP_ID");
  const group = consumerGroup(state, groupId);
  if (group === undefined) return state.answer(reply, "GROUP_ID_NOT_FOUND");
  const named = (assignment: Assignment) => ({
    topicPartitions: topicPartitionsOf(assignment).map((topic) => ({
      ...topic,
      topicName: state.topics.nameOf(topic.topicId) ?? "",
    })),
  });
  const describeMember = (member: ConsumerMember) => ({
    memberId: member.memberId,
    instanceId: member.instanceId,
    rackId: member.rackId,
    memberEpoch: member.memberEpoch,
    clientId: member.clientId,
    clientHost: member.clientHost,
    subscribedTopicNames: member.subscribedTopicNames,
    subscribedTopicRegex: "",
    assignment: named(member.assigned),
    targetAssignment: named(group.targetOf(member.memberId)),
    memberType: CONSUMER_MEMBER,
  });
  state.answer(reply, {
    errorCode: 0,
    groupId,
    groupState: group.state,
    groupEpoch: group.epoch,
    assignmentEpoch: group.assignmentEpoch,
    assignorName: assignorOf(group),
    members: [...group.members.values()].map(describeMember),
  });
}

/** This shard's part of a ListGroups. Filters match in any case; an empty one lets all pass. */
export function listGroups(
  state: ShardState,
  { statesFilter, typesFilter }: ListGroupsRequest,
  reply: Reply<readonly ListedGroup[]>,
): void {
  const passes = (filter: readonly string[], value: string) =>
    filter.length === 0 || filter.some((wanted) => wanted.toLowerCase() === value.toLowerCase());
  const listed = [...state.groups.values()]
    .filter((group) => passes(statesFilter, group.state) && passes(typesFilter, group.type))
    .map((group): ListedGroup => ({
      groupId: group.groupId,
      protocolType: protocolTypeOf(group),
      groupState: group.state,
      groupType: group.type,
    }));
  state.answer(reply, listed);
}

function protocolTypeOf(group: Group): string {
  return group.type === "consumer" ? CONSUMER_PROTOCOL_TYPE : group.protocolType;
}
