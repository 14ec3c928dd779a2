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
  #isCommitting = false;
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

  messageProcessed(): void {
    this.#processed++;
    this.commitIfNecessary();
  }

  batchProcessed(): void {
    const { autoCommitInterval, autoCommitThreshold } = this.#terms;
    const isTimed = isSet(autoCommitInterval) || isSet(autoCommitThreshold);
    if (this.isOn && !isTimed) this.#start();
    else this.commitIfNecessary();
  }

  /** Commits if the interval has passed or the threshold is reached. */
  commitIfNecessary(): void {
    const { autoCommitInterval, autoCommitThreshold } = this.#terms;
    if (!this.isOn) return;
    const isOld = isSet(autoCommitInterval) && this.#clock.now() - this.#lastAt >= autoCommitInterval;
    if (isOld || (isSet(autoCommitThreshold) && this.#processed >= autoCommitThreshold)) this.#start();
  }

  close(): void {
    this.#cancelTimer?.();
    this.#isDue = false;
  }

  #start(): void {
    this.#isDue = true;
    if (!this.#isCommitting) void this.#run();
  }

  async #run(): Promise<void> {
    this.#isCommitting = true;
    while (this.#isDue) {
      this.#isDue = false;
      this.#processed = 0;
      this.#lastAt = this.#clock.now();
      await this.#commit();
    }
    this.#isCommitting = false;
  }

  /** What was processed last has to be committed though nothing follows. */
  #arm(): void {
    const { autoCommitInterval } = this.#terms;
    if (!this.isOn || !isSet(autoCommitInterval)) return;
    this.#cancelTimer = this.#clock.setTimer(autoCommitInterval, () => {
      this.#arm();
      this.commitIfNecessary();
    });
  }
}

function isSet(value: number | null | undefined): value is number {
  return value !== undefined && value !== null;
}
