/**
 * What the clients of a test did and saw, one flat event after the other. The events of one process are in the order in
 * which they happened; those of different processes may be in any, unless they carry times. The idea and the vocabulary
 * are Jepsen's "kafka" workload: every value is sent at most once in a whole history, so a value names one send attempt
 * and the order of a partition can be rebuilt from what was acknowledged and read.
 *
 * A partition is named by topic and index, such as `orders-0`. Where a topic is deleted and made again, the topic's id
 * goes behind it, `orders-0@<topicId>`, and partitions with different ids are different ones.
 */
export type HistoryEvent =
  | SendEvent
  | PollEvent
  | IdleEvent
  | AssignEvent
  | RebalanceEvent
  | TransactionEvent
  | TrimEvent;

export interface SendEvent {
  readonly f: "send";
  /**
   * `ok`: acknowledged. `fail`: certainly not in the log, now or later. `info`: unknown, for example timed out; a send
   * without any completion counts as this.
   */
  readonly type: "invoke" | "ok" | "fail" | "info";
  /** One producer: what it sends to one partition must land in the order of its invocations. */
  readonly process: string;
  /** A completion may name another topic id than the invocation, if the topic was made again in between. */
  readonly partition: string;
  readonly value: string;
  /** Of an invocation: `leader` for acks=1, whose acknowledged records a change of leader may lose. `all` if absent. */
  readonly acks?: "all" | "leader";
  /** Of an invocation: every byte of the record, or a digest of them, in any form that compares with `===`. */
  readonly content?: string;
  /** Of an `ok`: where the record was stored, undefined when the acknowledgement does not say. */
  readonly offset?: number;
  /** Of an invocation: the operation that it is a part of. */
  readonly operation?: string;
  readonly timeMs?: number;
}

/** One record, handed over by a consumer. */
export interface PollEvent {
  readonly f: "poll";
  readonly type: "ok";
  /** One consumer: between two assignments it reads each partition without a gap or a step back. */
  readonly process: string;
  readonly partition: string;
  readonly value: string;
  readonly content: string;
  readonly offset: number;
  /** The operation that it is a part of. */
  readonly operation?: string;
  /** When the record was handed over. */
  readonly timeMs?: number;
  /** When the consumer asked for it; the records of one answer share it. */
  readonly invokedAtMs?: number;
}

/** The consumer asked for these partitions and was handed nothing; this tells a slow consumer from a stuck one. */
export interface IdleEvent {
  readonly f: "idle";
  readonly type: "ok";
  readonly process: string;
  readonly partitions: readonly string[];
  readonly invokedAtMs: number;
}

/** What the consumer reads was chosen by the test (`assign`), or is from here on chosen by its group (`subscribe`). */
export interface AssignEvent {
  readonly f: "assign" | "subscribe";
  readonly type: "ok";
  readonly process: string;
  /** Partitions that it goes on reading from where it was. In any other its next record may be anywhere. */
  readonly kept?: readonly string[];
  /** A consumer that did not say reads committed records only. */
  readonly isolation?: "read_committed" | "read_uncommitted";
}

/** The group gave these partitions to the consumer or took them away: its next record of them may be anywhere. */
export interface RebalanceEvent {
  readonly f: "rebalance";
  readonly type: "ok";
  readonly process: string;
  readonly partitions: readonly string[];
}

/**
 * Begins or ends an operation that is a transaction. Other operations, such as one call of a client that sends or polls
 * several records, need no event of their own. A transaction without a completion has an unknown outcome.
 */
export interface TransactionEvent {
  readonly f: "transaction";
  /** `ok`: committed. `fail`: certainly aborted. `info`: unknown. */
  readonly type: "invoke" | "ok" | "fail" | "info";
  readonly process: string;
  readonly operation: string;
  readonly timeMs?: number;
}

/**
 * Records of the partition below `offset` were removed on purpose: by retention, by a deletion of records, or, with
 * `offset: Infinity`, by the deletion of the topic. Consumers may skip them from this event on.
 */
export interface TrimEvent {
  readonly f: "trim";
  readonly type: "ok";
  readonly partition: string;
  readonly offset: number;
}
