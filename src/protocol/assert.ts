/**
 * Thrown when an invariant of this program is broken. It is never the fault of a peer's bytes, so nobody should
 * answer it on the wire: the broker that meets it stops and says so.
 */
export class AssertionError extends Error {
  override readonly name = "AssertionError";
}

/** States an invariant in a lower-case sentence. Checked in production too: a wrong log is worse than a stopped one. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message);
}
