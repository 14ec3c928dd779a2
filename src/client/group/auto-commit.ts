import type { Clock } from "../../runtime/clock.ts";

/** KafkaJS's choices of when to commit what was processed. */
export interface CommitTerms {
  /** Whether to commit without being asked. True by default. */
  readonly autoCommit?: boolean;
  /** Milliseconds between commits; without it, and without a threshold, each batch is committed when it is done. */
  readonly autoCommitInterval?: number | null;
  /** Commits after this many messages. */
  readonly autoCommitThreshold?: number | null;
}

/** Decides when to commit. At most one commit is under way, and what is processed meanwhile goes with the next. */
export class AutoCommit {
  readonly #clock: Clock;
  readonly #terms: CommitTerms;
  readonly #commit: () => Promise<void>;
  #processed = 0;
  #lastAt: number;
  #committing: Promise<void> | undefined;
  #isDue = false;
  #cancelTimer: (() => void) | undefined;

  /** `commit` commits everything that was processed and does not reject. */
  constructor(clock: Clock, terms: CommitTerms, commit: () => Promise<void>) {
    this.#clock = clock;
    this.#terms = terms;
    this.#commit = commit;
    this.#lastAt = clock.now();
    this.#arm();
  }

  get isOn(): boolean {
    return this.#terms.autoCommit ?? true;
  }

  processed(count: number): void {
    this.#processed += count;
    this.#commitIfDue();
  }

  batchProcessed(): void {
    const { autoCommitInterval, autoCommitThreshold } = this.#terms;
    const isTimed = isSet(autoCommitInterval) || isSet(autoCommitThreshold);
    if (this.isOn && !isTimed) void this.#start();
    else this.#commitIfDue();
  }

  /**
   * Commits if the interval has passed or the threshold is reached, though nothing be committed without being asked.
   * Resolves when that is done.
   */
  async commitIfNecessary(): Promise<void> {
    if (this.#isNecessary) await this.#start();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#isDue = false;
  }

  #commitIfDue(): void {
    if (this.isOn && this.#isNecessary) void this.#start();
  }

  get #isNecessary(): boolean {
    const { autoCommitInterval, autoCommitThreshold } = this.#terms;
    const isOld = isSet(autoCommitInterval) && this.#clock.now() - this.#lastAt >= autoCommitInterval;
    return isOld || (isSet(autoCommitThreshold) && this.#processed >= autoCommitThreshold);
  }

  /** Resolves when everything is committed that was processed by now. */
  #start(): Promise<void> {
    this.#isDue = true;
    this.#committing ??= this.#run();
    return this.#committing;
  }

  async #run(): Promise<void> {
    while (this.#isDue) {
      this.#isDue = false;
      this.#processed = 0;
      this.#lastAt = this.#clock.now();
      await this.#commit();
    }
    this.#committing = undefined;
  }

  /** What was processed last has to be committed though nothing follows. */
  #arm(): void {
    const { autoCommitInterval } = this.#terms;
    if (!this.isOn || !isSet(autoCommitInterval)) return;
    this.#cancelTimer = this.#clock.setTimer(autoCommitInterval, () => {
      this.#arm();
      this.#commitIfDue();
    });
  }
}

function isSet(value: number | null | undefined): value is number {
  return value !== undefined && value !== null;
}
