import type { JoinGroupResponseInit } from "../protocol/apis/11-join-group.ts";
import type { SyncGroupResponseInit } from "../protocol/apis/14-sync-group.ts";
import type { Reply } from "./reply.ts";
import type { Timer } from "./timers.ts";

/** A way of assigning that a member supports, with what it has to say for it. Only its members read the metadata. */
export interface MemberProtocol {
  readonly name: string;
  readonly metadata: Uint8Array;
}

/** What a member says of itself when it joins. Times in milliseconds. */
export interface MemberTerms {
  readonly clientId: string;
  readonly clientHost: string;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** In order of preference. */
  readonly protocols: readonly MemberProtocol[];
}

/**
 * A member of a classic group, as far as a coordinator knows it by itself: nothing of it needs to outlive the
 * coordinator.
 */
export class ClassicMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  terms: MemberTerms;
  /** Whether it has had no answer yet, so that it cannot send heartbeats. */
  isNew = true;
  /** Waits for the group to be complete. */
  joining: Reply<JoinGroupResponseInit> | undefined;
  /** Waits for its assignment. */
  syncing: Reply<SyncGroupResponseInit> | undefined;
  readonly session: Timer;

  constructor(memberId: string, groupInstanceId: string | null, terms: MemberTerms, session: Timer) {
    this.memberId = memberId;
    this.groupInstanceId = groupInstanceId;
    this.terms = terms;
    this.session = session;
  }

  metadataFor(protocolName: string | null): Uint8Array | undefined {
    return this.terms.protocols.find(({ name }) => name === protocolName)?.metadata;
  }

  /** Whether it supports the same protocols, in the same order, with the same metadata. */
  hasProtocols(protocols: readonly MemberProtocol[]): boolean {
    const own = this.terms.protocols;
    return (
      own.length === protocols.length &&
      own.every(({ name, metadata }, at) => name === protocols[at]!.name && isSame(metadata, protocols[at]!.metadata))
    );
  }
}

export function isSame(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
