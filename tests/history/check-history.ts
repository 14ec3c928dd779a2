import type { HistoryEvent, PollEvent } from "./history.ts";
import { orderPartitions } from "./partition-order.ts";
import type { PartitionOrder } from "./partition-order.ts";
import { collectSends } from "./sends.ts";
import type { Send } from "./sends.ts";

/** What can be wrong with a history, after Jepsen's definitions; the last three are ours. */
export type AnomalyClass =
  /** One offset holds two values. */
  | "inconsistent-offsets"
  /** One value sits at two offsets. */
  | "duplicate"
  /** Acknowledged and never read, although something at or behind its place was. */
  | "lost-write"
  /** Acknowledged, or read by anybody, but missing from a final reader's records. */
  | "unseen"
  /** A consumer passed over a record. */
  | "poll-skip"
  /** A consumer went back, or got a record twice. */
  | "nonmonotonic-poll"
  /** A producer's later record lies before its earlier one. */
  | "nonmonotonic-send"
  /** A record was read whose send had certainly failed. */
  | "failed-read"
  /** A record came back with other bytes. */
  | "corrupt"
  /** A value was read that nobody sent to that partition. */
  | "unsent";

export interface Anomaly {
  readonly class: AnomalyClass;
  readonly partition: string;
  /** For people: which values, offsets and processes. */
  readonly evidence: string;
}

export interface Verdict {
  readonly valid: boolean;
  readonly anomalies: readonly Anomaly[];
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Sends whose outcome nobody knows. */
  readonly unknown: number;
  /** Distinct records read. */
  readonly read: number;
}

export interface CheckOptions {
  /** The consumers that read every partition from its beginning to its end after the last send had completed. */
  readonly finalReaders: readonly string[];
}

/**
 * Judges a history of idempotent producers and consumers with explicit assignment, without transactions.
 *
 * Throws when the history itself is malformed: a value sent twice, or a completion without its invocation.
 */
export function checkHistory(history: readonly HistoryEvent[], { finalReaders }: CheckOptions): Verdict {
  const sends = collectSends(history);
  const polls = history.filter((event) => event.f === "poll");
  const partitions = orderPartitions(sends.values(), polls);
  const anomalies: Anomaly[] = [
    ...misplacedValues(partitions),
    ...wrongReads(sends, polls),
    ...unreadSends(sends, polls, partitions),
    ...missedByFinalReaders(sends, polls, finalReaders),
    ...pollOrder(history, partitions),
    ...sendOrder(sends, partitions),
  ];
  const outcomes = [...sends.values()].map((send) => send.outcome);
  return {
    valid: anomalies.length === 0,
    anomalies,
    sent: sends.size,
    acknowledged: outcomes.filter((outcome) => outcome === "ok").length,
    failed: outcomes.filter((outcome) => outcome === "fail").length,
    unknown: outcomes.filter((outcome) => outcome === "info").length,
    read: new Set(polls.map((poll) => poll.value)).size,
  };
}

function* misplacedValues(partitions: ReadonlyMap<string, PartitionOrder>): Iterable<Anomaly> {
  for (const [partition, { valuesAt, offsetsOf }] of partitions) {
    for (const [offset, values] of valuesAt) {
      const evidence = `offset ${offset} holds ${[...values].join(" and ")}`;
      if (values.size > 1) yield { class: "inconsistent-offsets", partition, evidence };
    }
    for (const [value, offsets] of offsetsOf) {
      const evidence = `${value} is at the offsets ${offsets.join(" and ")}`;
      if (offsets.length > 1) yield { class: "duplicate", partition, evidence };
    }
  }
}

function* wrongReads(sends: ReadonlyMap<string, Send>, polls: readonly PollEvent[]): Iterable<Anomaly> {
  for (const { partition, process, value, offset, content } of polls) {
    const where = `${value}, which ${process} read at offset ${offset},`;
    const send = sends.get(value);
    if (send === undefined || send.partition !== partition) {
      yield { class: "unsent", partition, evidence: `${where} was never sent there` };
      continue;
    }
    if (send.outcome === "fail") yield { class: "failed-read", partition, evidence: `${where} was reported as failed` };
    if (send.content === content) continue;
    yield { class: "corrupt", partition, evidence: `${where} has other bytes than were sent` };
  }
}

