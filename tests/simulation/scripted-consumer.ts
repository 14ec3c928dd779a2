import type { Chance } from "../../src/platform/simulated/chance.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import type { FetchResponse } from "../../src/protocol/apis/01-fetch.ts";
import { LATEST_TIMESTAMP, listOffsets } from "../../src/protocol/apis/02-list-offsets.ts";
import { isRetriable } from "../../src/protocol/error-codes.ts";
import { batchAt, recordsSection, verifyCrc } from "../../src/protocol/record-batch.ts";
import { decodeRecords } from "../../src/protocol/records.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { backoffMs, BrokerLinks } from "./broker-links.ts";
import type { ClientContext } from "./broker-links.ts";
import { documentedError } from "./documented-errors.ts";
import type { ClientRecorder } from "./recorder.ts";
import { PADDING } from "./padding.ts";

type FetchedPartition = FetchResponse["responses"][number]["partitions"][number];

interface Position {
  readonly partition: number;
  offset: number;
  /** Of the last batch read, to notice a log that was cut (KIP-320). */
  epoch: number;
  /** Of the last record read. */
  timestamp: number;
  /** The epoch of the leader that told last where its log ends. */
  endToldIn: number;
  isAsked: boolean;
  retryAtUs: number;
  /** Failures in a row. */
  failures: number;
}

const MAX_WAIT_MS = 300;
const REFRESH_MS = 4_000;
const NO_RECORDS = new Uint8Array(0);

/**
 * Reads with the consumer's checks of Kafka: every partition from its beginning, or those that somebody else, such as a
 * group, assigns.
 */
export class ScriptedConsumer {
  readonly process: string;
  readonly #topic: string;
  readonly #asksForEnds: boolean;
  readonly #context: ClientContext;
  readonly #recorder: ClientRecorder;
  readonly #links: BrokerLinks;
  readonly #readsAll: boolean;
  readonly #positions = new Map<number, Position>();
  /** The life of the topic that the positions are in. */
  #topicId = ZERO_UUID;
  /** Leaders with an open fetch: a second one would only make the first one end. */
  readonly #asked = new Set<number>();
  #timedForUs = Number.POSITIVE_INFINITY;
  isOver = false;
  /** What was read is still being processed, and nothing else is until it is. */
  isPaused = false;
  #waiting: (() => void)[] = [];

  constructor(
    node: string,
    life: number,
    topic: string,
    asksForEnds: boolean,
    context: ClientContext,
    chance: Chance,
    recorder: ClientRecorder,
    readsAll = true,
  ) {
    this.process = `${node}.${life}`;
    this.#readsAll = readsAll;
    this.#topic = topic;
    this.#asksForEnds = asksForEnds;
    this.#context = context;
    this.#recorder = recorder;
    this.#links = new BrokerLinks(node, topic, context, chance);
    this.#refresh();
    this.#pump();
  }

  position(partition: number): number {
    return this.#positions.get(partition)?.offset ?? 0;
  }

  /** Of the last record before the position, or -1. */
  leaderEpoch(partition: number): number {
    return this.#positions.get(partition)?.epoch ?? -1;
  }

  /** As far as known. */
  get partitionCount(): number {
    return this.#links.partitionCount;
  }

  get topicId(): string {
    return this.#links.topicId;
  }

  /** Reads the partition from there on; `epoch` is that of the record before, or -1. */
  assign(partition: number, offset: number, epoch: number): void {
    this.#positions.set(partition, { ...positionAt(partition, offset), epoch });
    this.#pump();
  }

  /** What is on its way of the partition is not read any more. */
  revoke(partition: number): void {
    this.#positions.delete(partition);
  }

  resume(): void {
    this.isPaused = false;
    for (const run of this.#waiting.splice(0)) run();
  }

  crash(): void {
    this.isOver = true;
    this.#links.close();
  }

  /** Now and then, to hear of partitions that were added. */
  #refresh(): void {
    if (this.isOver) return;
    this.#links.refresh();
    this.#context.time.after(REFRESH_MS, () => this.#refresh());
  }

