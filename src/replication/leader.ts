import type { ErrorName } from "../protocol/error-codes.ts";
import { FollowerProgress } from "./follower-progress.ts";
import type { IsrProposal, RefusalOutcome } from "./isr-proposal.ts";

/** What a broker knows about a partition when it is told to lead it. Offsets are of its own log. */
export interface Leadership {
  readonly brokerId: number;
  /** Of this broker's registration; named in proposals. -1 leaves the controller's check of it out. */
  readonly brokerEpoch?: number;
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  readonly replicas: readonly number[];
  readonly addingReplicas: readonly number[];
  readonly isr: readonly number[];
  /** As configured; see {@link LeaderState.effectiveMinIsr}. */
  readonly minInsyncReplicas: number;
  /** The end of what is durable. */
  readonly logEndOffset: number;
  readonly highWatermark: number;
}

export interface FollowerFetch {
  readonly replicaId: number;
  readonly brokerEpoch: number;
  /** A claim that everything below is durable at the follower (R7). */
  readonly fetchOffset: number;
  readonly nowMs: number;
  /** The leader's own durable end. */
  readonly logEndOffset: number;
  /** The end of what the leader has appended, which followers may store before its own disk has it. */
  readonly nextOffset: number;
  /** Where the follower's log starts, and the leader's. */
  readonly logStartOffset: number;
  readonly leaderLogStartOffset: number;
}

export interface FetchOutcome {
  /** Set if the follower's log starts higher than it was known to, under its present registration. */
  readonly logStartRaised?: true;
  readonly proposal?: IsrProposal;
  /** The fetch was not counted; answer it with this error. */
  readonly refused?: ErrorName;
}

/** The committed state of a partition, from the metadata log or from an AlterPartition response. */
export interface CommittedIsr {
  readonly isr: readonly number[];
  readonly leaderEpoch: number;
  readonly partitionEpoch: number;
  /** Left out where the news does not tell; then they stay. */
  readonly replicas?: readonly number[];
  readonly addingReplicas?: readonly number[];
  /** As configured by then; taken together with the ISR, for the controller decides by both at one time. */
  readonly minInsyncReplicas?: number;
}

/**
 * One partition as its leader sees it, for the length of one leader epoch: how far each follower has got, what is
 * committed, and who is in sync. A new epoch makes a new state, which is what keeps R6 true: no position outlives the
 * epoch it was obtained in.
 */
export class LeaderState {
  readonly brokerId: number;
  readonly leaderEpoch: number;
  /** The log end at the election: whatever an earlier leader committed lies below (R3). */
  readonly epochStartOffset: number;

  readonly #brokerEpoch: number;
  readonly #followers = new Map<number, FollowerProgress>();
  #partitionEpoch: number;
  #replicas: readonly number[];
  #addingReplicas: readonly number[];
  #isr: readonly number[];
  #pending: IsrProposal | undefined;
  #pendingIsUnanswered = false;
  #minInsyncReplicas: number;
  #logEndOffset: number;
  #highWatermark: number;

  constructor(leadership: Leadership) {
    this.brokerId = leadership.brokerId;
    this.leaderEpoch = leadership.leaderEpoch;
    this.epochStartOffset = leadership.logEndOffset;
    this.#brokerEpoch = leadership.brokerEpoch ?? -1;
    this.#partitionEpoch = leadership.partitionEpoch;
    this.#replicas = leadership.replicas;
    this.#addingReplicas = leadership.addingReplicas;
    this.#isr = leadership.isr;
    this.#minInsyncReplicas = leadership.minInsyncReplicas;
    this.#logEndOffset = leadership.logEndOffset;
    this.#highWatermark = Math.min(leadership.highWatermark, leadership.logEndOffset);
    this.#followAssignment();
    this.#advanceHighWatermark();
  }

  /** Every offset below is committed. Never goes back, and never passes the leader's durable end. */
  get highWatermark(): number {
    return this.#highWatermark;
  }

  get partitionEpoch(): number {
    return this.#partitionEpoch;
  }

  get isr(): readonly number[] {
    return this.#isr;
  }

