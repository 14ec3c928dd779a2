import type { AnomalyClass } from "./anomaly.ts";

/** How a run was configured, or how the records that an anomaly is about were sent and read. */
export interface Settings {
  /** Producers number their batches, so that a retry is stored once and in its place. */
  readonly idempotence: boolean;
  /** `leader` is acks=1. */
  readonly acks: "all" | "leader";
  readonly consumers: "assign" | "subscribe";
  readonly isolation: "read_committed" | "read_uncommitted";
  readonly transactions: boolean;
  /** The evidence is in the order in which the records of several transactions lie. */
  readonly interleaving: boolean;
}

type Rule = (settings: Settings) => boolean;

const never: Rule = () => false;
const withoutIdempotence: Rule = ({ idempotence }) => !idempotence;
/** A leader that acknowledges alone may die alone. */
const ofOneLeader: Rule = ({ acks }) => acks === "leader";
/** A group moves partitions between its consumers, and each goes back to what was last committed. */
const inGroups: Rule = ({ consumers }) => consumers === "subscribe";
const ofOpenTransactions: Rule = ({ isolation, transactions }) => transactions && isolation === "read_uncommitted";
/** Kafka isolates the reads of transactions, not their writes: these lie in the log as they arrive. */
const ofWriteOrder: Rule = ({ interleaving }) => interleaving;

/** When an anomaly is no more than what Kafka promises. */
const allowed: Record<AnomalyClass, Rule> = {
  unsent: never,
  corrupt: never,
  "failed-read": ofOpenTransactions,
  "precommitted-read": ofOpenTransactions,
  "inconsistent-offsets": never,
  duplicate: withoutIdempotence,
  "lost-write": ofOneLeader,
  unseen: ofOneLeader,
  // Whoever may skip records may skip a part of a transaction.
  torn: (settings) => ofOpenTransactions(settings) || inGroups(settings),
  "int-poll-skip": never,
  "int-nonmonotonic-poll": never,
  "poll-skip": inGroups,
  "nonmonotonic-poll": inGroups,
  "int-send-skip": () => true,
  "int-nonmonotonic-send": withoutIdempotence,
  "nonmonotonic-send": withoutIdempotence,
  G0: ofWriteOrder,
  "G0-process": ofWriteOrder,
  "G0-realtime": ofWriteOrder,
  G1c: ofWriteOrder,
  "G1c-process": ofWriteOrder,
  "G1c-realtime": ofWriteOrder,
  // Only what is consumed and committed in one transaction is promised to be consumed once.
  "consume-counts": ({ transactions }) => !transactions,
  "realtime-lag": never,
};

export function isAllowed(anomaly: AnomalyClass, settings: Settings): boolean {
  return allowed[anomaly](settings);
}
