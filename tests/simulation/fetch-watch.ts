import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { decodeCorrelationId, decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";

/** What followers fetch with. */
const FOLLOWER_VERSION = 17;
/** Requests of an earlier epoch may still be on their way for so long after an election. */
const LATE_US = 1_000_000;

/**
 * R2: a leader refuses every fetch of a follower that names another epoch than its own, and does not learn from it.
 * Frames are read only around elections, when such fetches can be.
 */
export class FetchWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  readonly #expected = new Map<string, ReadonlyMap<string, ErrorName>>();

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  look(tab: SimulatedTab, event: BrokerEvent, effects: readonly BrokerEffect[]): void {
    if (event.type === "connection-frame") this.#asked(tab, event.connectionId, event.frame);
    if (this.#expected.size > 0) this.#answered(tab, effects);
  }

  #asked(tab: SimulatedTab, connectionId: number, frame: Uint8Array): void {
    if (frame[1] !== fetch.key || frame[0] !== 0 || frame[3] !== FOLLOWER_VERSION || !this.#isNearElection()) return;
    const header = decodeRequestHeader(frame);
    const { topics } = decodeRequest(fetch, header);
    const errors = new Map<string, ErrorName>();
    for (const { topicId, partitions } of topics) {
      for (const { partition, currentLeaderEpoch } of partitions) {
        const key = `${topicId}/${partition}`;
        const role = tab.core?.replica(key)?.role;
        if (role?.kind !== "leader" || role.state.leaderEpoch === currentLeaderEpoch) continue;
        const isOlder = currentLeaderEpoch < role.state.leaderEpoch;
        errors.set(key, isOlder ? "FENCED_LEADER_EPOCH" : "UNKNOWN_LEADER_EPOCH");
      }
    }
    if (errors.size > 0) this.#expected.set(nameOf(tab, connectionId, header.correlationId), errors);
  }

  #answered(tab: SimulatedTab, effects: readonly BrokerEffect[]): void {
    for (const effect of effects) {
      if (effect.type !== "send") continue;
      const name = nameOf(tab, effect.connectionId, decodeCorrelationId(effect.frame));
      const errors = this.#expected.get(name);
      if (errors === undefined) continue;
      this.#expected.delete(name);
      for (const { topicId, partitions } of decodeResponse(fetch, FOLLOWER_VERSION, effect.frame).body.responses) {
        for (const { partitionIndex, errorCode } of partitions) {
          const due = errors.get(`${topicId}/${partitionIndex}`);
          if (due === undefined) continue;
          if (errorCode === 0) {
            const label = this.#context.names.labelOf(topicId, partitionIndex);
            fail("epochs-are-fenced", `${tab.name} serves a follower of ${label} where ${due} is due`);
          }
          this.#context.mark(`follower refused: ${errorName(errorCode)}`);
        }
      }
    }
  }

  #isNearElection(): boolean {
    const { lastElectionUs, lastElectionEnd } = this.#controller;
    if (this.#context.nowUs() < lastElectionUs + LATE_US) return true;
    return this.#context.tabs.some(({ core }) => core !== undefined && core.image.endOffset < lastElectionEnd);
  }
}

function nameOf(tab: SimulatedTab, connectionId: number, correlationId: number): string {
  return `${tab.name}#${tab.starts}/${connectionId}/${correlationId}`;
}
