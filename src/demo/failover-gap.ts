/** When a record was sent and acknowledged, on the page's clock. */
export interface Acknowledgement {
  readonly partition: string;
  readonly sentMs: number;
  readonly acknowledgedMs: number;
}

/** A page may hear of an election a little after its producer has already used the new leader. */
const HEARD_LATE_MS = 2000;

/**
 * The longest that a record of this session waited because its partition changed leaders: what a producer felt of a
 * failover. Undefined until a record has waited through an election.
 */
export class FailoverGap {
  readonly #electedMs = new Map<string, number>();
  #recent: Acknowledgement[] = [];
  #longestMs: number | undefined;

  get longestMs(): number | undefined {
    return this.#longestMs;
  }

  onElection(partition: string, nowMs: number): void {
    this.#electedMs.set(partition, nowMs);
    this.#recent = this.#recent.filter((ack) => ack.acknowledgedMs >= nowMs - HEARD_LATE_MS);
    for (const ack of this.#recent) this.#consider(ack);
  }

  onAcknowledgement(ack: Acknowledgement): void {
    this.#recent = this.#recent.filter((known) => known.acknowledgedMs >= ack.acknowledgedMs - HEARD_LATE_MS);
    this.#recent.push(ack);
    this.#consider(ack);
  }

  #consider(ack: Acknowledgement): void {
    const electedMs = this.#electedMs.get(ack.partition);
    if (electedMs === undefined || ack.sentMs > electedMs || ack.acknowledgedMs < electedMs - HEARD_LATE_MS) return;
    this.#longestMs = Math.max(this.#longestMs ?? 0, ack.acknowledgedMs - ack.sentMs);
  }
}
