import { KafkaJSNonRetriableError } from "./errors.ts";
import type { RecordHeader, RecordInit } from "../protocol/records.ts";

/** Bytes that read as text where text is asked for, so that KafkaJS's `message.value.toString()` goes on working. */
export class Bytes extends Uint8Array {
  /** The bytes as text, UTF-8 by default; throws RangeError for what `TextDecoder` does not know, such as "hex". */
  override toString(encoding?: string): string {
    return (encoding === undefined ? decoder : new TextDecoder(encoding)).decode(this);
  }
}

/** Header values by name; several values of one name are a list, in order. */
export interface IHeaders {
  [name: string]: Uint8Array | string | (Uint8Array | string)[] | undefined;
}

/** A message to send. */
export interface Message {
  /** Messages of one key go to one partition, in order. */
  readonly key?: string | Uint8Array | null;
  /** Null is a tombstone: in a compacted topic it deletes the key. */
  readonly value: string | Uint8Array | null;
  /** Overrides the partitioner. */
  readonly partition?: number;
  readonly headers?: IHeaders;
  /** Milliseconds since 1970, as text; by default the time of sending. */
  readonly timestamp?: string;
}

/** A message that was read. Its bytes are views of the response they came in, which they keep in memory. */
export interface KafkaMessage {
  readonly key: Bytes | null;
  readonly value: Bytes | null;
  /** Milliseconds since 1970, as text. */
  readonly timestamp: string;
  /** Always 0: Kafka has not given them a meaning. */
  readonly attributes: number;
  readonly offset: string;
  readonly headers: IHeaders;
}

/** A message of `for await`, which says where it came from. */
export interface ConsumedMessage extends KafkaMessage {
  readonly topic: string;
  readonly partition: number;
}

/** A message as bytes, ready to be written into a batch, which gives it its offset. */
export type PreparedRecord = RecordInit;

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const NO_HEADERS: readonly RecordHeader[] = [];

/** Turns a message into bytes; throws for what is no message. */
export function prepareRecord(topic: string, message: Message, wallNow: number): PreparedRecord {
  if (message.value === undefined) {
    throw invalid(topic, "has no value; use null for a tombstone");
  }
  return {
    offset: 0,
    key: bytesOf(topic, "key", message.key),
    value: bytesOf(topic, "value", message.value),
    headers: message.headers === undefined ? NO_HEADERS : headersOf(topic, message.headers),
    timestamp: message.timestamp === undefined ? wallNow : timestampOf(topic, message.timestamp),
  };
}

/** The bytes of a key or value, null for none. */
export function bytesOf(topic: string, part: string, data: string | Uint8Array | null | undefined): Uint8Array | null {
  if (typeof data === "string") return encoder.encode(data);
  if (data === null || data === undefined || data instanceof Uint8Array) return data ?? null;
  throw invalid(topic, `has a ${part} of type ${typeof data}; it must be a string, a Uint8Array or null`);
}

function headersOf(topic: string, headers: IHeaders): readonly RecordHeader[] {
  const list: RecordHeader[] = [];
  for (const [name, values] of Object.entries(headers)) {
    for (const value of Array.isArray(values) ? values : [values]) {
      list.push({ key: name, value: bytesOf(topic, `header ${name}`, value) });
    }
  }
  return list;
}

function timestampOf(topic: string, text: string): number {
  const timestamp = Number(text);
  if (!Number.isSafeInteger(timestamp) || timestamp < 0) {
    throw invalid(topic, `has the timestamp ${text}; it must be milliseconds since 1970`);
  }
  return timestamp;
}

function invalid(topic: string, what: string): KafkaJSNonRetriableError {
  return new KafkaJSNonRetriableError(`A message for topic ${topic} ${what}`);
}
