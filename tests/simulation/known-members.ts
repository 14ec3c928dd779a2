import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import type { Asked } from "./group-watch.ts";
import { fail } from "./oracle-context.ts";

/** In requests of members of classic groups. */
export interface OfMember {
  readonly memberId: string;
  /** Not in a JoinGroup. */
  readonly generationId?: number;
}

/** The coordinator that leads in this epoch knows the member, which has what the generation gave it. */
interface Known {
  /** When the member asked what was answered like that. */
  readonly atUs: number;
  readonly leaderEpoch: number;
  readonly generation: number;
}

/** A session lasts six seconds, members have four to join or sync, and clocks run at twice the usual rate at most. */
const KNOWN_US = 1_500_000;

/**
 * Members of classic groups that their coordinator cannot have forgotten. It forgets who is silent for a session, does
 * not join within the rebalance timeout, or joins and does not ask for its assignment in that time. So it knows for
 * that long whom it has given its assignment, and whom it has told in a heartbeat since then that nothing is wanted.
 *
 * Other answers promise nothing, for they do not keep a member: offsets are taken in the midst of a rebalance, and
 * heartbeats are answered with no error before the assignment is, until the time is up. It counts from the question,
 * for times run on while an answer waits to be committed.
 */
export class KnownMembers {
  readonly #known = new Map<string, Known>();

  /** A coordinator begins with a stored generation: sessions start anew, and everybody has what it gave. */
  loaded(groupId: string, memberIds: readonly string[], known: Known): void {
    for (const memberId of memberIds) this.#known.set(`${groupId}/${memberId}`, known);
  }

  left(groupId: string, memberId: string): void {
    this.#known.delete(`${groupId}/${memberId}`);
  }

  answered(where: string, asked: Asked<OfMember>, error: string, nowUs: number): void {
    const { api, groupId, leaderEpoch, atUs } = asked;
    const { memberId, generationId = -1 } = asked.request;
    if (leaderEpoch === undefined) return;
    const name = `${groupId}/${memberId}`;
    const known = this.#known.get(name);
    const isSame = known?.leaderEpoch === leaderEpoch;
    if (error === "UNKNOWN_MEMBER_ID" && isSame && nowUs - known.atUs < KNOWN_US) {
      fail("members-are-heard", `${where}: ${memberId} is unknown, and was known ${nowUs - known.atUs} us ago`);
    }
    const nothingIsWanted = api === heartbeat && isSame && known.generation === generationId;
    if (error === "NONE" && (api === syncGroup || nothingIsWanted)) {
      this.#known.set(name, { atUs, leaderEpoch, generation: generationId });
    }
    // Whoever can commit nothing listens to nobody: nobody is silent, or late, until it can.
    const isPutOff = error === "COORDINATOR_NOT_AVAILABLE" && isSame && atUs - known.atUs < KNOWN_US;
    if (isPutOff) this.#known.set(name, { ...known, atUs });
  }
}