function* unreadSends(
  sends: ReadonlyMap<string, Send>,
  polls: readonly PollEvent[],
  partitions: ReadonlyMap<string, PartitionOrder>,
): Iterable<Anomaly> {
  const read = new Set(polls.map((poll) => poll.value));
  const readUpTo = new Map<string, number>();
  for (const { partition, value } of polls) {
    const first = partitions.get(partition)?.offsetsOf.get(value)?.at(0) ?? -1;
    readUpTo.set(partition, Math.max(first, readUpTo.get(partition) ?? -1));
  }
  for (const { partition, value, outcome, offset } of sends.values()) {
    if (outcome !== "ok" || offset === undefined || read.has(value)) continue;
    const limit = readUpTo.get(partition) ?? -1;
    if (offset > limit) continue;
    const evidence = `${value}, acknowledged at offset ${offset}, was never read, but offset ${limit} was`;
    yield { class: "lost-write", partition, evidence };
  }
}

/** A record that a consumer saw once must not vanish either, whoever saw it and whatever its producer was told. */
function* missedByFinalReaders(
  sends: ReadonlyMap<string, Send>,
  polls: readonly PollEvent[],
  finalReaders: readonly string[],
): Iterable<Anomaly> {
  const expected = new Map<string, string>();
  for (const { value, partition, outcome } of sends.values()) if (outcome === "ok") expected.set(value, partition);
  for (const { value, partition } of polls) expected.set(value, partition);
  for (const reader of finalReaders) {
    const read = new Set(polls.filter((poll) => poll.process === reader).map((poll) => poll.value));
    for (const [value, partition] of expected) {
      if (!read.has(value)) yield { class: "unseen", partition, evidence: `${value} was not read by ${reader}` };
    }
  }
}

function* pollOrder(
  history: readonly HistoryEvent[],
  partitions: ReadonlyMap<string, PartitionOrder>,
): Iterable<Anomaly> {
  const cursors = new Map<string, Map<string, PollEvent>>();
  for (const event of history) {
    if (event.f === "assign") cursors.delete(event.process);
    if (event.f !== "poll") continue;
    const { process, partition, offset } = event;
    const cursor = cursors.get(process) ?? new Map<string, PollEvent>();
    cursors.set(process, cursor);
    const last = cursor.get(partition);
    cursor.set(partition, event);
    if (last === undefined) continue;
    const indexOf = partitions.get(partition)?.indexOf;
    const step = (indexOf?.get(offset) ?? 0) - (indexOf?.get(last.offset) ?? 0);
    const evidence = `${process} read offset ${offset} (${event.value}) next after ${last.offset} (${last.value})`;
    if (step < 1) yield { class: "nonmonotonic-poll", partition, evidence };
    if (step > 1) yield { class: "poll-skip", partition, evidence: `${evidence}, passing over ${step - 1}` };
  }
}

function* sendOrder(
  sends: ReadonlyMap<string, Send>,
  partitions: ReadonlyMap<string, PartitionOrder>,
): Iterable<Anomaly> {
  const newest = new Map<string, { readonly value: string; readonly offset: number }>();
  for (const { process, partition, value } of sends.values()) {
    const offset = partitions.get(partition)?.offsetsOf.get(value)?.at(0);
    if (offset === undefined) continue;
    const key = JSON.stringify([process, partition]);
    const earlier = newest.get(key);
    if (earlier === undefined || earlier.offset < offset) newest.set(key, { value, offset });
    else {
      const evidence = `${process} sent ${earlier.value}, at ${earlier.offset}, before ${value}, at ${offset}`;
      yield { class: "nonmonotonic-send", partition, evidence };
    }
  }
}
