import type { FetchPosition, OffsetReset } from "./fetch-position.ts";
import type { AbortedTransaction, FetchedBatches } from "./fetched-records.ts";

/** A start whose offset the leader has to be asked for: an end of the partition, or a time (ms since 1970). */
export type SoughtStart =
  /** Where what followed was deleted, not before it: the next leader may never have heard of the deletion. */
  | { readonly kind: "earliest" | "latest"; readonly notBefore?: number }
  | { readonly kind: "timestamp"; readonly timestamp: number };

/** Where to start reading. */
export type StartAt = SoughtStart | { readonly kind: "offset"; readonly offset: number };

/** Records of one partition that were fetched and not handed out yet. */
export interface Fetched {
  readonly batches: FetchedBatches;
  readonly aborted: readonly AbortedTransaction[];
  readonly highWatermark: number;
}

const NOWHERE: Omit<FetchPosition, "offset"> = { lastFetchedEpoch: -1 };

/**
 * One partition of a consumer's assignment.
 *
 * `generation` counts the jumps of the position: whatever was looked up or handed out before a jump is stale. Answers
 * to fetches are told by the position itself, which is another object after each step.
 */
export class AssignedPartition {
  readonly topic: string;
  readonly partition: number;
  readonly policy: OffsetReset;
  /** Set while an offset has to be asked for first. */
  start: SoughtStart | undefined;
  /** Set while the leader has to be asked whether it still holds what was read. */
  validating = false;
  /** The generation for which one of the two is being asked. */
  askedGeneration: number | undefined;
  position: FetchPosition = { offset: -1, ...NOWHERE };
  /** As an answer said last; -1 before the first one. */
  highWatermark = -1;
  /** Whose records came last is asked for last. */
  turn = 0;
  generation = 0;
  paused = false;
  /** Set while it is being given up: what is under way may end, and nothing more is handed out. */
  revoking = false;
  /** Set while somebody processes what was handed out. */
  busy = false;
  fetched: Fetched | undefined;
  error: Error | undefined;
  failures = 0;
  retryAtMs = 0;
  /** The topic that the position belongs to; another one of its name has other offsets. */
  topicId: string | undefined;
  /** Behind the last message that was processed; undefined before the first position is known. */
  consumed: FetchPosition | undefined;
  /** What the group has committed, as far as that is known. */
  committed: number | undefined;

  constructor(topic: string, partition: number, start: StartAt, policy: OffsetReset) {
    this.topic = topic;
    this.partition = partition;
    this.policy = policy;
    this.jumpTo(start);
  }

  /** Whether it can be fetched from, as far as it alone decides. */
  isFetchable(nowMs: number): boolean {
    return (
      !this.paused &&
      !this.revoking &&
      this.start === undefined &&
      !this.validating &&
      this.fetched === undefined &&
      this.error === undefined &&
      this.retryAtMs <= nowMs
    );
  }

  /** Whether an offset has to be asked for, and nobody does. */
  needsLookup(nowMs: number): boolean {
    return (
      (this.start !== undefined || this.validating) &&
      this.askedGeneration !== this.generation &&
      this.error === undefined &&
      this.retryAtMs <= nowMs
    );
  }

  jumpTo(start: StartAt): void {
    this.place({ offset: start.kind === "offset" ? start.offset : -1, ...NOWHERE });
    this.error = undefined;
    this.failures = 0;
    this.retryAtMs = 0;
    if (start.kind === "offset") return;
    this.start = start;
    this.consumed = undefined;
  }

  /** Continues at a position that was found for it. */
  place(position: FetchPosition): void {
    this.generation++;
    this.fetched = undefined;
    this.start = undefined;
    this.validating = false;
    this.position = { ...position };
    this.consumed = position;
  }

  /** Goes back to what was processed last, so that the rest is fetched again. */
  rewind(): void {
    if (this.consumed !== undefined) this.place(this.consumed);
  }
}
