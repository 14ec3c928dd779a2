/** What can be wrong with a history: the classes of Jepsen's "kafka" workload, and a few of ours. */
export const ANOMALY_CLASSES = [
  /** A value was read that nobody sent to that partition (ours). */
  "unsent",
  /** A record came back with other bytes (ours). */
  "corrupt",
  /** A record was read whose send, or whose transaction, had certainly failed: Jepsen's G1a, the aborted read. */
  "failed-read",
  /** A transaction read what itself had sent. */
  "precommitted-read",
  /** One offset holds two values. */
  "inconsistent-offsets",
  /** One value sits at two offsets. */
  "duplicate",
  /** Acknowledged and never read, although something at or behind its place was. */
  "lost-write",
  /** Acknowledged, or read by anybody, but missing from a final reader's records. */
  "unseen",
  /** A consumer read a part of a transaction and passed over another: G1b, the intermediate read (ours). */
  "torn",
  /** Within one operation, a consumer passed over a record. */
  "int-poll-skip",
  /** Within one operation, a consumer went back, or got a record twice. */
  "int-nonmonotonic-poll",
  /** A consumer passed over a record. */
  "poll-skip",
  /** A consumer went back, or got a record twice. */
  "nonmonotonic-poll",
  /** Another's record lies between two records of one operation. */
  "int-send-skip",
  /** Within one operation, a later record lies before an earlier one. */
  "int-nonmonotonic-send",
  /** A producer's later record lies before its earlier one. */
  "nonmonotonic-send",
  /** Transactions wrote in a circle: each wrote somewhere before the next. */
  "G0",
  "G0-process",
  "G0-realtime",
  /** Each wrote before the next, or was read by it, in a circle; the variants also count a process's order, or time. */
  "G1c",
  "G1c-process",
  "G1c-realtime",
  /** A consumer in a group got a value more than once. */
  "consume-counts",
  /** A consumer had not been handed, for too long, what was known to exist (ours: Jepsen has it as a metric). */
  "realtime-lag",
] as const;

export type AnomalyClass = (typeof ANOMALY_CLASSES)[number];

export interface Anomaly {
  readonly class: AnomalyClass;
  readonly partition: string;
  /** For people: which values, offsets and processes. */
  readonly evidence: string;
}
