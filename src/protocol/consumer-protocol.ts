import { encodeVersioned } from "./envelope.ts";
import { CorruptMessageError } from "./errors.ts";
import { Reader } from "./reader.ts";
import { array, int32, message, nullableBytes, nullableString, optional, since, string } from "./schema.ts";
import type { Decoded, Encodable, Message } from "./schema.ts";

/**
 * What consumers of a classic group tell each other through JoinGroup and SyncGroup, in bytes that the coordinator
 * passes on. They begin with a version of two bytes. A version that is not known is read as the newest that is, since
 * versions only ever add fields at the end; hence whatever follows the last known field is passed over.
 */
export const CONSUMER_PROTOCOL_TYPE = "consumer";

/**
 * Which topics a member wants.
 *
 * v1 adds what it owns (KIP-429), v2 the generation in which it did (KIP-792), v3 its rack (KIP-881).
 */
export const consumerProtocolSubscription = message({
  name: "ConsumerProtocolSubscription",
  versions: [0, 3],
  flexibleFrom: 4,
  fields: {
    topics: array(string),
    /** The assignor's own. */
    userData: optional(nullableBytes, null),
    ownedPartitions: since(1, array({ topic: string, partitions: array(int32) }), []),
    generationId: since(2, int32, -1),
    rackId: since(3, nullableString, null),
  },
});

/** Which partitions a member gets. Its versions are those of the subscription, and all the same. */
export const consumerProtocolAssignment = message({
  name: "ConsumerProtocolAssignment",
  versions: [0, 3],
  flexibleFrom: 4,
  fields: {
    assignedPartitions: array({ topic: string, partitions: array(int32) }),
    userData: optional(nullableBytes, null),
  },
});

/** A decoded value beside the version that it came in, which may be newer than any known. */
type Versioned<M> = Decoded<M> & { readonly version: number };

export type Subscription = Versioned<typeof consumerProtocolSubscription>;
export type SubscriptionInit = Encodable<typeof consumerProtocolSubscription>;
export type Assignment = Versioned<typeof consumerProtocolAssignment>;
export type AssignmentInit = Encodable<typeof consumerProtocolAssignment>;

export function encodeSubscription(subscription: SubscriptionInit, version = 3): Uint8Array<ArrayBuffer> {
  return encodeVersioned(consumerProtocolSubscription, version, subscription);
}

/** Throws CorruptMessageError. */
export function decodeSubscription(bytes: Uint8Array): Subscription {
  return decodeLeniently(consumerProtocolSubscription, bytes);
}

export function encodeAssignment(assignment: AssignmentInit, version = 3): Uint8Array<ArrayBuffer> {
  return encodeVersioned(consumerProtocolAssignment, version, assignment);
}

/** Throws CorruptMessageError, also for the empty bytes that stand for no assignment at all. */
export function decodeAssignment(bytes: Uint8Array): Assignment {
  return decodeLeniently(consumerProtocolAssignment, bytes);
}

function decodeLeniently<D>(message: Message<D>, bytes: Uint8Array): D & { readonly version: number } {
  const reader = new Reader(bytes);
  const version = reader.int16();
  if (version < 0) throw new CorruptMessageError(`a ${message.name} of version ${version}`);
  const known = Math.min(version, message.versions[1]);
  return { version, ...message.codec(known).read(reader) };
}
