import { CONSUMER_PROTOCOL_TYPE } from "../protocol/consumer-protocol.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { GroupRecordOf } from "../protocol/group-records/registry.ts";
import type { ClassicMember, MemberProtocol } from "./classic-member.ts";
import { sizeOfClassicMember } from "./member-size.ts";
import { commonProtocols, votedProtocol } from "./protocol-vote.ts";
import { topicsOfSubscription } from "./subscription.ts";
import type { Timer } from "./timers.ts";

/**
 *     Empty ──join──► PreparingRebalance ──all joined, or time is up──► CompletingRebalance ──leader syncs──► Stable
 *       ▲                 │        ▲                                           │                               │
 *       └── nobody joined ┘        └───────────── a member joins, changes, leaves or falls silent ─────────────┘
 */
export type ClassicState = "Empty" | "PreparingRebalance" | "CompletingRebalance" | "Stable";

export type StoredGeneration = NonNullable<GroupRecordOf<"GroupMetadata">["value"]>;
export type StoredMember = StoredGeneration["members"][number];

/** A first generation waits for more members to come, and longer while they do. */
export interface InitialDelay {
  remainingMs: number;
  hasGrown: boolean;
}

const NO_ASSIGNMENT = new Uint8Array(0);

/**
 * A group whose members assign among themselves. `stored` is what the last record says: the last generation that was
 * complete, or that the group is empty. All else is soft: it says who is there and who waits for whom, and a
 * coordinator that takes over does without it.
 *
 * A group that has nothing but committed offsets is one of these, too, with nothing stored.
 */
export class ClassicGroup {
  readonly type = "classic";
  readonly groupId: string;
  stored: StoredGeneration | undefined;

  state: ClassicState = "Empty";
  /** Ahead of the stored one while a rebalance has been completed by its members, but not by its leader. */
  generationId = 0;
  protocolType = "";
  protocolName: string | null = null;
  leaderId: string | null = null;
  readonly members = new Map<string, ClassicMember>();
  /** The member id by the group instance id. */
  readonly staticMembers = new Map<string, string>();
  /** Ids that were handed out and have not joined yet, until their time is up. */
  readonly pendingJoins = new Map<string, Timer>();
  /** Members of this generation that have not asked for their assignment yet. */
  readonly pendingSyncs = new Set<string>();
  initialDelay: InitialDelay | undefined;
  readonly joinTimer: Timer;
  readonly syncTimer: Timer;

  constructor(groupId: string, timers: { readonly join: Timer; readonly sync: Timer }) {
    this.groupId = groupId;
    this.joinTimer = timers.join;
    this.syncTimer = timers.sync;
  }

  get isEmpty(): boolean {
    return this.state === "Empty";
  }

  /** Whether nothing would be missed: no member, nobody on the way, nothing stored. */
  get isHollow(): boolean {
    return this.state === "Empty" && this.pendingJoins.size === 0 && this.stored === undefined;
  }

  /** Every member joins, and nobody who was given an id is still to come. */
  get hasAllJoined(): boolean {
    if (this.pendingJoins.size > 0) return false;
    for (const { joining } of this.members.values()) if (joining === undefined) return false;
    return true;
  }

  /** The longest that a member asks the others to wait for it. */
  get rebalanceTimeoutMs(): number {
    let longest = 0;
    for (const { terms } of this.members.values()) longest = Math.max(longest, terms.rebalanceTimeoutMs);
    return longest;
  }

  get membersInBytes(): number {
    let size = 0;
    for (const { groupInstanceId, terms } of this.members.values()) size += sizeOfClassicMember(groupInstanceId, terms);
    return size;
  }

  /** All that is held of it: the members, and what the leader assigned to them. */
  get sizeInBytes(): number {
    return (this.stored?.members ?? []).reduce((size, { assignment }) => size + assignment.length, this.membersInBytes);
  }

  /** Who has that name now. */
  staticMember(groupInstanceId: string | null): ClassicMember | undefined {
    return groupInstanceId === null ? undefined : this.members.get(this.staticMembers.get(groupInstanceId) ?? "");
  }

  isLeader(memberId: string): boolean {
    return this.leaderId === memberId;
  }

  /** Why a request in the name of that member is refused, if it is (KIP-345). */
  memberError(memberId: string, groupInstanceId: string | null): ErrorName | undefined {
    if (groupInstanceId !== null) {
      const current = this.staticMembers.get(groupInstanceId);
      if (current === undefined) return "UNKNOWN_MEMBER_ID";
      if (current !== memberId) return "FENCED_INSTANCE_ID";
    }
    return this.members.has(memberId) ? undefined : "UNKNOWN_MEMBER_ID";
  }

  /** Whether somebody with these protocols finds one that everybody else has as well. */
  supports(protocolType: string, protocols: readonly MemberProtocol[]): boolean {
    if (protocolType === "" || protocols.length === 0) return false;
    if (this.members.size === 0) return true;
    if (protocolType !== this.protocolType) return false;
    const common = new Set(commonProtocols([...this.members.values()].map(({ terms }) => terms)));
    return protocols.some(({ name }) => common.has(name));
  }

  votedProtocol(): string | undefined {
    return votedProtocol([...this.members.values()].map(({ terms }) => terms));
  }

  /** As the leader handed it out in the stored generation. */
  assignmentOf(memberId: string): Uint8Array {
    return this.stored?.members.find((member) => member.memberId === memberId)?.assignment ?? NO_ASSIGNMENT;
  }

  /** What a leader has to know to assign. */
  memberList(): { memberId: string; groupInstanceId: string | null; metadata: Uint8Array }[] {
    return [...this.members.values()].map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId,
      metadata: member.metadataFor(this.protocolName) ?? NO_ASSIGNMENT,
    }));
  }

  /**
   * The topics that members subscribe to. Undefined where that cannot be told: the protocol is not that of consumers,
   * or a subscription cannot be read.
   */
  subscribedTopics(): ReadonlySet<string> | undefined {
    if (this.protocolType !== CONSUMER_PROTOCOL_TYPE) return undefined;
    const topics = new Set<string>();
    for (const member of this.members.values()) {
      const metadata = member.metadataFor(this.protocolName);
      const subscribed = metadata === undefined ? undefined : topicsOfSubscription(metadata);
      if (subscribed === undefined) return undefined;
      for (const topic of subscribed) topics.add(topic);
    }
    return topics;
  }
}
