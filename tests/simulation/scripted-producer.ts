import type { Chance } from "../../src/platform/simulated/chance.ts";
import { produce } from "../../src/protocol/apis/00-produce.ts";
import { initProducerId } from "../../src/protocol/apis/22-init-producer-id.ts";
import { isRetriable } from "../../src/protocol/error-codes.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { assembleBatch } from "../../src/protocol/record-batch.ts";
import { encodeRecords } from "../../src/protocol/records.ts";
import { backoffMs, BrokerLinks } from "./broker-links.ts";
import type { ClientContext, PartitionLeader } from "./broker-links.ts";
import { documentedError } from "./documented-errors.ts";
import { PADDING } from "./padding.ts";
import type { ClientRecorder } from "./recorder.ts";
import type { Schedule } from "./schedule.ts";

interface Batch {
  readonly values: readonly string[];
  readonly producerEpoch: number;
  readonly firstSequence: number;
  wasSent: boolean;
  isOpen: boolean;
  isAcknowledged: boolean;
  /** How far the partition was committed when the batch was sent last, and the leader's epoch when it was sent first. */
  committedTo: number;
  firstEpoch: number;
  /** How far the partition was committed when the batch was sent first: nowhere below that is it. */
  firstCommittedTo: number;
  /** Whom it was sent to last, as far as known, and where that was. */
  asked: PartitionLeader & { readonly peer: string | undefined };
}

interface Queue {
  readonly partition: number;
  readonly waiting: string[];
  /**
   * In the order of their sequences, from the first that is not acknowledged on; at most `MAX_OPEN`. Those acknowledged
   * before an earlier one count too: a leader knows the last five again, and the earlier one may have to be repeated.
   */
  readonly batches: Batch[];
  producerEpoch: number;
  nextSequence: number;
  /** How many batches there are of this epoch. */
  batchesOfEpoch: number;
  /** A batch of the epoch before that nobody has seen: it is under way for so long that the next epoch begins first. */
  late: Batch | undefined;
  retryAtUs: number;
  /** Failures in a row. */
  failures: number;
  /** Something failed: nothing is sent until every open request has ended, then all from the first on. */
  drains: boolean;
  isTimed: boolean;
  lingers: boolean;
  /** A leader takes any sequence from a producer that it does not know, so one batch has to get through first. */
  isKnown: boolean;
}

const MAX_OPEN = 5;
const MAX_BATCH_RECORDS = 20;
const SEQUENCES = 2 ** 31;
/** The tabs take their virtual time to begin here, too. */
const EPOCH_MS = 1_700_000_000_000;
/** Kafka's `delivery.timeout.ms`, shortened: after it a producer that cannot get through gives up. */
const GIVE_UP_MS = 40_000;

/**
 * An idempotent producer, with the acks of its topic, written on the protocol alone: five batches in flight per partition, retried in
 * order and with their sequences until they are acknowledged. One that gives up or crashes leaves unknown outcomes, and
 * is followed by another one under another name. Between two batches it may count its epoch up and start its sequences anew,
 * as one does that has given a batch up (KIP-360).
 */
export class ScriptedProducer {
  readonly process: string;
  readonly #topic: string;
  readonly #schedule: Schedule;
  readonly #context: ClientContext;
  readonly #recorder: ClientRecorder;
  readonly #links: BrokerLinks;
  readonly #queues: Queue[] = [];
  #producerId = -1;
  #values = 0;
  #stuckSinceUs: number | undefined;
  isOver = false;

  constructor(
    node: string,
    life: number,
    topic: string,
    schedule: Schedule,
    context: ClientContext,
    chance: Chance,
    recorder: ClientRecorder,
  ) {
    this.process = `${node}.${life}`;
    this.#topic = topic;
    this.#context = context;
    this.#recorder = recorder;
    this.#links = new BrokerLinks(node, topic, context, chance);
    this.#schedule = schedule;
    this.#links.refresh();
    this.#identify();
  }

  get isIdle(): boolean {
    return this.isOver || this.#queues.every(({ waiting, batches }) => waiting.length === 0 && batches.length === 0);
  }

