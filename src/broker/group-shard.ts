import { CoordinatorShard } from "../coordinator/coordinator-shard.ts";
import type { Answer, Decision, ShardStart } from "../coordinator/coordinator-shard.ts";
import { subjectOf } from "../coordinator/subjects.ts";
import type { Subject } from "../coordinator/subjects.ts";
import { CorruptMessageError, UnsupportedVersionError } from "../protocol/errors.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { decodeGroupRecord, encodeGroupRecord } from "../protocol/group-records/registry.ts";
import type { GroupRecord } from "../protocol/group-records/registry.ts";
import { batches, codecNames, encodeBatch, recordsSection } from "../protocol/record-batch.ts";
import { decodeRecords } from "../protocol/records.ts";
import type { RecordInit } from "../protocol/records.ts";
import type { LeaderState } from "../replication/leader.ts";
import type { Broker } from "./broker.ts";
import type { Delayed } from "./purgatory.ts";
import type { Replica } from "./replica.ts";

/** How much of a log is loaded before other events have their turn. */
const LOAD_BYTES = 1024 * 1024;
/** A decision that is larger than this becomes several batches, for followers have to fetch a batch whole. */
const BATCH_BYTES = 512 * 1024;

/**
 *     reading ──all up to the start of the epoch──► catching-up ──committed──► serving ──► closed
 *
 * Reading may find records that the last leader could not commit. They are committed with the high watermark's first
 * step, and nobody is served before that (R14).
 */
type Phase = "reading" | "catching-up" | "serving" | "closed";

/**
 * The coordinator of one partition of `__consumer_offsets`, for as long as this broker leads it in one epoch (R17).
 * It appends what the coordinator decides like a produced batch, and lets the answers go when the high watermark has
 * passed it, and whatever else they tell of.
 */
export class GroupShard {
  readonly #broker: Broker;
  readonly #replica: Replica;
  readonly #leader: LeaderState;
  readonly #shard: CoordinatorShard;
  #phase: Phase = "reading";
  /** Where the newest record about each subject ends, oldest first; an append forgets what is committed by then. */
  readonly #ends = new Map<Subject, number>();
  #nextOffset: number;
  #isDiskBusy = false;
  /** Set while too few replicas are in sync to commit anything: then nobody can be heard, and nobody falls silent. */
  #isPaused = false;

  constructor(broker: Broker, replica: Replica, leader: LeaderState, start: ShardStart) {
    this.#broker = broker;
    this.#replica = replica;
    this.#leader = leader;
    this.#shard = new CoordinatorShard(start);
    this.#nextOffset = replica.log.logStartOffset;
  }

  /** For whoever wants to look at it: undefined before everything is loaded, and after the end. */
  get loaded(): CoordinatorShard | undefined {
    return this.#phase === "serving" ? this.#shard : undefined;
  }

