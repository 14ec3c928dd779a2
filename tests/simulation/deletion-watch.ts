import type { Replica } from "../../src/broker/replica.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { deleteRecords } from "../../src/protocol/apis/21-delete-records.ts";
import { decodeRequest, decodeRequestHeader, decodeResponse } from "../../src/protocol/envelope.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import type { RequestWatch } from "./open-requests.ts";
import { fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";

interface Deletion {
  /** No log starts lower. */
  readonly offset: number;
  /** Who was away, and is still to hear of it (R10). */
  readonly away: readonly number[];
}

/**
 * Deleted records stay deleted: whoever leads after somebody was told so has deleted them too, unless it was away all the
 * while and can yet be elected for what it holds.
 */
export class DeletionWatch implements RequestWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  /** By key of the partition. */
  readonly #deletions = new Map<string, Deletion[]>();

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  asked(tab: SimulatedTab, frame: Uint8Array) {
    if (frame[0] !== 0 || frame[1] !== deleteRecords.key) return undefined;
    const header = decodeRequestHeader(frame);
    const starts = new Map<string, number>();
    for (const { name, partitions } of decodeRequest(deleteRecords, header).topics) {
      const topicId = tab.core?.image.topicNamed(name)?.topicId;
      for (const { partitionIndex } of partitions) {
        const key = `${topicId}/${partitionIndex}`;
        starts.set(key, tab.core?.replica(key)?.log.logStartOffset ?? 0);
      }
    }
    return (answer: Uint8Array) => this.#answered(tab, header.apiVersion, starts, answer);
  }

  beginsToLead({ name, core }: SimulatedTab, { key, log }: Replica): void {
    for (const { offset, away } of this.#deletions.get(key) ?? []) {
      if (away.includes(core!.nodeId) || log.logStartOffset >= offset) continue;
      fail("deleted-stays-deleted", `${name} leads ${key} from ${log.logStartOffset} on, ${offset} was the start`);
    }
  }

  #answered(tab: SimulatedTab, version: number, starts: ReadonlyMap<string, number>, answer: Uint8Array): void {
    for (const { name, partitions } of decodeResponse(deleteRecords, version, answer).body.topics) {
      const topicId = tab.core?.image.topicNamed(name)?.topicId;
      for (const { partitionIndex, errorCode } of partitions) {
        const key = `${topicId}/${partitionIndex}`;
        const error = errorName(errorCode);
        if (error !== "NONE") this.#context.mark(`DeleteRecords refused: ${error}`);
        else this.#deleted(tab, key, starts.get(key) ?? 0);
      }
    }
  }

  #deleted(tab: SimulatedTab, key: string, offset: number): void {
    const role = tab.core?.replica(key)?.role;
    const decided = this.#controller.partition(key);
    // Whoever was replaced does not know by now who is in sync.
    if (role?.kind !== "leader" || role.state.leaderEpoch !== decided?.leaderEpoch) return;
    this.#context.mark("records deleted");
    const known = this.#deletions.get(key) ?? [];
    this.#deletions.set(key, [...known, { offset, away: decided.eligibleLeaderReplicas }]);
  }
}
