import { NO_LEADER } from "../metadata/partition.ts";
import type { Partition } from "../metadata/partition.ts";
import type { Replica } from "./replica.ts";

/**
 * Whether others alone are to hold the partition, and each of them is known to hold all of it. Then nothing that was
 * acknowledged rests on a copy that the node still has (R18).
 */
export function isHeldByOthers(
  { replicas, isr, eligibleLeaderReplicas, leader }: Partition,
  nodeId: number,
): boolean {
  const isComplete = replicas.every((node) => isr.includes(node)) && eligibleLeaderReplicas.length === 0;
  return isComplete && leader !== NO_LEADER && !replicas.includes(nodeId);
}

/**
 * The copies of partitions that were moved to other tabs. They are kept for a while: a tab that is given one back goes
 * on from what it holds. What the metadata shows decides whether a copy may go, and time how soon; whatever casts doubt
 * on either has the while begin anew.
 */
export class StrayCopies {
  readonly #retentionMs: number;
  readonly #heldByOthersSinceMs = new WeakMap<Replica, number>();
  /** Since when this broker has been registered, and in touch with the controller, without a break. */
  #informedSinceMs: number | undefined;

  constructor(retentionMs: number) {
    this.#retentionMs = retentionMs;
  }

  /** Whether the metadata, as applied by now, shows that {@link isHeldByOthers}. */
  shown(replica: Replica, isHeldByOthers: boolean, nowMs: number): void {
    if (!isHeldByOthers) this.#heldByOthersSinceMs.delete(replica);
    else if (!this.#heldByOthersSinceMs.has(replica)) this.#heldByOthersSinceMs.set(replica, nowMs);
  }

  /** To be called with every event: a break that nobody noticed would count. */
  informed(isInformed: boolean, nowMs: number): void {
    this.#informedSinceMs = isInformed ? (this.#informedSinceMs ?? nowMs) : undefined;
  }

  mayGo(replica: Replica, nowMs: number): boolean {
    const sinceMs = this.#heldByOthersSinceMs.get(replica);
    if (sinceMs === undefined || this.#informedSinceMs === undefined) return false;
    return nowMs - Math.max(sinceMs, this.#informedSinceMs) >= this.#retentionMs;
  }
}
