import { alterPartition } from "../protocol/apis/56-alter-partition.ts";
import type { AlterPartitionRequestInit, AlterPartitionResponse } from "../protocol/apis/56-alter-partition.ts";
import { errorName } from "../protocol/error-codes.ts";
import type { IsrProposal } from "../replication/isr-proposal.ts";
import type { Broker } from "./broker.ts";
import type { Replica } from "./replica.ts";

const RETRY_MS = 100;

interface Proposed {
  readonly replica: Replica;
  readonly proposal: IsrProposal;
}

/**
 * Changes of the ISR on their way to the controller (KIP-497, R9). All that the broker's partitions want at one time go
 * in one request. One without an answer may have been carried out, so it stays proposed and is sent again: the
 * partition epoch makes sure that it counts once.
 */
export class IsrProposals {
  readonly #broker: Broker;
  readonly #proposed = new Map<string, Proposed>();
  #open = false;
  #unsent = false;
  #sendAtMs = Number.POSITIVE_INFINITY;

  constructor(broker: Broker) {
    this.#broker = broker;
  }

  get wakeAtMs(): number {
    return this.#maySend ? this.#sendAtMs : Number.POSITIVE_INFINITY;
  }

  add(replica: Replica, proposal: IsrProposal): void {
    this.#proposed.set(replica.key, { replica, proposal });
    this.#unsent = true;
    this.#sendAtMs = 0;
  }

  /** The replica leads no more: what it proposed is void. */
  drop(replica: Replica): void {
    this.#proposed.delete(replica.key);
  }

  send(nowMs: number): void {
    const self = this.#broker.self();
    if (self === undefined || !this.#maySend || nowMs < this.#sendAtMs) return;
    const sent = [...this.#proposed.values()];
    this.#unsent = false;
    if (sent.length === 0) return;
    this.#open = true;
    this.#broker.requests.ask(
      alterPartition,
      3,
      { brokerId: self.nodeId, brokerEpoch: self.brokerEpoch, topics: byTopic(sent) },
      (response) => this.#answered(sent, response, nowMs),
      () => this.#again(nowMs),
    );
  }

  /** Whether time alone stands in the way. A broker that may not serve has to hear of something else first. */
  get #maySend(): boolean {
    return this.#unsent && !this.#open && this.#broker.requests.connected && this.#broker.self() !== undefined;
  }

  #again(nowMs: number): void {
    this.#open = false;
    this.#unsent = true;
    this.#sendAtMs = nowMs + RETRY_MS;
  }

  #answered(sent: readonly Proposed[], response: AlterPartitionResponse, nowMs: number): void {
    this.#open = false;
    const error = errorName(response.errorCode);
    if (error !== "NONE") {
      // Such as a stale broker epoch: the next heartbeat tells what that means.
      this.#broker.log("warn", `the controller refused a change of the ISR: ${error}`);
      return this.#again(nowMs);
    }
    for (const { topicId, partitions } of response.topics) {
      for (const partition of partitions) {
        const key = `${topicId}/${partition.partitionIndex}`;
        const proposed = sent.find(({ replica }) => replica.key === key);
        // Ignored if it was answered for an earlier leadership, or replaced meanwhile.
        if (proposed === undefined || this.#proposed.get(key) !== proposed) continue;
        this.#proposed.delete(key);
        this.#settle(proposed, partition);
      }
    }
  }

  #settle({ replica, proposal }: Proposed, answer: AlterPartitionResponse["topics"][number]["partitions"][number]): void {
    if (replica.role.kind !== "leader") return;
    const error = errorName(answer.errorCode);
    if (error === "NONE") {
      // What the controller changed counts once the metadata tells: it may have raised the minimum just before, and a
      // leader that has not heard of it would commit with fewer than the controller counts on.
      if (answer.partitionEpoch === proposal.partitionEpoch) replica.role.state.onIsrCommitted(answer);
    } else {
      this.#broker.log("info", `the controller refused an ISR of ${replica.topicName}-${replica.log.partitionIndex}: ${error}`);
      replica.role.state.onProposalRefused(error, proposal);
    }
    this.#broker.committed(replica);
    this.#broker.purgatory.touch(replica.key);
  }
}

function byTopic(proposed: readonly Proposed[]): AlterPartitionRequestInit["topics"] {
  const topics = new Map<string, AlterPartitionRequestInit["topics"][number]["partitions"][number][]>();
  for (const { replica, proposal } of proposed) {
    const { topicId, partitionIndex } = replica.log;
    const partitions = topics.get(topicId) ?? [];
    topics.set(topicId, partitions);
    partitions.push({
      partitionIndex,
      leaderEpoch: proposal.leaderEpoch,
      partitionEpoch: proposal.partitionEpoch,
      newIsrWithEpochs: proposal.newIsr,
    });
  }
  return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
}
