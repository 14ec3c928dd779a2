/**
 * Why the server closes a WebSocket. Codes below 4000 mean what RFC 6455 and IANA's registry say; those from 4000 on
 * are for us to define, and a page may act on them.
 */
export const closeCodes = {
  normal: 1000,
  /** Text where only bytes are due, or the reverse. */
  unsupportedData: 1003,
  /** A message that breaks the rules of src/runtime/signaling.ts, or comes too fast. */
  policyViolation: 1008,
  tooBig: 1009,
  internalError: 1011,
  /** The server goes away for a moment: connect again. */
  serviceRestart: 1012,
  /** A limit is reached: connect again later. */
  tryAgainLater: 1013,
  /** Another socket of the same tab took over; nobody listens to this one any more. */
  replaced: 4001,
  /** The peer said nothing for too long. */
  silent: 4002,
  /** The peer id belongs to another tab. */
  wrongKey: 4403,
  /** The twin of a relay socket did not come in time. */
  noTwin: 4404,
  /** Two sockets are spliced under this relay id already. */
  relayTaken: 4409,
} as const;

/** A reason must fit a close frame: 123 bytes of UTF-8. */
export function closeReason(text: string): string {
  const bytes = Buffer.from(text);
  return bytes.length <= 123 ? text : bytes.subarray(0, 120).toString("utf8").replace(/\uFFFD+$/u, "");
}
