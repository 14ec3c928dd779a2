import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import type { OffsetCommitRequest } from "../../src/protocol/apis/08-offset-commit.ts";
import { decodeCorrelationId, decodeRequest, decodeRequestHeader } from "../../src/protocol/envelope.ts";

/**
 * Follows the commits of one page of the SDK where they leave it. They go one after another: if one has no answer when
 * the next goes over another connection, nobody waits for it any more.
 */
export class CommitWatch {
  /** By connection and correlation id. */
  readonly #open = new Map<object, Map<number, OffsetCommitRequest>>();
  readonly #gaveUp: (topicPartition: string, offset: number) => void;

  constructor(gaveUp: (topicPartition: string, offset: number) => void) {
    this.#gaveUp = gaveUp;
  }

  exchanged(connection: object, frame: Uint8Array, isSent: boolean): void {
    if (!isSent) return void this.#open.get(connection)?.delete(decodeCorrelationId(frame));
    if (frame[0] !== 0 || frame[1] !== offsetCommit.key) return;
    const header = decodeRequestHeader(frame);
    for (const [other, requests] of this.#open) {
      if (other === connection) continue;
      for (const request of requests.values()) this.#giveUp(request);
      this.#open.delete(other);
    }
    const open = this.#open.get(connection) ?? new Map<number, OffsetCommitRequest>();
    this.#open.set(connection, open.set(header.correlationId, decodeRequest(offsetCommit, header)));
  }

  #giveUp({ topics }: OffsetCommitRequest): void {
    for (const { name, partitions } of topics) {
      for (const { partitionIndex, committedOffset } of partitions) {
        this.#gaveUp(`${name}/${partitionIndex}`, committedOffset);
      }
    }
  }
}
