import { KafkaJSProtocolError } from "../errors.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";

export interface RefusedMember {
  readonly groupId: string;
  readonly groupInstanceId: string | null;
  /** The coordinator's assignor that was asked for. */
  readonly remoteAssignor: string | null;
}

/** What an application can do about errors that end a membership. */
const remedies = new Map<ErrorName, (member: RefusedMember) => string>([
  [
    "FENCED_INSTANCE_ID",
    ({ groupId, groupInstanceId }) =>
      `Another consumer of group ${groupId} has joined as groupInstanceId ${groupInstanceId}, and took the place of ` +
      "this one; give each consumer a groupInstanceId of its own",
  ],
  [
    "UNRELEASED_INSTANCE_ID",
    ({ groupId, groupInstanceId }) =>
      `A consumer of group ${groupId} holds the groupInstanceId ${groupInstanceId}; disconnect it, or, if it died, ` +
      "wait until its session has ended (group.consumer.session.timeout.ms of the coordinator)",
  ],
  [
    "UNSUPPORTED_ASSIGNOR",
    ({ groupId, remoteAssignor }) =>
      `The coordinator of group ${groupId} has no assignor ${remoteAssignor}; ` +
      'groupRemoteAssignor is "uniform" or "range"',
  ],
  [
    "GROUP_MAX_SIZE_REACHED",
    ({ groupId }) =>
      `Group ${groupId} has as many members as the coordinator permits (group.max.size, group.consumer.max.size); ` +
      "disconnect another consumer first, or raise that limit",
  ],
  [
    "GROUP_ID_NOT_FOUND",
    ({ groupId }) =>
      `Group ${groupId} has members of the classic protocol; disconnect them first, ` +
      'or leave groupProtocol at "classic"',
  ],
  [
    "INCONSISTENT_GROUP_PROTOCOL",
    ({ groupId }) =>
      `Group ${groupId} has members with other partitionAssigners, or of the protocol "consumer"; ` +
      "disconnect them first, or give this consumer the same partitionAssigners and groupProtocol",
  ],
  [
    "INVALID_SESSION_TIMEOUT",
    ({ groupId }) =>
      `The coordinator of group ${groupId} does not permit such a sessionTimeout; choose one between its ` +
      "group.min.session.timeout.ms and group.max.session.timeout.ms, 6,000 and 1,800,000 by default",
  ],
  [
    "INVALID_REQUEST",
    ({ groupId }) =>
      `The coordinator of group ${groupId} does not take what this member says of itself; it holds 256 KiB of one ` +
      "subscription and 4 MiB of all members, unless set otherwise; have fewer members, or fewer topics each",
  ],
  [
    "INVALID_GROUP_ID",
    ({ groupId }) =>
      `A groupId of ${groupId.length} characters, or its groupInstanceId, is not permitted by the coordinator; ` +
      "choose a shorter one",
  ],
]);

/** The error in the words of who can do something about it; the coordinator's is its cause. */
export function explained(error: Error, member: RefusedMember): Error {
  const remedy = error instanceof KafkaJSProtocolError ? remedies.get(error.type)?.(member) : undefined;
  if (!(error instanceof KafkaJSProtocolError) || remedy === undefined) return error;
  return new KafkaJSProtocolError(error.type, remedy, { cause: error });
}
