import { expect } from "@playwright/test";
import type { LoadResult } from "./load.ts";

/** Enough that a test which hardly produced anything cannot pass. */
const LEAST_ACKNOWLEDGED = 200;

/**
 * Every acknowledged record was read back exactly once, in order per partition, byte for byte, and the application was
 * told of no failure.
 */
export function expectNothingLost({ verdict, sent, acks, errors }: LoadResult): void {
  expect(verdict.anomalies.slice(0, 20)).toEqual([]);
  expect(errors).toEqual([]);
  expect(acks.length).toBe(sent);
  expect(acks.length).toBeGreaterThan(LEAST_ACKNOWLEDGED);
}
