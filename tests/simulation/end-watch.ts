import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { LATEST_TIMESTAMP, listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { decodeCorrelationId, decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";

interface Asked {
  readonly version: number;
  /** By topic and partition, how far it was committed when the request came. */
  readonly committed: ReadonlyMap<string, number>;
}

/**
 * R14: nobody is told an end of the log that is lower than what somebody may have read by then. Of a leader that was
 * replaced, and has not heard of it, nothing is asked: its epoch tells who is told that it is behind.
 */
export class EndWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  readonly #asked = new Map<string, Asked>();

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  look(tab: SimulatedTab, event: BrokerEvent, effects: readonly BrokerEffect[]): void {
    if (event.type === "connection-frame") this.#ask(tab, event.connectionId, event.frame);
    if (this.#asked.size === 0) return;
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      const name = nameOf(tab, effect.connectionId, decodeCorrelationId(effect.frame));
      const asked = this.#asked.get(name);
      if (asked === undefined) continue;
      this.#asked.delete(name);
      this.#answered(tab, asked, effect.frame);
    }
  }

  #ask(tab: SimulatedTab, connectionId: number, frame: Uint8Array): void {
    if (frame[0] !== 0 || frame[1] !== listOffsets.key) return;
    const header = decodeRequestHeader(frame);
    const committed = new Map<string, number>();
    for (const { name, partitions } of decodeRequest(listOffsets, header).topics) {
      const topicId = tab.core?.image.topicNamed(name)?.topicId ?? "";
      for (const { partitionIndex, timestamp } of partitions) {
        const key = `${topicId}/${partitionIndex}`;
        const role = tab.core?.replica(key)?.role;
        if (timestamp !== LATEST_TIMESTAMP || role?.kind !== "leader") continue;
        if (role.state.leaderEpoch !== this.#controller.partition(key)?.leaderEpoch) continue;
        const label = this.#context.names.labelOf(topicId, partitionIndex)!;
        committed.set(`${name}-${partitionIndex}`, this.#context.truth.endOffset(label));
      }
    }
    const name = nameOf(tab, connectionId, header.correlationId);
    if (committed.size > 0) this.#asked.set(name, { version: header.apiVersion, committed });
  }

  #answered(tab: SimulatedTab, { version, committed }: Asked, frame: Uint8Array): void {
    for (const { name, partitions } of decodeResponse(listOffsets, version, frame).body.topics) {
      for (const { partitionIndex, errorCode, offset } of partitions) {
        const due = committed.get(`${name}-${partitionIndex}`);
        if (due === undefined) continue;
        if (errorCode !== 0) this.#context.mark(`end not told: ${errorName(errorCode)}`);
        else if (offset < due) {
          fail("end-is-not-early", `${tab.name} tells ${offset} as the end of ${name}-${partitionIndex}, not ${due}`);
        }
      }
    }
  }
}

function nameOf(tab: SimulatedTab, connectionId: number, correlationId: number): string {
  return `${tab.name}#${tab.starts}/${connectionId}/${correlationId}`;
}
