import type { ErrorName } from "../protocol/error-codes.ts";
import { keylessRecords, mistimedRecords } from "../protocol/produced-batch.ts";
import type { Replica } from "./replica.ts";

/** No bound. */
const ANY_TIME = Number.MAX_SAFE_INTEGER;

export interface WrongRecords {
  readonly error: ErrorName;
  readonly message: string;
  /** The places in the batch of the records that are to blame. */
  readonly records: readonly number[];
}

/** What the topic's configuration has against single records of a batch without other faults. */
export function findWrongRecords(
  batch: Uint8Array,
  { topicName, config }: Pick<Replica, "topicName" | "config">,
  wallMs: number,
): WrongRecords | undefined {
  const keyless = config.cleanupPolicy.includes("compact") ? keylessRecords(batch) : [];
  if (keyless.length > 0) {
    const message = `${topicName} is compacted, so each of its records needs a key`;
    return { error: "INVALID_RECORD", message, records: keyless };
  }
  const { messageTimestampType, messageTimestampBeforeMaxMs: before, messageTimestampAfterMaxMs: after } = config;
  if (messageTimestampType === "LogAppendTime" || Math.min(before, after) === ANY_TIME) return undefined;
  const records = mistimedRecords(batch, wallMs - before, wallMs + after);
  if (records.length === 0) return undefined;
  const message = `timestamps in ${topicName} are at most ${before} ms before and ${after} ms after ${wallMs}`;
  return { error: "INVALID_TIMESTAMP", message, records };
}
