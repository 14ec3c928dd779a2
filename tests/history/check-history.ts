import type { Anomaly, AnomalyClass } from "./anomaly.ts";
import { checkConsumeCounts } from "./consume-counts.ts";
import { checkCycles } from "./cycles.ts";
import { Findings } from "./findings.ts";
import type { ClassCount } from "./findings.ts";
import type { HistoryEvent } from "./history.ts";
import { InternedHistory } from "./interned-history.ts";
import { checkLost, checkUnseen } from "./lost-records.ts";
import { checkPlaces } from "./misplaced-records.ts";
import { countOutcomes } from "./outcome-counts.ts";
import { PartitionOrder } from "./partition-order.ts";
import type { Settings } from "./permissions.ts";
import { checkPollOrder } from "./poll-order.ts";
import { ReadingOrder } from "./reading-order.ts";
import { measureLag } from "./realtime-lag.ts";
import { checkSendOrder } from "./send-order.ts";
import { checkTorn } from "./torn-transactions.ts";
import { checkReads } from "./wrong-reads.ts";

export interface Verdict {
  readonly valid: boolean;
  /** What must not be, at most 32 of each class. */
  readonly anomalies: readonly Anomaly[];
  /** What the settings allow, at most 32 of each class. */
  readonly allowed: readonly Anomaly[];
  readonly classes: Readonly<Record<AnomalyClass, ClassCount>>;
  readonly sent: number;
  readonly acknowledged: number;
  readonly failed: number;
  /** Sends whose outcome nobody knows. */
  readonly unknown: number;
  /** Distinct records read. */
  readonly read: number;
  /** A lower bound of how far a consumer was behind at worst; undefined if the history does not tell. */
  readonly lagMs: number | undefined;
}

export interface CheckOptions {
  /** The consumers that read every partition from its beginning to its end after the last send had completed. */
  readonly finalReaders: readonly string[];
  /** False for producers that do not number their batches: a retry may then duplicate or reorder records. */
  readonly idempotence?: boolean;
  /** From where on a lag is an anomaly, in milliseconds; none is if absent. */
  readonly maxLagMs?: number;
}

/**
 * Judges a history, whoever recorded it. What the settings of a run allow is told apart, by record where they differ: a
 * record sent with acks=1 may be lost, and a consumer in a group may go back.
 *
 * Throws when the history itself is malformed: a value sent twice, or a completion without its invocation.
 */
export function checkHistory(events: readonly HistoryEvent[], options: CheckOptions): Verdict {
  const history = new InternedHistory(events);
  const order = new PartitionOrder(history);
  const reading = new ReadingOrder(history);
  const findings = new Findings(settingsOf(history, options));
  checkPlaces(history, order, findings);
  checkReads(history, findings);
  checkLost(history, order, findings);
  checkUnseen(history, order, options.finalReaders, findings);
  checkTorn(history, order, reading, findings);
  checkPollOrder(history, order, reading, findings);
  checkSendOrder(history, order, findings);
  checkConsumeCounts(history, findings);
  checkCycles(history, order, findings);
  const lagMs = measureLag(history, order, reading, options.maxLagMs ?? Infinity, findings);
  return {
    valid: findings.denied.length === 0,
    anomalies: findings.denied,
    allowed: findings.allowed,
    classes: findings.counts(),
    ...countOutcomes(history),
    lagMs,
  };
}

/** What holds for the run as a whole: what is legal for all its records or none. */
function settingsOf({ sends, polls, transactions }: InternedHistory, { idempotence }: CheckOptions): Settings {
  const hasTransactions = transactions.count > 0;
  return {
    idempotence: idempotence ?? true,
    acks: isAll(sends.isOfLeader, sends.count) ? "leader" : "all",
    consumers: isAll(polls.isSubscribed, polls.count) ? "subscribe" : "assign",
    isolation: isAll(polls.isUncommitted, polls.count) ? "read_uncommitted" : "read_committed",
    transactions: hasTransactions,
    interleaving: hasTransactions,
  };
}

function isAll(column: Uint8Array, count: number): boolean {
  return count > 0 && !column.subarray(0, count).includes(0);
}