  send(partition: number): void {
    const { firstSequence } = this.#schedule;
    while (this.#queues.length <= partition) this.#queues.push(newQueue(this.#queues.length, firstSequence));
    const queue = this.#queues[partition]!;
    // A producer whose buffer is full makes its application wait.
    if (queue.waiting.length >= 200) return;
    const value = `${this.process}-${this.#values++}`;
    this.#recorder.sent(this.process, partition, value);
    queue.waiting.push(value);
    if (queue.lingers) return;
    queue.lingers = true;
    this.#context.time.after(this.#schedule.lingerMs, () => {
      queue.lingers = false;
      this.#pump(queue);
    });
  }

  /** The application is gone: what was never sent certainly failed, the rest may land. */
  crash(): void {
    if (this.isOver) return;
    this.isOver = true;
    for (const { partition, waiting, batches, late } of this.#queues) {
      if (late !== undefined) this.#recorder.gaveUp(this.process, partition, late.values[0]!, false);
      for (const { values, wasSent, isAcknowledged } of batches) {
        if (isAcknowledged) continue;
        for (const value of values) this.#recorder.gaveUp(this.process, partition, value, wasSent);
      }
      for (const value of waiting) this.#recorder.gaveUp(this.process, partition, value, false);
    }
    this.#links.close();
  }

  #identify(): void {
    if (this.isOver) return;
    const again = () => this.#context.time.after(backoffMs(0), () => this.#identify());
    this.#links.askAnybody(
      initProducerId,
      4,
      { transactionalId: null, transactionTimeoutMs: 60_000 },
      ({ errorCode, producerId }) => {
        if (documentedError(initProducerId, errorCode) !== "NONE") return again();
        this.#producerId = producerId;
        for (const queue of this.#queues) this.#pump(queue);
      },
      again,
    );
  }

  #pump(queue: Queue): void {
    if (this.isOver || this.#producerId < 0) return;
    const { time } = this.#context;
    if (queue.drains) {
      if (queue.batches.some(({ isOpen }) => isOpen)) return;
      if (time.nowUs < queue.retryAtUs) return this.#wait(queue);
      queue.drains = false;
    }
    const leader = this.#links.leaders.get(queue.partition);
    if (leader === undefined || leader.nodeId < 0) {
      this.#retryLater(queue);
      return;
    }
    const { batchesPerEpoch } = this.#schedule;
    if (queue.batches.length === 0 && batchesPerEpoch > 0 && queue.batchesOfEpoch >= batchesPerEpoch) {
      this.#countEpochUp(queue);
    }
    while (queue.waiting.length > 0 && queue.batches.length < (queue.isKnown ? MAX_OPEN : 1)) {
      queue.batches.push(takeBatch(queue, queue.waiting.splice(0, MAX_BATCH_RECORDS)));
    }
    for (const batch of queue.batches) {
      if (!batch.isOpen && !batch.isAcknowledged) this.#send(queue, batch, leader);
    }
  }

  #countEpochUp(queue: Queue): void {
    // Who loses records, or a whole topic, may forget which epoch was the last.
    if (!this.#recorder.mayForgetProducers) {
      const value = `${this.process}-${this.#values++}`;
      this.#recorder.sent(this.process, queue.partition, value);
      queue.late = takeBatch(queue, [value]);
    }
    queue.producerEpoch++;
    queue.nextSequence = 0;
    queue.batchesOfEpoch = 0;
    queue.isKnown = false;
  }

  /** A batch of the new epoch is committed: every leader knows it, and refuses what comes from before (R16). */
  #sendLate(queue: Queue): void {
    const { late, partition } = queue;
    if (late === undefined) return;
    queue.late = undefined;
    const ended = () => this.#recorder.gaveUp(this.process, partition, late.values[0]!, true);
    this.#ask(partition, late, this.#links.leaders.get(partition)?.nodeId ?? -1, (error, baseOffset) => {
      ended();
      if (error !== "NONE") return this.#recorder.mark(`late batch refused: ${error}`);
      const evidence = `${this.process} got a batch of epoch ${late.producerEpoch} in at ${baseOffset}, after the next epoch's`;
      this.#recorder.violation("producer", evidence);
    }, ended);
  }

  #send(queue: Queue, batch: Batch, { nodeId, leaderEpoch }: PartitionLeader): void {
    batch.isOpen = true;
    const committedTo = this.#recorder.endOffset(queue.partition);
    if (!batch.wasSent) {
      batch.firstEpoch = leaderEpoch;
      batch.firstCommittedTo = committedTo;
    }
    batch.asked = { nodeId, leaderEpoch, peer: this.#links.peerOf(nodeId) };
    batch.committedTo = batch.wasSent ? committedTo : 0;
    batch.wasSent = true;
    const lost = () => this.#answered(queue, batch, "NETWORK_EXCEPTION", -1);
    this.#ask(queue.partition, batch, nodeId, (error, offset) => this.#answered(queue, batch, error, offset), lost);
  }

  #ask(
    index: number,
    batch: Batch,
    nodeId: number,
    answered: (error: ErrorName, baseOffset: number) => void,
    lost: () => void,
  ): void {
    const topicData = [{ name: this.#topic, partitionData: [{ index, records: this.#encode(batch) }] }];
    this.#links.ask(
      nodeId,
      produce,
      9,
      { acks: this.#recorder.acks, timeoutMs: this.#schedule.produceTimeoutMs, topicData },
      (response) => {
        const { errorCode, baseOffset } = response.responses[0]!.partitionResponses[0]!;
        answered(documentedError(produce, errorCode), baseOffset);
      },
      lost,
    );
  }

  #answered(queue: Queue, batch: Batch, error: ErrorName, baseOffset: number): void {
    batch.isOpen = false;
    if (this.isOver) return;
    if (error === "NONE") {
      this.#noteDuplicate(queue, batch, baseOffset);
      batch.values.forEach((value, at) => {
        this.#recorder.acknowledged(this.process, queue.partition, value, baseOffset + at);
      });
      queue.isKnown = true;
      queue.failures = 0;
      batch.isAcknowledged = true;
      while (queue.batches[0]?.isAcknowledged === true) queue.batches.shift();
      this.#stuckSinceUs = undefined;
      this.#sendLate(queue);
      return this.#pump(queue);
    }
    const isOutOfOrder = error === "OUT_OF_ORDER_SEQUENCE_NUMBER";
    const isBehindAnother = queue.drains || queue.batches[0] !== batch;
    // A leader that was replaced and has not heard of it lacks what later ones have acknowledged.
    const { nodeId, leaderEpoch, peer } = batch.asked;
    const isOutdated =
      leaderEpoch < this.#context.decidedEpoch(this.#topic, queue.partition) ||
      peer !== this.#context.registeredPeer(nodeId);
    if (!isRetriable(error) && !(isOutOfOrder && (isBehindAnother || isOutdated))) {
      if (this.#recorder.mayForgetProducers) return this.crash();
      if (isOutOfOrder && this.#recorder.trimmedTo(queue.partition) > batch.firstCommittedTo) {
        // It may have been stored and deleted, with later ones kept, so that not even that it was is known (R16).
        this.#recorder.mark("batch deleted before its answer");
        return this.crash();
      }
      return this.#recorder.violation(
        "producer",
        `${this.process} was refused at partition ${queue.partition} sequence ${batch.firstSequence}: ${error}`,
      );
    }
    const { time } = this.#context;
    this.#stuckSinceUs ??= time.nowUs;
    if (time.nowUs - this.#stuckSinceUs > GIVE_UP_MS * 1000) return this.crash();
    this.#retryLater(queue);
  }

  /** An offset that was committed before the batch was sent this time is that of an earlier time. */
  #noteDuplicate({ partition }: Queue, { committedTo, firstEpoch }: Batch, baseOffset: number): void {
    if (baseOffset >= committedTo) return;
    const isSameLeader = firstEpoch === this.#links.leaders.get(partition)?.leaderEpoch;
    this.#recorder.mark(isSameLeader ? "deduplication" : "deduplication after failover");
  }

  #retryLater(queue: Queue): void {
    const { time } = this.#context;
    this.#links.refresh();
    queue.drains = true;
    queue.retryAtUs = time.nowUs + backoffMs(queue.failures++) * 1000;
    this.#wait(queue);
  }

  #wait(queue: Queue): void {
    if (queue.isTimed) return;
    queue.isTimed = true;
    this.#context.time.at(queue.retryAtUs, () => {
      queue.isTimed = false;
      this.#pump(queue);
    });
  }

  #encode({ values, producerEpoch, firstSequence }: Batch): Uint8Array {
    const timestamp = EPOCH_MS + Math.floor(this.#context.time.nowMs);
    const { recordBytes } = this.#schedule;
    const records = values.map((value, at) => {
      const keyed = this.#recorder.keyedRecord?.(value);
      const key = keyed === undefined ? null : paddedBytes(keyed.key, 0);
      return { offset: at, timestamp, key, value: keyed?.value === null ? null : paddedBytes(value, recordBytes) };
    });
    const init = {
      lastOffsetDelta: records.length - 1,
      baseTimestamp: timestamp,
      maxTimestamp: timestamp,
      producerId: this.#producerId,
      producerEpoch,
      baseSequence: firstSequence,
      recordCount: records.length,
    };
    return assembleBatch(init, encodeRecords(records));
  }
}

