import type { FetchResponse } from "../protocol/apis/01-fetch.ts";
import { errorName } from "../protocol/error-codes.ts";
import { onFetchResponse } from "../replication/follower.ts";
import type { FollowerAppend } from "../replication/follower.ts";
import type { Broker } from "./broker.ts";
import { ReplicaFetcher } from "./replica-fetcher.ts";
import type { FetcherContext } from "./replica-fetcher.ts";
import type { Replica } from "./replica.ts";

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

/** The partitions that this broker copies from others, one fetcher per leader. */
export class FollowedPartitions {
  readonly #broker: Broker;
  readonly #context: FetcherContext;
  readonly #fetchers = new Map<number, ReplicaFetcher>();
  /** Bytes of records copied from leaders since the start. */
  replicatedBytes = 0;

  constructor(context: Omit<FetcherContext, "fetched">, broker: Broker) {
    this.#broker = broker;
    this.#context = { ...context, fetched: (...answer) => this.#fetched(...answer) };
  }

  get wakeAtMs(): number {
    let wakeAtMs = Number.POSITIVE_INFINITY;
    for (const fetcher of this.#fetchers.values()) wakeAtMs = Math.min(wakeAtMs, fetcher.wakeAtMs);
    return wakeAtMs;
  }

  add(replica: Replica, leaderId: number): void {
    const fetcher = this.#fetchers.get(leaderId) ?? new ReplicaFetcher(leaderId, this.#context);
    this.#fetchers.set(leaderId, fetcher);
    fetcher.add(replica);
  }

  remove(replica: Replica, leaderId: number): void {
    this.#fetchers.get(leaderId)?.remove(replica);
  }

  pump(nowMs: number): void {
    for (const fetcher of this.#fetchers.values()) {
      fetcher.pump(nowMs);
      if (fetcher.replicas.size === 0) this.#fetchers.delete(fetcher.leaderId);
    }
  }

  opened(linkId: number, nowMs: number): void {
    this.#byLink(linkId)?.opened(nowMs);
  }

  closed(linkId: number, reason: string, nowMs: number): void {
    this.#byLink(linkId)?.closed(reason, nowMs);
  }

  received(linkId: number, frame: Uint8Array, nowMs: number): void {
    this.#byLink(linkId)?.received(frame, nowMs);
  }

  closeAll(reason: string): void {
    for (const fetcher of this.#fetchers.values()) fetcher.close(reason);
    this.#fetchers.clear();
  }

  #byLink(linkId: number): ReplicaFetcher | undefined {
    for (const fetcher of this.#fetchers.values()) if (fetcher.linkId === linkId) return fetcher;
    return undefined;
  }

  #fetched(replica: Replica, leaderEpoch: number, fetchOffset: number, answer: FetchedPartition): boolean {
    const { log, role } = replica;
    // The answer to an older question: of another epoch, or from before the log moved on.
    if (role.kind !== "follower" || role.leaderEpoch !== leaderEpoch) return true;
    if (log.nextOffset !== fetchOffset || replica.writesInFlight > 0) return true;
    const { errorCode, divergingEpoch, highWatermark, logStartOffset, records } = answer;
    const fetched = { error: errorName(errorCode), divergingEpoch, highWatermark, logStartOffset, records };
    const decision = onFetchResponse(fetched, log);
    switch (decision.kind) {
      case "append":
        this.#append(replica, decision, answer.logStartOffset);
        return true;
      case "truncate":
        this.#broker.log("info", `truncating ${replica.topicName}-${log.partitionIndex} to offset ${decision.offset}`);
        this.#broker.write(replica, log.truncateTo(decision.offset), () => {});
        return true;
      case "reset": {
        const { offset } = decision;
        this.#broker.log("info", `${replica.topicName}-${log.partitionIndex} starts anew at offset ${offset}`);
        this.#broker.write(replica, log.truncateFullyAndStartAt(offset, answer.earlierProducers), () => {});
        return true;
      }
      default:
        // Fenced, unknown or not the leader: the metadata that is under way will say what holds.
        return false;
    }
  }

  #append(replica: Replica, { records, highWatermark }: FollowerAppend, leaderLogStart: number): void {
    const { log } = replica;
    replica.leaderHighWatermark = highWatermark;
    log.setHighWatermark(highWatermark);
    // Where the storage is full, records fit only once others are gone: those of this answer come again.
    const drops = log.deleteRecordsBefore(leaderLogStart);
    if (drops.length > 0) return this.#broker.write(replica, drops, () => {});
    if (records.length === 0) return;
    const { operations } = log.appendAsFollower(records);
    this.replicatedBytes += records.length;
    this.#broker.write(replica, operations, () => log.setHighWatermark(highWatermark));
  }
}
