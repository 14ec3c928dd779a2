import type { Chance } from "../../src/platform/simulated/chance.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import type { FetchResponse } from "../../src/protocol/apis/01-fetch.ts";
import { errorName, isRetriable } from "../../src/protocol/error-codes.ts";
import { batches, recordsSection, verifyCrc } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { backoffMs, BrokerLinks } from "./broker-links.ts";
import type { ClientContext } from "./broker-links.ts";
import type { Recorder } from "./recorder.ts";
import { PADDING } from "./scripted-producer.ts";

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

interface Position {
  readonly partition: number;
  offset: number;
  /** Of the last batch read, to notice a log that was cut (KIP-320). */
  epoch: number;
  isAsked: boolean;
  retryAtUs: number;
  /** Failures in a row. */
  failures: number;
}

const MAX_WAIT_MS = 300;

/** Reads every partition from its beginning, with the consumer's checks of Kafka and without a group. */
export class ScriptedConsumer {
  readonly process: string;
  readonly #topic: string;
  readonly #context: ClientContext;
  readonly #recorder: Recorder;
  readonly #links: BrokerLinks;
  readonly #positions: Position[];
  /** Leaders with an open fetch: a second one would only make the first one end. */
  readonly #asked = new Set<number>();
  #timedForUs = Number.POSITIVE_INFINITY;
  isOver = false;

  constructor(
    node: string,
    life: number,
    topic: string,
    partitions: number,
    context: ClientContext,
    chance: Chance,
    recorder: Recorder,
  ) {
    this.process = `${node}.${life}`;
    this.#topic = topic;
    this.#context = context;
    this.#recorder = recorder;
    this.#links = new BrokerLinks(node, topic, context, chance);
    this.#positions = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      offset: 0,
      epoch: -1,
      isAsked: false,
      retryAtUs: 0,
      failures: 0,
    }));
    this.#links.refresh();
    this.#pump();
  }

  position(partition: number): number {
    return this.#positions[partition]!.offset;
  }

  crash(): void {
    this.isOver = true;
    this.#links.close();
  }

  #pump(): void {
    if (this.isOver) return;
    const { time } = this.#context;
    const byLeader = new Map<number, Position[]>();
    let retryAtUs = Number.POSITIVE_INFINITY;
    for (const position of this.#positions) {
      if (position.isAsked) continue;
      const leader = this.#links.leaders.get(position.partition);
      if (time.nowUs >= position.retryAtUs && (leader === undefined || leader.nodeId < 0)) this.#later(position);
      if (leader === undefined || time.nowUs < position.retryAtUs) {
        retryAtUs = Math.min(retryAtUs, position.retryAtUs);
        continue;
      }
      if (this.#asked.has(leader.nodeId)) continue;
      const positions = byLeader.get(leader.nodeId) ?? [];
      byLeader.set(leader.nodeId, positions);
      positions.push(position);
    }
    for (const [nodeId, positions] of byLeader) this.#fetch(nodeId, positions);
    if (retryAtUs >= this.#timedForUs) return;
    this.#timedForUs = retryAtUs;
    time.at(retryAtUs, () => {
      if (this.#timedForUs !== retryAtUs) return;
      this.#timedForUs = Number.POSITIVE_INFINITY;
      this.#pump();
    });
  }

  #fetch(nodeId: number, positions: readonly Position[]): void {
    this.#asked.add(nodeId);
    for (const position of positions) position.isAsked = true;
    const ended = () => {
      this.#asked.delete(nodeId);
      for (const position of positions) position.isAsked = false;
    };
    const partitions = positions.map(({ partition, offset, epoch }) => ({
      partition,
      currentLeaderEpoch: this.#links.leaders.get(partition)!.leaderEpoch,
      fetchOffset: offset,
      lastFetchedEpoch: epoch,
      partitionMaxBytes: 50_000,
    }));
    this.#links.ask(
      nodeId,
      fetch,
      12,
      { maxWaitMs: MAX_WAIT_MS, minBytes: 1, topics: [{ topic: this.#topic, partitions }] },
      (response) => {
        ended();
        if (this.isOver) return;
        for (const answer of response.responses[0]?.partitions ?? []) this.#onPartition(answer);
        this.#pump();
      },
      () => {
        ended();
        for (const position of positions) this.#later(position);
        this.#pump();
      },
    );
  }

  #onPartition(answer: FetchedPartition): void {
    const position = this.#positions[answer.partitionIndex]!;
    const error = errorName(answer.errorCode);
    const where = `${this.process} at offset ${position.offset} of partition ${position.partition}`;
    if (answer.divergingEpoch !== null) {
      const { epoch, endOffset } = answer.divergingEpoch;
      const evidence = `${where} read what the leader has not: it ends epoch ${epoch} at ${endOffset}`;
      return this.#recorder.violation("consumer", evidence);
    }
    if (error !== "NONE") {
      const isExpected = error !== "OFFSET_OUT_OF_RANGE" && isRetriable(error);
      if (!isExpected) this.#recorder.violation("consumer", `${where}: ${error}`);
      return this.#later(position);
    }
    for (const { header, bytes } of batches(answer.records ?? new Uint8Array(0), "ignored")) {
      if (!verifyCrc(bytes)) return this.#recorder.violation("consumer", `${where} got a damaged batch`);
      for (const { offset, value } of decodeRecords(recordsSection(bytes), header)) {
        if (offset < position.offset) continue;
        this.#recorder.read(this.process, position.partition, offset, textOf(value!));
      }
      position.offset = Math.max(position.offset, header.lastOffset + 1);
      position.epoch = header.partitionLeaderEpoch;
    }
    position.failures = 0;
  }

  #later(position: Position): void {
    position.retryAtUs = this.#context.time.nowUs + backoffMs(position.failures++) * 1000;
    this.#links.refresh();
  }
}

function textOf(bytes: Uint8Array): string {
  const end = bytes.indexOf(PADDING.charCodeAt(0));
  return String.fromCharCode(...(end === -1 ? bytes : bytes.subarray(0, end)));
}
