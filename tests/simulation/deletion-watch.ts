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
  /** Of the state in which somebody was told. */
  readonly partitionEpoch: number;
}

/**
 * Deleted records stay deleted: whoever leads after somebody was told so has deleted them too, whether it was in sync
 * then or came to be since.
 *
 * No deletion waits for the ELR. A copy that was in it then, and has been in sync with nobody since, may be elected for
 * what it holds, and brings back what it did not hear was deleted. From then on its log is the truth: others copy what it
 * has, and may lead with that. So the deletion is undone, and binds nobody any more.
 */
export class DeletionWatch implements RequestWatch {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  /** By key of the partition. */
  readonly #deletions = new Map<string, Deletion[]>();
  /** How far somebody has asked to delete, done or not. */
  readonly #asked = new Map<string, number>();

  constructor(context: OracleContext, controller: ControllerWatch) {
    this.#context = context;
    this.#controller = controller;
  }

  /** Whether somebody has asked that the partition start there, or further on. */
  wasAsked(key: string, logStartOffset: number): boolean {
    return logStartOffset <= (this.#asked.get(key) ?? 0);
  }

  asked(tab: SimulatedTab, frame: Uint8Array) {
    if (frame[0] !== 0 || frame[1] !== deleteRecords.key) return undefined;
    const header = decodeRequestHeader(frame);
    const starts = new Map<string, number>();
    for (const { name, partitions } of decodeRequest(deleteRecords, header).topics) {
      const topicId = tab.core?.image.topicNamed(name)?.topicId;
      for (const { partitionIndex, offset } of partitions) {
        const key = `${topicId}/${partitionIndex}`;
        const log = tab.core?.replica(key)?.log;
        const before = offset < 0 ? (log?.highWatermark ?? 0) : offset;
        this.#asked.set(key, Math.max(before, this.#asked.get(key) ?? 0));
        starts.set(key, log?.logStartOffset ?? 0);
      }
    }
    return (answer: Uint8Array) => this.#answered(tab, header.apiVersion, starts, answer);
  }

  beginsToLead({ name, core }: SimulatedTab, { key, log }: Replica): void {
    const known = this.#deletions.get(key) ?? [];
    const undone = known.filter(({ offset }) => offset > log.logStartOffset);
    if (undone.length === 0) return;
    const demanded = undone.find((deletion) => !this.#wasAway(core!.nodeId, key, deletion));
    if (demanded !== undefined) {
      const { offset } = demanded;
      fail("deleted-stays-deleted", `${name} leads ${key} from ${log.logStartOffset} on, ${offset} was the start`);
    }
    this.#context.mark("deletion undone by ELR election");
    this.#deletions.set(key, known.filter((deletion) => !undone.includes(deletion)));
  }

  /** Whether the node was in the ELR until it was elected from there, and in sync with nobody. */
  #wasAway(nodeId: number, key: string, { partitionEpoch }: Deletion): boolean {
    const states = this.#controller.statesSince(key, partitionEpoch);
    if (states[0]?.eligibleLeaderReplicas.includes(nodeId) !== true) return false;
    const isAlone = (isr: readonly number[]) => isr.length === 1 && isr[0] === nodeId;
    return states.every(({ isr, eligibleLeaderReplicas }) => eligibleLeaderReplicas.includes(nodeId) || isAlone(isr));
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
    this.#deletions.set(key, [...known, { offset, partitionEpoch: decided.partitionEpoch }]);
  }
}
