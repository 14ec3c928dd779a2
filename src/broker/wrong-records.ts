import type { TopicConfig } from "../metadata/topic-config.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { keylessRecords, mistimedRecords } from "../protocol/produced-batch.ts";
import type { BatchHeader } from "../protocol/record-batch.ts";
import type { Replica } from "./replica.ts";

/** No bound. */
const ANY_TIME = Number.MAX_SAFE_INTEGER;

export interface WrongRecords {
  readonly error: ErrorName;
  readonly message: string;
  /** The places in the batch of the records that are to blame. */
  readonly records: readonly number[];
}

/** Whether the topic's configuration asks something of single records, so that their batch has to be open for it. */
export function looksAtRecords(config: TopicConfig): boolean {
  return needsKeys(config) || boundsTime(config);
}

/**
 * What the topic's configuration has against single records of a batch without other faults. Its section is undefined
 * if it is compressed, and was not opened.
 */
export function findWrongRecords(
  section: Uint8Array | undefined,
  header: BatchHeader,
  { topicName, config }: Pick<Replica, "topicName" | "config">,
  wallMs: number,
): WrongRecords | undefined {
  if (!looksAtRecords(config)) return undefined;
  if (section === undefined) {
    const message = `${topicName} asks more of records than when the batch came; send it again`;
    return { error: "KAFKA_STORAGE_ERROR", message, records: [] };
  }
  const keyless = needsKeys(config) ? keylessRecords(section, header) : [];
  if (keyless.length > 0) {
    const message = `${topicName} is compacted, so each of its records needs a key`;
    return { error: "INVALID_RECORD", message, records: keyless };
  }
  if (!boundsTime(config)) return undefined;
  const { messageTimestampBeforeMaxMs: before, messageTimestampAfterMaxMs: after } = config;
  const records = mistimedRecords(section, header, wallMs - before, wallMs + after);
  if (records.length === 0) return undefined;
  const message = `timestamps in ${topicName} are at most ${before} ms before and ${after} ms after ${wallMs}`;
  return { error: "INVALID_TIMESTAMP", message, records };
}

function needsKeys({ cleanupPolicy }: TopicConfig): boolean {
  return cleanupPolicy.includes("compact");
}

function boundsTime(config: TopicConfig): boolean {
  if (config.messageTimestampType === "LogAppendTime") return false;
  return Math.min(config.messageTimestampBeforeMaxMs, config.messageTimestampAfterMaxMs) < ANY_TIME;
}
