import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponse,
} from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { Asked } from "./group-watch.ts";
import { namesOf, since } from "./group-truth.ts";
import type { CurrentAssignment, GroupTruth, Told } from "./group-truth.ts";
import { fail } from "./oracle-context.ts";

/**
 * The heartbeats of KIP-848. A member may use what it is told until it says that it has let go of it, or is no member any
 * more: until then nobody else is told to use it. And what it is told is committed.
 *
 * A coordinator that was replaced, and has not heard of it, answers what needs no record from what it knows, as Kafka's
 * does: it may repeat to a member what somebody else has by now. Whoever believes that can commit nothing.
 */
export class ConsumerGroupWatch {
  readonly #truth: GroupTruth;
  /** By group and member, the partitions that the member may be using. */
  readonly #mayUse = new Map<string, Map<string, ReadonlySet<string>>>();

  constructor(truth: GroupTruth) {
    this.#truth = truth;
  }

  asked({ groupId, request, leaderEpoch }: Asked<ConsumerGroupHeartbeatRequest>): void {
    const { memberId, memberEpoch, topicPartitions } = request;
    const members = this.#membersOf(groupId);
    if (memberEpoch < 0) {
      members.delete(memberId);
    } else if (topicPartitions !== null) {
      const named = namesOf(topicPartitions);
      const known = members.get(memberId);
      // A member has one heartbeat on its way, so that by now it has had the answers before, or never will. What comes
      // to a coordinator that was replaced may be old, and what the member has let go of since stays so.
      const isReplaced = leaderEpoch === undefined;
      members.set(memberId, isReplaced ? new Set([...named].filter((one) => known?.has(one) === true)) : named);
    }
  }

  /** `isReplaced` if somebody else is to coordinate the group by the time of the answer. */
  answered(
    where: string,
    { groupId, at, request, leaderEpoch }: Asked<ConsumerGroupHeartbeatRequest>,
    { memberEpoch, assignment }: ConsumerGroupHeartbeatResponse,
    error: string,
    isReplaced: boolean,
  ): void {
    const { memberId } = request;
    const told = this.#truth.assignments.get(groupId)?.get(memberId) ?? [];
    if (error === "UNKNOWN_MEMBER_ID" && leaderEpoch !== undefined && request.memberEpoch > 0) {
      const isMember = since(told, at).every(({ value }) => value !== null) && told.length > 0;
      if (isMember) fail("members-are-heard", `${where}: ${memberId} is unknown, and nothing has removed it`);
    }
    if (error !== "NONE" || request.memberEpoch < 0) return;
    this.#expectEpoch(where, request, told, leaderEpoch === undefined ? 0 : at);
    const given = assignment === null ? undefined : namesOf(assignment.topicPartitions);
    const isTold = told.some(({ value }) => {
      if (value?.memberEpoch !== memberEpoch) return false;
      return given === undefined || (given.size === value.assigned.size && [...given].every((one) => value.assigned.has(one)));
    });
    if (!isTold) fail("assignments-are-committed", `${where}: that of ${memberId} in epoch ${memberEpoch} is not`);
    if (given !== undefined && !isReplaced) this.#give(where, groupId, memberId, given);
  }

  /**
   * The member's epoch, or the one before it, whose answer may have been lost; or zero, with which anybody may begin
   * again, holding nothing (KAFKA-19233).
   */
  #expectEpoch(
    where: string,
    { memberId, memberEpoch, topicPartitions }: ConsumerGroupHeartbeatRequest,
    told: readonly Told<CurrentAssignment | null>[],
    at: number,
  ): void {
    if (memberEpoch === 0) return;
    const current = since(told, at);
    const before = told.slice(0, told.length - current.length).findLast(({ value }) => {
      return value?.memberEpoch !== current[0]?.value?.memberEpoch;
    });
    const epochs = current.map(({ value }) => value?.memberEpoch);
    if (epochs.includes(memberEpoch)) return;
    if (topicPartitions !== null && before?.value?.memberEpoch === memberEpoch) return;
    fail("old-members-are-refused", `${where}: ${memberId} is in epoch ${memberEpoch} of ${epochs.join()}`);
  }

  #give(where: string, groupId: string, memberId: string, given: ReadonlySet<string>): void {
    const members = this.#membersOf(groupId);
    for (const [other, used] of members) {
      if (other === memberId) continue;
      const isGone = this.#truth.assignments.get(groupId)?.get(other)?.at(-1)?.value == null;
      if (isGone) {
        members.delete(other);
        continue;
      }
      for (const partition of given) {
        if (used.has(partition)) fail("one-owner", `${where}: ${memberId} is told to use ${partition}, which ${other} may use`);
      }
    }
    members.set(memberId, new Set([...(members.get(memberId) ?? []), ...given]));
  }

  #membersOf(groupId: string): Map<string, ReadonlySet<string>> {
    const known = this.#mayUse.get(groupId) ?? new Map<string, ReadonlySet<string>>();
    this.#mayUse.set(groupId, known);
    return known;
  }
}
