/**
 * What the clients of a test did and saw, one flat event after the other, in the order the test observed it.
 * The idea and the vocabulary are Jepsen's "kafka" workload: every value is sent at most once in a whole history, so a
 * value names one send attempt and the order of a partition can be rebuilt from what was acknowledged and read.
 */
export type HistoryEvent = SendEvent | PollEvent | AssignEvent;

export interface SendEvent {
  readonly f: "send";
  /**
   * `ok`: acknowledged. `fail`: certainly not in the log, now or later. `info`: unknown, for example timed out; a send
   * without any completion counts as this.
   */
  readonly type: "invoke" | "ok" | "fail" | "info";
  /** One producer: what it sends to one partition must land in the order of its invocations. */
  readonly process: string;
  /** Topic and partition, such as `orders-0`. */
  readonly partition: string;
  readonly value: string;
  /** Of an invocation: `leader` for acks=1, whose acknowledged records a change of leader may lose. `all` if absent. */
  readonly acks?: "all" | "leader";
  /** Of an invocation: every byte of the record, or a digest of them, in any form that compares with `===`. */
  readonly content?: string;
  /** Of an `ok`: where the record was stored, undefined when the acknowledgement does not say. */
  readonly offset?: number;
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
}

/** The consumer was told where to read: its next record of any partition may be anywhere. */
export interface AssignEvent {
  readonly f: "assign";
  readonly type: "ok";
  readonly process: string;
}
