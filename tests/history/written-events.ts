import type { AnomalyClass } from "./anomaly.ts";
import type { CheckOptions } from "./check-history.ts";
import type { HistoryEvent, PollEvent, SendEvent, TransactionEvent } from "./history.ts";

/** A history written by hand, and what the checker has to say about it. */
export interface WrittenHistory {
  readonly history: readonly HistoryEvent[];
  /** The classes of what must not be; none for a legal history. */
  readonly denied: readonly AnomalyClass[];
  /** The classes of what the settings allow. */
  readonly allowed?: readonly AnomalyClass[];
  /** Of a legal history: the classes that it comes close to. */
  readonly near?: readonly AnomalyClass[];
  readonly options?: Partial<CheckOptions>;
}

type More<Event> = Partial<Omit<Event, "f" | "type">>;

/** A value names its producer by its first letter, and goes to `t-0` unless told otherwise. */
function send(value: string, type: SendEvent["type"], more: More<SendEvent> = {}): SendEvent {
  return { f: "send", type, process: value.slice(0, 1), partition: "t-0", value, ...more };
}

export function invoke(value: string, more: More<SendEvent> = {}): SendEvent {
  return send(value, "invoke", { content: `bytes of ${value}`, ...more });
}

export function ok(value: string, offset?: number, more: More<SendEvent> = {}): SendEvent {
  return send(value, "ok", offset === undefined ? more : { ...more, offset });
}

export function fail(value: string): SendEvent {
  return send(value, "fail");
}

export function info(value: string): SendEvent {
  return send(value, "info");
}

/** A send that was acknowledged at `offset`. */
export function acked(value: string, offset?: number, more: More<SendEvent> = {}): HistoryEvent[] {
  const { acks: _, operation: __, ...rest } = more;
  return [invoke(value, more), ok(value, offset, rest)];
}

export function poll(process: string, offset: number, value: string, more: More<PollEvent> = {}): PollEvent {
  const content = `bytes of ${value}`;
  return { f: "poll", type: "ok", process, partition: "t-0", offset, value, content, ...more };
}

/** What the final reader reads of `t-0`, from offset 0 on. */
export function finalRead(...values: string[]): HistoryEvent[] {
  return values.map((value, offset) => poll("final", offset, value));
}

export function assign(process: string, kept: readonly string[] = []): HistoryEvent {
  return { f: "assign", type: "ok", process, kept };
}

export function subscribe(process: string): HistoryEvent {
  return { f: "subscribe", type: "ok", process };
}

export function rebalance(process: string, ...partitions: string[]): HistoryEvent {
  return { f: "rebalance", type: "ok", process, partitions };
}

export function trim(offset: number, partition = "t-0"): HistoryEvent {
  return { f: "trim", type: "ok", partition, offset };
}

/** An event of the transaction `operation`, whose process is named by its first letter. */
export function transaction(operation: string, type: TransactionEvent["type"], timeMs?: number): HistoryEvent {
  const event = { f: "transaction", type, process: operation.slice(0, 1), operation } as const;
  return timeMs === undefined ? event : { ...event, timeMs };
}
