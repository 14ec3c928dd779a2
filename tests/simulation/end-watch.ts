import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { LATEST_TIMESTAMP, listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";
import type { RequestWatch } from "./open-requests.ts";

/**
 * R14: nobody is told an end of the log that is lower than what somebody may have read by then. Of a leader that was
 * replaced, and has not heard of it, nothing is asked: its epoch tells who is told that it is behind.
 */
export class EndWatch implements RequestWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  asked(tab: SimulatedTab, frame: Uint8Array) {
    if (frame[0] !== 0 || frame[1] !== listOffsets.key) return undefined;
    const header = decodeRequestHeader(frame);
    // By topic and partition.
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
    if (committed.size === 0) return undefined;
    return (answer: Uint8Array) => this.#answered(tab, header.apiVersion, committed, answer);
  }

  #answered(tab: SimulatedTab, version: number, committed: ReadonlyMap<string, number>, answer: Uint8Array): void {
    for (const { name, partitions } of decodeResponse(listOffsets, version, answer).body.topics) {
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