  #followTopic(): void {
    const { topicId, partitionCount } = this.#links;
    if (topicId !== this.#topicId) {
      this.#topicId = topicId;
      if (this.#readsAll) this.#positions.clear();
    }
    if (!this.#readsAll) return;
    while (this.#positions.size < Math.max(1, partitionCount)) {
      const partition = this.#positions.size;
      this.#positions.set(partition, positionAt(partition, 0));
    }
  }

  #pump(): void {
    if (this.isOver) return;
    this.#followTopic();
    const { time } = this.#context;
    const byLeader = new Map<number, Position[]>();
    let retryAtUs = Number.POSITIVE_INFINITY;
    for (const position of this.#positions.values()) {
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
    if (this.#asksForEnds) this.#askForEnds(nodeId, positions);
    this.#asked.add(nodeId);
    for (const position of positions) position.isAsked = true;
    const ended = () => {
      this.#asked.delete(nodeId);
      for (const position of positions) position.isAsked = false;
    };
    const epochs = new Map(positions.map(({ partition }) => [partition, this.#links.leaders.get(partition)!.leaderEpoch]));
    const partitions = positions.map(({ partition, offset, epoch }) => ({
      partition,
      currentLeaderEpoch: epochs.get(partition)!,
      fetchOffset: offset,
      lastFetchedEpoch: epoch,
      partitionMaxBytes: 1_048_576,
    }));
    this.#links.ask(
      nodeId,
      fetch,
      16,
      { maxWaitMs: MAX_WAIT_MS, minBytes: 1, topics: [{ topicId: this.#topicId, partitions }] },
      (response) => {
        const process = () => {
          ended();
          this.#onResponse(response.responses[0]?.partitions ?? [], positions, epochs);
        };
        if (this.isPaused) this.#waiting.push(process);
        else process();
      },
      () => {
        ended();
        for (const position of positions) this.#later(position);
        this.#pump();
      },
    );
  }

  #onResponse(
    answers: readonly FetchedPartition[],
    positions: readonly Position[],
    epochs: ReadonlyMap<number, number>,
  ): void {
    if (this.isOver) return;
    for (const answer of answers) {
      // The topic may have been made again meanwhile, and the position be one of its former life.
      const position = this.#positions.get(answer.partitionIndex);
      if (position === undefined || !positions.includes(position)) continue;
      this.#onPartition(position, answer, epochs.get(answer.partitionIndex)!);
    }
    this.#pump();
  }

  /**
   * Asks a new leader for the end of its log, and for the record read last by its time: it may know of neither yet, but
   * must not say that there is less than was read from the leaders before (R14).
   */
  #askForEnds(nodeId: number, positions: readonly Position[]): void {
    for (const position of positions) {
      const { partition, offset, timestamp } = position;
      const currentLeaderEpoch = this.#links.leaders.get(partition)!.leaderEpoch;
      if (position.endToldIn === currentLeaderEpoch) continue;
      for (const asked of [LATEST_TIMESTAMP, timestamp].slice(0, timestamp < 0 ? 1 : 2)) {
        const partitions = [{ partitionIndex: partition, currentLeaderEpoch, timestamp: asked }];
        const topics = [{ name: this.#topic, partitions }];
        this.#links.ask(nodeId, listOffsets, 8, { topics }, (response) => {
          const [answer] = response.topics[0]!.partitions;
          if (documentedError(listOffsets, answer!.errorCode) !== "NONE") return;
          position.endToldIn = currentLeaderEpoch;
          this.#expectEnd(partition, offset, asked, answer!.offset);
        }, () => {});
      }
    }
  }

  #expectEnd(partition: number, readTo: number, timestamp: number, offset: number): void {
    const told = `${this.process} is told ${offset} in partition ${partition}, of which it has read ${readTo}`;
    if (timestamp === LATEST_TIMESTAMP) {
      if (offset < readTo) this.#recorder.violation("consumer", `${told}, as its end`);
      return;
    }
    const isThere = offset >= 0 && offset < readTo;
    if (!isThere && this.#recorder.trimmedTo(partition) < readTo) this.#recorder.violation("consumer", `${told}, as the place of the last record`);
  }

  /** `askedIn` is the leader epoch in which the consumer took the broker for the leader. */
  #onPartition(position: Position, answer: FetchedPartition, askedIn: number): void {
    const error = documentedError(fetch, answer.errorCode);
    const where = () => `${this.process} at offset ${position.offset} of partition ${position.partition}`;
    if (answer.divergingEpoch !== null) {
      const { epoch, endOffset } = answer.divergingEpoch;
      const evidence = `${where()} read what the leader has not: it ends epoch ${epoch} at ${endOffset}`;
      return this.#recorder.violation("consumer", evidence);
    }
    // Retention has removed what this consumer was to read next; it goes on with what is left (auto.offset.reset).
    if (error === "OFFSET_OUT_OF_RANGE" && answer.logStartOffset > position.offset) {
      position.offset = answer.logStartOffset;
      position.epoch = -1;
      return;
    }
    if (error !== "NONE") {
      // A leader that was replaced need not have what the group has committed since.
      const isReplaced = position.epoch < 0 && askedIn < this.#context.decidedEpoch(this.#topic, position.partition);
      const isExpected = error === "OFFSET_OUT_OF_RANGE" ? isReplaced : isRetriable(error);
      if (!isExpected) this.#recorder.violation("consumer", `${where()}: ${error}`);
      return this.#later(position);
    }
    const records = answer.records ?? NO_RECORDS;
    for (let batch = batchAt(records, 0, "ignored"); batch !== undefined; ) {
      const { header, bytes } = batch;
      if (!verifyCrc(bytes)) return this.#recorder.violation("consumer", `${where()} got a damaged batch`);
      for (const { offset, value, timestamp } of decodeRecords(recordsSection(bytes), header)) {
        if (offset < position.offset) continue;
        this.#recorder.read(this.process, position.partition, offset, textOf(value), this.#topicId);
        position.timestamp = timestamp;
      }
      position.offset = Math.max(position.offset, header.lastOffset + 1);
      position.epoch = header.partitionLeaderEpoch;
      batch = batchAt(records, batch.position + header.sizeInBytes, "ignored");
    }
    position.failures = 0;
  }

  #later(position: Position): void {
    position.retryAtUs = this.#context.time.nowUs + backoffMs(position.failures++) * 1000;
    this.#links.refresh();
  }
}

function positionAt(partition: number, offset: number): Position {
  const start = { offset, epoch: -1, timestamp: -1, endToldIn: -1 };
  return { partition, ...start, isAsked: false, retryAtUs: 0, failures: 0 };
}

/** Nothing for a tombstone. */
function textOf(bytes: Uint8Array | null): string {
  if (bytes === null) return "";
  const end = bytes.indexOf(PADDING.charCodeAt(0));
  return String.fromCharCode.apply(null, (end === -1 ? bytes : bytes.subarray(0, end)) as unknown as number[]);
}
