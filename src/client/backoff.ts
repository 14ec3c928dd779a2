import { isRetriableError, KafkaJSNumberOfRetriesExceeded, KafkaJSTimeout, reasonOf } from "./errors.ts";
import type { Clock } from "../runtime/clock.ts";

/** KafkaJS's retry options. */
export interface RetryOptions {
  /** The longest pause between two attempts, in milliseconds. */
  readonly maxRetryTime?: number;
  /** The first pause, in milliseconds. */
  readonly initialRetryTime?: number;
  /** How far a pause may be off at random: 0.2 makes 100 ms something between 80 and 120 ms. */
  readonly factor?: number;
  /** By how much a pause exceeds the one before. */
  readonly multiplier?: number;
  /**
   * How often a failed attempt is repeated. For a consumer's callback that is 5 by default, and the client's counts only
   * for a consumer that has a `retry` of its own without `retries`, as with KafkaJS.
   */
  readonly retries?: number;
  /** Asked when a consumer crashes by something that may mend itself: whether it shall go on. */
  readonly restartOnFailure?: (error: Error) => Promise<boolean>;
}

export type RetryPolicy = Required<Omit<RetryOptions, "restartOnFailure">>;

/**
 * The pauses are shorter than KafkaJS's, because a new leader is there in milliseconds when a tab closes; the number of
 * attempts is left open, because a deadline bounds them.
 */
export const defaultRetry: RetryPolicy = {
  maxRetryTime: 1000,
  initialRetryTime: 50,
  factor: 0.2,
  multiplier: 2,
  retries: Number.POSITIVE_INFINITY,
};

/** Options given later win; what is left out, or undefined, is as before. */
export function retryPolicy(...layers: readonly (RetryOptions | undefined)[]): RetryPolicy {
  const policy: { -readonly [K in keyof RetryPolicy]: number } = { ...defaultRetry };
  for (const layer of layers) {
    for (const name of Object.keys(policy) as (keyof RetryPolicy)[]) {
      const value = layer?.[name];
      if (value !== undefined) policy[name] = value;
    }
  }
  return policy;
}

/** Milliseconds to pause before attempt `retryCount + 1`; `random` is uniform in [0, 1). */
export function retryPause(policy: RetryPolicy, retryCount: number, random: number): number {
  const steady = Math.min(policy.initialRetryTime * policy.multiplier ** retryCount, policy.maxRetryTime);
  return Math.ceil(steady * (1 + policy.factor * (2 * random - 1)));
}

export interface RetryEnvironment {
  readonly clock: Clock;
  random(): number;
}

/**
 * Repeats `attempt` while it fails with a retriable error, the attempts last and the deadline (of `clock.now()`) is
 * ahead. `what` names the purpose in the final error, whose cause is the last failure.
 */
export async function retrying<T>(
  environment: RetryEnvironment,
  options: { readonly what: string; readonly policy: RetryPolicy; readonly deadline: number },
  attempt: () => Promise<T>,
): Promise<T> {
  const { clock } = environment;
  const startedAt = clock.now();
  for (let retryCount = 0; ; retryCount++) {
    try {
      return await attempt();
    } catch (error) {
      if (!isRetriableError(error)) throw error;
      if (retryCount >= options.policy.retries) {
        throw new KafkaJSNumberOfRetriesExceeded(
          `${options.what} failed ${retryCount + 1} times, lastly: ${reasonOf(error)}`,
          { retryCount, retryTime: clock.now() - startedAt, cause: error },
        );
      }
      const pause = retryPause(options.policy, retryCount, environment.random());
      if (clock.now() + pause > options.deadline) {
        const elapsed = Math.round(options.deadline - startedAt);
        throw new KafkaJSTimeout(`${options.what} did not succeed within ${elapsed} ms, lastly: ${reasonOf(error)}`, {
          cause: error,
        });
      }
      await sleep(clock, pause);
    }
  }
}

export function sleep(clock: Clock, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    clock.setTimer(delayMs, resolve);
  });
}

/** Rejects with KafkaJSTimeout if `promise` takes longer; what becomes of it then is of no interest any more. */
export function within<T>(clock: Clock, timeoutMs: number, what: string, promise: Promise<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    const cancelTimer = clock.setTimer(timeoutMs, () => {
      reject(new KafkaJSTimeout(`${what} did not succeed within ${Math.round(timeoutMs)} ms`));
    });
    promise.then(resolve, reject).finally(cancelTimer);
  });
}
