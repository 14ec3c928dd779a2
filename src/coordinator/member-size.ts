import type { MemberProtocol, MemberTerms } from "./classic-member.ts";
import type { ConsumerMember, MemberMetadata } from "./consumer-member.ts";

/** How much of a coordinator's memory members take, in bytes, taking a character for one. */

/** What a member takes beside what it says of itself: its id, its timers, its places in maps. */
const MEMBER_BYTES = 512;
/** What a protocol, and a topic's name, take besides, so that empty ones are not free. */
const PROTOCOL_BYTES = 64;
const NAME_BYTES = 16;

export function sizeOfProtocols(protocols: readonly MemberProtocol[]): number {
  return protocols.reduce((size, { name, metadata }) => size + name.length + metadata.length + PROTOCOL_BYTES, 0);
}

export function sizeOfSubscription(topicNames: readonly string[]): number {
  return topicNames.reduce((size, name) => size + name.length + NAME_BYTES, 0);
}

export function sizeOfClassicMember(groupInstanceId: string | null, terms: MemberTerms): number {
  const { clientId, clientHost, protocols } = terms;
  return MEMBER_BYTES + lengthOf(groupInstanceId, clientId, clientHost) + sizeOfProtocols(protocols);
}

export function sizeOfConsumerMember(member: MemberMetadata & Pick<ConsumerMember, "memberId">): number {
  const { memberId, instanceId, rackId, clientId, clientHost, subscribedTopicNames } = member;
  const names = lengthOf(memberId, instanceId, rackId, clientId, clientHost);
  return MEMBER_BYTES + names + sizeOfSubscription(subscribedTopicNames);
}

function lengthOf(...texts: readonly (string | null)[]): number {
  return texts.reduce((length, text) => length + (text?.length ?? 0), 0);
}
