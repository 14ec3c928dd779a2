/** What a leader knows of one follower, all of it learnt in the leader's own epoch. */
export class FollowerProgress {
  /** Of the newest registration known, by its fetches or from the metadata; -1 for none. */
  brokerEpoch = -1;
  /** Everything below is durable at the follower (R7); -1 before the first fetch. */
  fetchOffset = -1;
  /** Where its log starts: what lies below is deleted there too; -1 before the first fetch. */
  logStartOffset = -1;
  /** When the follower last held everything that the leader had; undefined if it has not, or long ago. */
  caughtUpMs: number | undefined;
  /** The controller would not have it in the ISR. Not asked again until the next periodic check. */
  isIneligible = false;
  /** Fenced or about to leave, as the metadata has it: whatever it fetches, it cannot join the ISR. */
  isAway = false;

  #lastFetchMs = 0;
  #logEndAtLastFetch = Number.POSITIVE_INFINITY;

  get hasFetched(): boolean {
    return this.fetchOffset >= 0;
  }

  /**
   * A follower that now asks for what was the log end at its previous fetch had caught up back then. Comparing with
   * the present log end alone would never find a follower of a busy leader in sync.
   */
  onFetch(fetchOffset: number, logEndOffset: number, nowMs: number): void {
    if (fetchOffset >= logEndOffset) this.caughtUpMs = nowMs;
    else if (fetchOffset >= this.#logEndAtLastFetch) this.caughtUpMs = this.#lastFetchMs;
    this.fetchOffset = fetchOffset;
    this.#lastFetchMs = nowMs;
    this.#logEndAtLastFetch = logEndOffset;
  }

  /** A new registration may have lost what the older one held (R6). */
  onBrokerEpoch(brokerEpoch: number): void {
    if (brokerEpoch <= this.brokerEpoch) return;
    this.brokerEpoch = brokerEpoch;
    this.fetchOffset = -1;
    this.logStartOffset = -1;
    this.caughtUpMs = undefined;
    this.isIneligible = false;
    this.#logEndAtLastFetch = Number.POSITIVE_INFINITY;
  }

  isLagging(logEndOffset: number, nowMs: number, replicaLagTimeMaxMs: number): boolean {
    if (this.fetchOffset === logEndOffset) return false;
    return this.caughtUpMs !== undefined && nowMs - this.caughtUpMs > replicaLagTimeMaxMs;
  }
}
