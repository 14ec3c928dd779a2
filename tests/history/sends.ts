import type { HistoryEvent, SendEvent } from "./history.ts";

/** One send attempt: its invocation and what became of it. */
export interface Send {
  readonly process: string;
  readonly partition: string;
  readonly value: string;
  readonly content: string | undefined;
  outcome: "ok" | "fail" | "info";
  completed: boolean;
  offset: number | undefined;
}

/** Every send by its value, in the order of invocation. */
export function collectSends(history: readonly HistoryEvent[]): Map<string, Send> {
  const sends = new Map<string, Send>();
  for (const event of history) {
    if (event.f !== "send") continue;
    if (event.type === "invoke") invoke(sends, event);
    else complete(sends, event, event.type);
  }
  return sends;
}

function invoke(sends: Map<string, Send>, event: SendEvent): void {
  const { process, partition, value, content } = event;
  if (sends.has(value)) throw new Error(`the value ${value} is sent twice: values must be unique`);
  sends.set(value, { process, partition, value, content, outcome: "info", completed: false, offset: undefined });
}

function complete(sends: Map<string, Send>, event: SendEvent, outcome: Send["outcome"]): void {
  const send = sends.get(event.value);
  if (send === undefined || send.partition !== event.partition || send.process !== event.process) {
    throw new Error(`the value ${event.value} completes in ${event.partition} without having been sent there`);
  }
  if (send.completed) throw new Error(`the value ${event.value} completes twice`);
  send.completed = true;
  send.outcome = outcome;
  send.offset = outcome === "ok" ? event.offset : undefined;
}
