import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { consumerGroupHeartbeat } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { Asked } from "./group-watch.ts";
import { fail } from "./oracle-context.ts";

/** In requests of members. */
export interface OfMember {
  readonly memberId: string;
  /** Of a classic group, and not in a JoinGroup. */
  readonly generationId?: number;
}

/** The coordinator that leads in this epoch knows the member. */
interface Known {
  /** When the member asked what was answered like that. */
  readonly atUs: number;
  readonly leaderEpoch: number;
  /** The one of a classic group whose assignment the member has. */
  readonly generation: number | undefined;
}

/**
 * A session lasts six seconds, members have four to join, to sync or to give partitions up, and clocks run at twice the
 * usual rate at most.
 */
const KNOWN_US = 1_500_000;

/**
 * Members that their coordinator cannot have forgotten. It forgets who is silent for a session, does not join within the
 * rebalance timeout, or joins and does not ask for its assignment in that time; in a consumer group (KIP-848) who is
 * silent, or does not give up in that time what it is to give up. So it knows for that long whom it has given its
 * assignment, and whom it has told in a heartbeat since then that nothing is wanted.
 *
 * Other answers promise nothing, for they do not keep a member: offsets are taken in the midst of a rebalance, and
 * heartbeats are answered with no error before the assignment is, until the time is up. It counts from the question,
 * for times run on while an answer waits to be committed. Nor does the log say who is known: a coordinator that does not
 * know yet that it can commit nothing may have forgotten whom the log still has.
 */
export class KnownMembers {
  readonly #known = new Map<string, Known>();
  readonly #left = new Set<string>();

  /** A coordinator begins with what is stored: all times start anew, and everybody has what the generation gave. */
  loaded(groupId: string, memberIds: readonly string[], known: Known): void {
    for (const memberId of memberIds) this.#known.set(`${groupId}/${memberId}`, known);
  }

  left(groupId: string, memberId: string): void {
    this.#left.add(`${groupId}/${memberId}`);
  }

  /** `isToGiveUp` of a member that a coordinator (KIP-848) waits for, however often it beats. */
  answered(where: string, asked: Asked<OfMember>, error: string, nowUs: number, isToGiveUp = false): void {
    const { api, groupId, leaderEpoch, atUs } = asked;
    const { memberId, generationId } = asked.request;
    const name = `${groupId}/${memberId}`;
    if (leaderEpoch === undefined || this.#left.has(name)) return;
    const known = this.#known.get(name);
    // What was asked before may be answered after a member that was forgotten has joined again.
    const isSame = known?.leaderEpoch === leaderEpoch && known.atUs < atUs;
    if (error === "UNKNOWN_MEMBER_ID" && isSame && nowUs - known.atUs < KNOWN_US) {
      fail("members-are-heard", `${where}: ${memberId} is unknown, and was known ${nowUs - known.atUs} us ago`);
    }
    const isUpToDate = api === heartbeat && isSame && known.generation === generationId;
    const nothingIsWanted = isUpToDate || (api === consumerGroupHeartbeat && !isToGiveUp);
    if (error === "NONE" && (api === syncGroup || nothingIsWanted)) {
      this.#known.set(name, { atUs, leaderEpoch, generation: generationId });
    }
    // Whoever can commit nothing listens to nobody: nobody is silent, or late, until it can.
    const isPutOff = error === "COORDINATOR_NOT_AVAILABLE" && isSame && atUs - known.atUs < KNOWN_US;
    if (isPutOff) this.#known.set(name, { ...known, atUs });
  }
}
