import type { CoordinatorLink } from "./coordinator-link.ts";
import { describeGroups } from "../../protocol/apis/15-describe-groups.ts";

/** KafkaJS's description of a group. */
export interface GroupDescription {
  readonly groupId: string;
  readonly members: readonly MemberDescription[];
  /** The name of the assignor; empty unless the group is stable. */
  readonly protocol: string;
  readonly protocolType: string;
  /** `Dead` is the state of a group that does not exist. */
  readonly state: string;
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
    errorOf: (response) => response.groups[0]?.errorCode ?? -1,
  });
  const { groupId, groupState, members, protocolData, protocolType } = groups[0]!;
  return { groupId, members, protocol: protocolData, protocolType, state: groupState };
}
