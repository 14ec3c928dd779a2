import type { CoordinatorLink } from "./coordinator-link.ts";
import { describeGroups } from "../../protocol/apis/15-describe-groups.ts";
import { consumerGroupDescribe } from "../../protocol/apis/69-consumer-group-describe.ts";
import { CONSUMER_PROTOCOL_TYPE, encodeAssignment, encodeSubscription } from "../../protocol/consumer-protocol.ts";
import { errorCode } from "../../protocol/error-codes.ts";

/** What members of such a group would write, if they were asked to. */
const PROTOCOL_VERSION = 0;

/** KafkaJS's description of a group. */
export interface GroupDescription {
  readonly groupId: string;
  readonly members: readonly MemberDescription[];
  /** The name of the assignor; empty unless the group is stable. */
  readonly protocol: string;
  readonly protocolType: string;
  /** `Dead` is the state of a group that does not exist. */
  readonly state: string;
  /** Not one of KafkaJS's: `consumer` for a group whose coordinator assigns (KIP-848). */
  readonly groupType: "classic" | "consumer";
  /** Of a `consumer` group, one higher whenever its members change. A classic group's generation its members know. */
  readonly groupEpoch?: number;
}

export interface MemberDescription {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** To be read by `AssignerProtocol.MemberMetadata.decode`. */
  readonly memberMetadata: Uint8Array;
  /** To be read by `AssignerProtocol.MemberAssignment.decode`. */
  readonly memberAssignment: Uint8Array;
  /** Null but for static members. */
  readonly groupInstanceId: string | null;
}

export async function describeGroup(link: CoordinatorLink): Promise<GroupDescription> {
  const { groups } = await link.persist(describeGroups, { groups: [link.groupId] }, {
    // Since version 6 a group that does not exist is an error, and is described all the same.
    errorOf: (response) => withoutNotFound(response.groups[0]?.errorCode),
  });
  const { groupId, groupState, members, protocolData, protocolType } = groups[0]!;
  const state = groupState;
  const described = { groupId, members, protocol: protocolData, protocolType, state, groupType: "classic" as const };
  return groupState === "Dead" ? ((await describeConsumerGroup(link)) ?? described) : described;
}

/** A group whose coordinator assigns (KIP-848) has a request of its own. Undefined if there is none of that name. */
async function describeConsumerGroup(link: CoordinatorLink): Promise<GroupDescription | undefined> {
  const { groups } = await link.persist(consumerGroupDescribe, { groupIds: [link.groupId] }, {
    errorOf: (response) => withoutNotFound(response.groups[0]?.errorCode),
  });
  const { assignorName, errorCode: error, groupEpoch, groupState, members } = groups[0]!;
  if (error !== 0) return undefined;
  return {
    groupId: link.groupId,
    protocol: assignorName,
    protocolType: CONSUMER_PROTOCOL_TYPE,
    state: groupState,
    groupType: "consumer",
    groupEpoch,
    members: members.map(({ memberId, instanceId, clientId, clientHost, subscribedTopicNames, assignment }) => ({
      memberId,
      groupInstanceId: instanceId,
      clientId,
      clientHost,
      memberMetadata: encodeSubscription({ topics: subscribedTopicNames }, PROTOCOL_VERSION),
      memberAssignment: encodeAssignment(
        {
          assignedPartitions: assignment.topicPartitions.map(({ topicName, partitions }) => ({
            topic: topicName,
            partitions,
          })),
        },
        PROTOCOL_VERSION,
      ),
    })),
  };
}

function withoutNotFound(code = errorCode("UNKNOWN_SERVER_ERROR")): number {
  return code === errorCode("GROUP_ID_NOT_FOUND") ? 0 : code;
}