function newQueue(partition: number, firstSequence: number): Queue {
  return {
    partition,
    waiting: [],
    batches: [],
    producerEpoch: 0,
    nextSequence: firstSequence,
    batchesOfEpoch: 0,
    late: undefined,
    retryAtUs: 0,
    failures: 0,
    drains: false,
    isTimed: false,
    lingers: false,
    isKnown: false,
  };
}

/** The next batch in the order of the sequences. */
function takeBatch(queue: Queue, values: readonly string[]): Batch {
  const { producerEpoch, nextSequence } = queue;
  queue.nextSequence = (nextSequence + values.length) % SEQUENCES;
  queue.batchesOfEpoch++;
  return {
    values,
    producerEpoch,
    firstSequence: nextSequence,
    wasSent: false,
    isOpen: false,
    isAcknowledged: false,
    committedTo: 0,
    firstEpoch: -1,
    firstCommittedTo: 0,
    asked: { nodeId: -1, leaderEpoch: -1, peer: undefined },
  };
}

function paddedBytes(text: string, size: number): Uint8Array {
  const bytes = new Uint8Array(Math.max(text.length, size));
  for (let index = 0; index < text.length; index++) bytes[index] = text.charCodeAt(index);
  return bytes.fill(PADDING.charCodeAt(0), text.length);
}
