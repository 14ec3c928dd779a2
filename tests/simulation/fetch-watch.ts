import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";
import type { RequestWatch } from "./open-requests.ts";

/** What followers fetch with. */
const FOLLOWER_VERSION = 17;
/** Requests of an earlier epoch may still be on their way for so long after an election. */
const LATE_US = 1_000_000;

/**
 * R2: a leader refuses every fetch of a follower that names another epoch than its own, and does not learn from it.
 * Frames are read only around elections, when such fetches can be.
 */
export class FetchWatch implements RequestWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  asked(tab: SimulatedTab, frame: Uint8Array) {
    const isFollowers = frame[1] === fetch.key && frame[0] === 0 && frame[3] === FOLLOWER_VERSION;
    if (!isFollowers || !this.#isNearElection()) return undefined;
    const { topics } = decodeRequest(fetch, decodeRequestHeader(frame));
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
    return errors.size === 0 ? undefined : (answer: Uint8Array) => this.#answered(tab, errors, answer);
  }

  #answered(tab: SimulatedTab, errors: ReadonlyMap<string, ErrorName>, answer: Uint8Array): void {
    for (const { topicId, partitions } of decodeResponse(fetch, FOLLOWER_VERSION, answer).body.responses) {
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

  #isNearElection(): boolean {
    const { lastElectionUs, lastElectionEnd } = this.#controller;
    if (this.#context.nowUs() < lastElectionUs + LATE_US) return true;
    return this.#context.tabs.some(({ core }) => core !== undefined && core.image.endOffset < lastElectionEnd);
  }
}
