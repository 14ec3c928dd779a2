import { decodeSubscription } from "../protocol/consumer-protocol.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import { isSame } from "./classic-member.ts";

/** The topics in a consumer's metadata. Undefined where it cannot be read: only members have to understand it. */
export function topicsOfSubscription(metadata: Uint8Array): readonly string[] | undefined {
  try {
    return decodeSubscription(metadata).topics;
  } catch (error) {
    if (error instanceof CorruptMessageError) return undefined;
    throw error;
  }
}

/**
 * Whether two consumers subscribe to the same topics. The bytes also tell what a consumer owns and since which
 * generation, which it no longer knows once it was started again.
 */
export function isSameSubscription(left: Uint8Array, right: Uint8Array): boolean {
  if (isSame(left, right)) return true;
  const [first, second] = [topicsOfSubscription(left), topicsOfSubscription(right)];
  if (first === undefined || second === undefined) return false;
  const [wanted, had] = [new Set(first), new Set(second)];
  return wanted.size === had.size && [...wanted].every((topic) => had.has(topic));
}
