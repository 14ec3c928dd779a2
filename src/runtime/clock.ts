/** Time as the runtime sees it; the simulator brings its own. */
export interface Clock {
  /** Milliseconds from an arbitrary start; never goes backwards. */
  now(): number;
  /** Milliseconds since 1970, for record timestamps and people. No rule of safety reads it. */
  wallNow(): number;
  /** Calls `callback` once, `delayMs` from now or later; returns a function that calls it off. */
  setTimer(delayMs: number, callback: () => void): () => void;
}