  /** Committed or proposed: whoever the controller may elect, whatever becomes of the proposal. */
  get maximalIsr(): readonly number[] {
    if (this.#pending === undefined) return this.#isr;
    const proposed = this.#pending.newIsr.map(({ brokerId }) => brokerId);
    return [...this.#isr, ...proposed.filter((brokerId) => !this.#isr.includes(brokerId))];
  }

  /** Never more than the replicas that are there: a lone tab can take `acks=all` writes. */
  get effectiveMinIsr(): number {
    return Math.max(1, Math.min(this.#minInsyncReplicas, this.#replicas.length - this.#addingReplicas.length));
  }

  /**
   * Whether the high watermark has caught up with all that earlier leaders may have committed. Before, it may be lower
   * than what consumers saw already, so nobody may be told that it is the end of the log (R14, KIP-207).
   */
  get hwMonotonicReady(): boolean {
    return this.#highWatermark >= this.epochStartOffset;
  }

  /** Below this offset everything is deleted in all copies that can be elected; -1 while one has not been heard of. */
  lowWatermark(logStartOffset: number): number {
    const others = this.maximalIsr.filter((brokerId) => brokerId !== this.brokerId);
    return Math.min(logStartOffset, ...others.map((brokerId) => this.#followers.get(brokerId)?.logStartOffset ?? -1));
  }

  /** Why an `acks=all` append has to be refused before it is made, if it has to. */
  canAcceptAcksAll(): ErrorName | undefined {
    return this.#isr.length < this.effectiveMinIsr ? "NOT_ENOUGH_REPLICAS" : undefined;
  }

  /** Only for a fetch that passed the leader epoch check and did not diverge: its offset is of this log. */
  onFollowerFetch(fetch: FollowerFetch): FetchOutcome {
    const { replicaId, brokerEpoch, fetchOffset, nowMs, logEndOffset, nextOffset, logStartOffset } = fetch;
    const follower = this.#followers.get(replicaId);
    if (follower === undefined) return refused("UNKNOWN_LEADER_EPOCH");
    if (brokerEpoch < follower.brokerEpoch) return refused("STALE_BROKER_EPOCH");
    if (fetchOffset > nextOffset) return refused("OFFSET_OUT_OF_RANGE");
    follower.onBrokerEpoch(brokerEpoch);
    follower.onFetch(fetchOffset, logEndOffset, nowMs);
    const news = logStartOffset > follower.logStartOffset ? ({ logStartRaised: true } as const) : {};
    follower.logStartOffset = logStartOffset;
    this.#logEndOffset = Math.max(this.#logEndOffset, logEndOffset);
    this.#advanceHighWatermark();
    if (!this.#mayJoin(replicaId, follower, fetch.leaderLogStartOffset)) return news;
    return { ...news, proposal: this.#propose([...this.#isr, replicaId]) };
  }

  /** The metadata shows a registration of a replica: what it held under an earlier one no longer counts (R6). */
  onBrokerEpoch(replicaId: number, brokerEpoch: number): void {
    this.#followers.get(replicaId)?.onBrokerEpoch(brokerEpoch);
  }

  /**
   * The metadata shows a replica's broker fenced or leaving, or back again. While it is away the high watermark waits
   * for it as a member of the ISR only, and it is not proposed.
   */
  onReplicaAway(replicaId: number, isAway: boolean): void {
    const follower = this.#followers.get(replicaId);
    if (follower === undefined || follower.isAway === isAway) return;
    follower.isAway = isAway;
    this.#advanceHighWatermark();
  }

  /** The leader's own appends up to `logEndOffset` are durable. */
  onLocalDurable(logEndOffset: number): void {
    this.#logEndOffset = Math.max(this.#logEndOffset, logEndOffset);
    this.#advanceHighWatermark();
  }

  /**
   * The metadata or an answer tells of the committed ISR. News that is older than what is known, or of another leader
   * epoch, changes nothing.
   */
  onIsrCommitted(committed: CommittedIsr): void {
    const { leaderEpoch, partitionEpoch, isr } = committed;
    if (leaderEpoch !== this.leaderEpoch || partitionEpoch < this.#partitionEpoch) return;
    const isNewer = partitionEpoch > this.#partitionEpoch;
    // A newer partition epoch settles the proposal: it is this very change, or it can no longer be applied.
    if (isNewer || this.#isProposed(isr)) this.#pending = undefined;
    if (isNewer) for (const follower of this.#followers.values()) follower.isIneligible = false;
    this.#partitionEpoch = partitionEpoch;
    this.#noteDeparted(isr);
    this.#isr = isr;
    this.#replicas = committed.replicas ?? this.#replicas;
    this.#addingReplicas = committed.addingReplicas ?? this.#addingReplicas;
    this.#minInsyncReplicas = committed.minInsyncReplicas ?? this.#minInsyncReplicas;
    this.#followAssignment();
    this.#advanceHighWatermark();
  }

  /**
   * The controller's refusal, or an error that stands for no answer at all (R9). Refusals that do not prove that the
   * proposal was left unapplied keep it counting: forgetting a replica that the controller can elect would lose
   * committed records. Pass the proposal that was refused, so that a late answer cannot undo a later one.
   */
  onProposalRefused(error: ErrorName, proposal = this.#pending): RefusalOutcome {
    const outcome = outcomeOfRefusal(error);
    if (this.#pending === undefined || this.#pending !== proposal) return outcome;
    if (outcome === "retry") this.#pendingIsUnanswered = true;
    if (outcome === "rolled-back") {
      for (const { brokerId } of this.#pending.newIsr) {
        const follower = this.#followers.get(brokerId);
        if (follower !== undefined && !this.#isr.includes(brokerId)) follower.isIneligible = true;
      }
      this.#pending = undefined;
      this.#advanceHighWatermark();
    }
    return outcome;
  }

  /**
   * To be called now and then. Proposes an ISR without the followers that have not caught up with the log end for
   * `replicaLagTimeMaxMs`, or hands out a proposal again that got no answer.
   */
  shrinkLagging(nowMs: number, replicaLagTimeMaxMs: number): IsrProposal | undefined {
    const lagging = new Set<number>();
    for (const [brokerId, follower] of this.#followers) {
      follower.isIneligible = false;
      if (this.#isr.includes(brokerId)) {
        // The time of a follower that has not been heard of starts with the first look at it.
        follower.caughtUpMs ??= nowMs;
        if (follower.isLagging(this.#logEndOffset, nowMs, replicaLagTimeMaxMs)) lagging.add(brokerId);
      } else if (follower.isLagging(this.#logEndOffset, nowMs, replicaLagTimeMaxMs)) {
        follower.caughtUpMs = undefined;
      }
    }
    this.#advanceHighWatermark();
    if (this.#pending !== undefined) return this.#takeUnanswered();
    return lagging.size === 0 ? undefined : this.#propose(this.#isr.filter((brokerId) => !lagging.has(brokerId)));
  }

  /** R6: up to where every replica that the controller may elect holds the log, unless too few of them are in sync. */
  #advanceHighWatermark(): void {
    if (this.#isr.length < this.effectiveMinIsr) return;
    const maximalIsr = this.maximalIsr;
    if (maximalIsr.some((brokerId) => brokerId !== this.brokerId && !this.#followers.get(brokerId)?.hasFetched)) {
      return;
    }
    let committed = this.#logEndOffset;
    for (const [brokerId, follower] of this.#followers) {
      if (!maximalIsr.includes(brokerId) && !isJoining(follower)) continue;
      committed = Math.min(committed, follower.fetchOffset);
    }
    this.#highWatermark = Math.max(this.#highWatermark, committed);
  }

  /** R8. The epoch's start counts too, for the high watermark of a new leader may be behind the true one. */
  #mayJoin(brokerId: number, follower: FollowerProgress, logStartOffset: number): boolean {
    return (
      this.#pending === undefined &&
      !this.#isr.includes(brokerId) &&
      !follower.isIneligible &&
      !follower.isAway &&
      follower.logStartOffset >= logStartOffset &&
      follower.fetchOffset >= this.#highWatermark &&
      follower.fetchOffset >= this.epochStartOffset
    );
  }

  #propose(isr: readonly number[]): IsrProposal {
    const newIsr = isr.map((brokerId) => ({ brokerId, brokerEpoch: this.#brokerEpochOf(brokerId) }));
    this.#pending = { newIsr, leaderEpoch: this.leaderEpoch, partitionEpoch: this.#partitionEpoch };
    this.#pendingIsUnanswered = false;
    return this.#pending;
  }

  /**
   * A replica that the controller took out of the ISR, because its tab is gone perhaps, has to catch up anew before the
   * high watermark waits for it again.
   */
  #noteDeparted(isr: readonly number[]): void {
    for (const brokerId of this.#isr) {
      const follower = this.#followers.get(brokerId);
      if (follower !== undefined && !isr.includes(brokerId)) follower.caughtUpMs = undefined;
    }
  }

  /** Only what a follower fetched under can be vouched for. */
  #brokerEpochOf(brokerId: number): number {
    if (brokerId === this.brokerId) return this.#brokerEpoch;
    const follower = this.#followers.get(brokerId);
    return follower?.hasFetched === true ? follower.brokerEpoch : -1;
  }

  #takeUnanswered(): IsrProposal | undefined {
    if (!this.#pendingIsUnanswered) return undefined;
    this.#pendingIsUnanswered = false;
    return this.#pending;
  }

  #isProposed(isr: readonly number[]): boolean {
    const proposed = this.#pending?.newIsr;
    return proposed?.length === isr.length && proposed.every(({ brokerId }) => isr.includes(brokerId));
  }

  #followAssignment(): void {
    for (const brokerId of this.#replicas) {
      if (brokerId !== this.brokerId && !this.#followers.has(brokerId)) {
        this.#followers.set(brokerId, new FollowerProgress());
      }
    }
    for (const brokerId of this.#followers.keys()) {
      if (!this.#replicas.includes(brokerId)) this.#followers.delete(brokerId);
    }
  }
}

/**
 * A follower that had caught up but is not in the ISR yet holds the high watermark back, for as long as it keeps up.
 * Otherwise the watermark of a busy leader would always be ahead of it, and it could never join (R8).
 */
function isJoining(follower: FollowerProgress): boolean {
  return follower.hasFetched && follower.caughtUpMs !== undefined && !follower.isIneligible && !follower.isAway;
}

function refused(error: ErrorName): FetchOutcome {
  return { refused: error };
}

function outcomeOfRefusal(error: ErrorName): RefusalOutcome {
  switch (error) {
    case "INELIGIBLE_REPLICA":
    case "OPERATION_NOT_ATTEMPTED":
      return "rolled-back";
    case "FENCED_LEADER_EPOCH":
    case "INVALID_UPDATE_VERSION":
    case "INVALID_REQUEST":
    case "NEW_LEADER_ELECTED":
    case "UNKNOWN_TOPIC_ID":
    case "UNKNOWN_TOPIC_OR_PARTITION":
      return "await-metadata";
    default:
      return "retry";
  }
}