  get wakeAtMs(): number {
    if (this.#phase === "reading" && !this.#isDiskBusy) return this.#broker.nowMs;
    return this.#phase === "serving" && !this.#isPaused ? this.#shard.wakeAtMs : Number.POSITIVE_INFINITY;
  }

  /** Does what is due. To be called after every event. */
  step(nowMs: number): void {
    if (this.#phase === "reading" && !this.#isDiskBusy) this.#read();
    if (this.#phase === "catching-up" && this.#leader.hwMonotonicReady) {
      this.#phase = "serving";
      this.#broker.log("info", `coordinates the groups of ${this.#name}: ${this.#shard.groups.size} loaded`);
      this.#apply(this.#shard.resume(nowMs), nowMs);
    }
    if (this.#phase !== "serving") return;
    const wasPaused = this.#isPaused;
    this.#isPaused = this.#leader.canAcceptAcksAll() !== undefined;
    if (this.#isPaused) return;
    if (wasPaused) this.#apply(this.#shard.restartSessions(nowMs), nowMs);
    if (this.#shard.wakeAtMs <= nowMs) this.#apply(this.#shard.wake(nowMs), nowMs);
  }

  /** Lets the coordinator look something up. Says why it cannot. */
  read(nowMs: number, decide: (shard: CoordinatorShard) => Decision): ErrorName | undefined {
    if (this.#phase === "closed") return "NOT_COORDINATOR";
    if (this.#phase !== "serving") return "COORDINATOR_LOAD_IN_PROGRESS";
    this.#apply(decide(this.#shard), nowMs);
    return undefined;
  }

  /** Lets the coordinator decide something that may need records. Says why it cannot. */
  write(nowMs: number, decide: (shard: CoordinatorShard) => Decision): ErrorName | undefined {
    const cannotCommit = this.#phase === "serving" && this.#leader.canAcceptAcksAll() !== undefined;
    return cannotCommit ? "COORDINATOR_NOT_AVAILABLE" : this.read(nowMs, decide);
  }

  topicsDeleted(names: ReadonlySet<string>, nowMs: number): void {
    this.read(nowMs, (shard) => shard.topicsDeleted(names, nowMs));
  }

  /** Leadership is over. What was decided and not committed is not to be relied on, and nobody has. */
  close(): void {
    this.#phase = "closed";
    this.#shard.close("NOT_COORDINATOR");
  }

  get #name(): string {
    return `${this.#replica.topicName}-${this.#replica.log.partitionIndex}`;
  }

  #read(): void {
    const { log } = this.#replica;
    const endOffset = this.#leader.epochStartOffset;
    this.#nextOffset = Math.max(this.#nextOffset, log.logStartOffset);
    if (this.#nextOffset >= endOffset) {
      this.#phase = "catching-up";
      return;
    }
    const found = log.read(this.#nextOffset, LOAD_BYTES, endOffset);
    if (found.kind === "bytes") return this.#load(found.bytes, found.nextOffset);
    if (found.kind === "out-of-range") return;
    this.#isDiskBusy = true;
    this.#broker.read(this.#replica, found.fromOffset, found.maxBytes, (chunks) => {
      this.#isDiskBusy = false;
      if (this.#phase !== "reading") return;
      try {
        const { bytes, nextOffset } = log.sliceChunks(chunks, this.#nextOffset, LOAD_BYTES, endOffset);
        this.#load(bytes, nextOffset);
      } catch (error) {
        if (!(error instanceof CorruptMessageError)) throw error;
        this.#broker.damaged(error);
      }
    });
  }

  #load(bytes: Uint8Array, nextOffset: number): void {
    this.#nextOffset = nextOffset;
    for (const { header, bytes: batch } of batches(bytes)) {
      const { codec, control } = header.attributes;
      if (control || codecNames[codec] !== "none") continue;
      for (const { key, value, offset } of decodeRecords(recordsSection(batch), header)) {
        const record = this.#decode(key, value, offset);
        if (record !== undefined) this.#shard.load(record);
      }
    }
  }

  /** A record that cannot be read is passed over, as in Kafka: one group suffers, and not all of the partition. */
  #decode(key: Uint8Array | null, value: Uint8Array | null, offset: number): GroupRecord | undefined {
    try {
      // Copies, for what is kept of a record would keep the whole chunk in memory.
      return decodeGroupRecord(key?.slice() ?? null, value?.slice() ?? null);
    } catch (error) {
      if (!(error instanceof CorruptMessageError || error instanceof UnsupportedVersionError)) throw error;
      this.#broker.log("error", `the record at offset ${offset} of ${this.#name} is passed over: ${error.message}`);
      return undefined;
    }
  }

  #apply({ records, answers, subjects }: Decision, nowMs: number): void {
    if (records.length > 0) this.#append(records, nowMs);
    if (answers.length === 0) return;
    const { offsetsCommitTimeoutMs } = this.#broker.config.coordinator;
    const tellsAll = records.length > 0 || subjects === undefined;
    const endOffset = tellsAll ? this.#replica.log.nextOffset : this.#endOf(subjects);
    this.#broker.purgatory.enter(this.#committed(answers, endOffset, nowMs + offsetsCommitTimeoutMs), nowMs);
  }

  #append(records: readonly GroupRecord[], nowMs: number): void {
    const { log, config } = this.#replica;
    const wallMs = this.#broker.wallMs(nowMs);
    const operations = inBatches(records, wallMs).flatMap(
      (batch) => log.appendAsLeader(batch, this.#leader.leaderEpoch, wallMs, config.messageTimestampType).operations,
    );
    this.#broker.write(this.#replica, operations, () => this.#broker.becameDurable(this.#replica));
    this.#broker.purgatory.touch(this.#replica.key);
    for (const [subject, endOffset] of this.#ends) {
      if (endOffset > this.#leader.highWatermark) break;
      this.#ends.delete(subject);
    }
    for (const record of records) {
      const subject = subjectOf(record);
      this.#ends.delete(subject);
      this.#ends.set(subject, log.nextOffset);
    }
  }

  /** Up to where the log has to be committed before any of the subjects may be told of. */
  #endOf(subjects: readonly Subject[]): number {
    return subjects.reduce((end, subject) => Math.max(end, this.#ends.get(subject) ?? 0), 0);
  }

  /** The answers, which wait for the log to be committed up to what they tell of. */
  #committed(answers: readonly Answer[], endOffset: number, deadlineMs: number): Delayed {
    const refuse = (error: ErrorName) => {
      for (const answer of answers) answer.refuse(error);
    };
    return {
      keys: [this.#replica.key],
      deadlineMs,
      tryComplete: () => {
        if (this.#phase === "closed") refuse("NOT_COORDINATOR");
        else if (this.#leader.highWatermark >= endOffset) for (const answer of answers) answer.give();
        else return false;
        return true;
      },
      expire: () => refuse("COORDINATOR_NOT_AVAILABLE"),
    };
  }
}

function inBatches(records: readonly GroupRecord[], timestamp: number): Uint8Array[] {
  const made: Uint8Array[] = [];
  let batch: RecordInit[] = [];
  let size = 0;
  for (const record of records) {
    const { key, value } = encodeGroupRecord(record);
    const recordSize = key.length + (value?.length ?? 0);
    if (batch.length > 0 && size + recordSize > BATCH_BYTES) {
      made.push(encodeBatch(batch));
      batch = [];
      size = 0;
    }
    batch.push({ offset: batch.length, timestamp, key, value });
    size += recordSize;
  }
  made.push(encodeBatch(batch));
  return made;
}
