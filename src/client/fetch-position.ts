import {
  KafkaJSLogTruncationError,
  KafkaJSNonRetriableError,
  KafkaJSOffsetOutOfRange,
  KafkaJSProtocolError,
} from "./errors.ts";
import type { FetchResponse } from "../protocol/apis/01-fetch.ts";
import { errorName, isRetriable } from "../protocol/error-codes.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import type { BatchHeader } from "../protocol/record-batch.ts";

/** Where a consumer reads on in a partition. */
export interface FetchPosition {
  /** The next offset to read. */
  readonly offset: number;
  /** Leader epoch of the record before it, by which a leader notices that its log has another there; -1 if unknown. */
  readonly lastFetchedEpoch: number;
}

/** What to do when the position is no longer in the partition: go to an end of it, or say so. */
export type OffsetReset = "earliest" | "latest" | "none";

export interface TopicPartition {
  readonly topic: string;
  readonly partition: number;
}

/** Reads an offset, or a time; throws KafkaJSNonRetriableError for what is none, with `remedy` behind it. */
export function wholeNumber(value: string | number, what: string, where: TopicPartition, remedy = ""): number {
  const number = typeof value === "string" && value.trim() === "" ? Number.NaN : Number(value);
  if (Number.isSafeInteger(number) && number >= 0) return number;
  throw new KafkaJSNonRetriableError(`Invalid ${what} ${value} for ${nameOf(where)}${remedy}`);
}

export type FetchAnswer = FetchResponse["responses"][number]["partitions"][number];

/** What an answer means for the position. */
export type FetchOutcome =
  | { readonly kind: "records" }
  /** Another leader, or a moment later, may know better. */
  | { readonly kind: "retry"; readonly error: Error }
  /** Ask where an end of the partition is, and go on there. */
  | { readonly kind: "reset"; readonly to: "earliest" | "latest"; readonly notBefore?: number; readonly reason: string }
  /** What was read before `to` is no longer in the partition; the policy lets us go on from there. */
  | { readonly kind: "move"; readonly to: FetchPosition; readonly reason: string }
  /** The position may lie in a part of the log that was replaced: ask where its epoch ends. */
  | { readonly kind: "validate" }
  | { readonly kind: "fail"; readonly error: Error };

/**
 * Judges the answer to a fetch from `position`. Records that were read and are gone, and records that were never read
 * and are gone, are never passed over in silence: the outcome carries the reason, or is an error under policy `none`.
 */
export function judgeAnswer(
  answer: FetchAnswer,
  position: FetchPosition,
  where: TopicPartition,
  policy: OffsetReset,
): FetchOutcome {
  const error = errorName(answer.errorCode);
  if (error === "OFFSET_OUT_OF_RANGE") return judgeOutOfRange(answer, position, where, policy);
  if (error !== "NONE") {
    const failure = new KafkaJSProtocolError(error, `Fetch from ${nameOf(where)}`);
    return { kind: isRetriable(error) ? "retry" : "fail", error: failure };
  }
  const { divergingEpoch } = answer;
  if (divergingEpoch === null) return { kind: "records" };
  return judgeEpochEnd({ epoch: divergingEpoch.epoch, endOffset: divergingEpoch.endOffset }, position, where, policy);
}

/**
 * Judges where the leader's log parts from what was read: `end` is the last epoch up to the position's that the leader
 * has, and the offset at which it ended.
 */
export function judgeEpochEnd(
  end: { readonly epoch: number; readonly endOffset: number },
  position: FetchPosition,
  where: TopicPartition,
  policy: OffsetReset,
): FetchOutcome {
  if (end.epoch < 0 || end.endOffset < 0) return reset(position, where, policy, "the leader knows none of its epochs");
  if (end.endOffset >= position.offset && end.epoch === position.lastFetchedEpoch) {
    return reset(position, where, policy, "the leader does not hold the offset");
  }
  const offset = Math.min(end.endOffset, position.offset);
  const reason =
    `records of ${nameOf(where)} from offset ${offset} to ${position.offset - 1} were read and replaced since: ` +
    "the log was truncated";
  if (policy === "none") {
    const error = new KafkaJSLogTruncationError(`${reason}. Seek to go on`, {
      ...where,
      divergingOffset: String(offset),
    });
    return { kind: "fail", error };
  }
  return { kind: "move", to: { offset, lastFetchedEpoch: end.epoch }, reason };
}

function judgeOutOfRange(
  answer: FetchAnswer,
  position: FetchPosition,
  where: TopicPartition,
  policy: OffsetReset,
): FetchOutcome {
  const isBelow = answer.logStartOffset >= 0 && position.offset < answer.logStartOffset;
  if (!isBelow && position.lastFetchedEpoch >= 0) return { kind: "validate" };
  const range = answer.logStartOffset < 0 ? "" : `, it begins at ${answer.logStartOffset}`;
  const outcome = reset(position, where, policy, `the partition does not hold the offset${range}`);
  return isBelow && outcome.kind === "reset" ? { ...outcome, notBefore: position.offset } : outcome;
}

function reset(position: FetchPosition, where: TopicPartition, policy: OffsetReset, why: string) {
  const reason = `position ${position.offset} of ${nameOf(where)} is out of range: ${why}`;
  if (policy !== "none") return { kind: "reset", to: policy, reason } as const;
  return { kind: "fail", error: new KafkaJSOffsetOutOfRange(`${reason}. Seek to go on`, where) } as const;
}

/**
 * The position behind a batch, after checking that it follows on: batches come in offset order, and only the first may
 * begin before the position. `missing` counts the offsets that were skipped, as compaction and control records do.
 */
export function passBatch(
  position: FetchPosition,
  header: Pick<BatchHeader, "baseOffset" | "lastOffset" | "partitionLeaderEpoch">,
  isFirst: boolean,
): { readonly position: FetchPosition; readonly missing: number } {
  const { baseOffset, lastOffset, partitionLeaderEpoch } = header;
  if (!isFirst && baseOffset < position.offset) {
    throw new CorruptMessageError(`a batch from offset ${baseOffset} where ${position.offset} is the next`);
  }
  if (partitionLeaderEpoch < position.lastFetchedEpoch && lastOffset >= position.offset) {
    throw new CorruptMessageError(`a batch of epoch ${partitionLeaderEpoch} after one of ${position.lastFetchedEpoch}`);
  }
  if (lastOffset < position.offset) return { position, missing: 0 };
  return {
    position: { offset: lastOffset + 1, lastFetchedEpoch: partitionLeaderEpoch },
    missing: Math.max(0, baseOffset - position.offset),
  };
}

export function nameOf({ topic, partition }: TopicPartition): string {
  return `partition ${partition} of topic ${topic}`;
}
