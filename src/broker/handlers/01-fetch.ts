import { CHUNK_BYTES } from "../../log/chunk-building.ts";
import { holdsRecords } from "../../log/gap-batch.ts";
import type { PartitionLog } from "../../log/partition-log.ts";
import { MAX_PRODUCERS } from "../../log/producer-state.ts";
import { partitionKey } from "../../log/stored-log.ts";
import { KAFKA_LISTENER } from "../../metadata/listener-names.ts";
import { nodeEndpoints } from "../../metadata/metadata-response.ts";
import { fetch } from "../../protocol/apis/01-fetch.ts";
import type { FetchRequest, FetchResponseInit } from "../../protocol/apis/01-fetch.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { CorruptMessageError } from "../../protocol/errors.ts";
import { checkLeaderEpoch, divergence } from "../../replication/fetch-fencing.ts";
import type { Broker } from "../broker.ts";
import type { Handler, RequestContext, Respond } from "../handle-request.ts";
import type { Delayed } from "../purgatory.ts";
import type { Replica, Role } from "../replica.ts";

type AskedPartition = FetchRequest["topics"][number]["partitions"][number];
type Leading = Extract<Role, { readonly kind: "leader" }>;
type PartitionResponse = FetchResponseInit["responses"][number]["partitions"][number];

/** One partition of the request, found here or not. */
interface Asked {
  readonly topic: string;
  readonly topicId: string;
  readonly partition: AskedPartition;
  readonly replica: Replica | undefined;
  /** Whether the request named it before. */
  readonly isTwice: boolean;
}

/** What can be said about one partition at this moment. */
type Answer =
  | { readonly kind: "error"; readonly error: ErrorName }
  | { readonly kind: "diverging"; readonly epoch: number; readonly endOffset: number }
  | { readonly kind: "records"; readonly bytes: Uint8Array }
  | { readonly kind: "disk"; readonly fromOffset: number; readonly maxBytes: number; readonly endOffset: number };

const NO_RECORDS = new Uint8Array(0);
const READ_COMMITTED = 1;
/** Since this version clients know that a broker's storage can fail; those before look for another leader. */
const STORAGE_ERROR_SINCE = 6;
/**
 * Once one answer tells of so many earlier producers it tells no more: what a reader takes from one message is bounded.
 * Those of one partition are fewer.
 */
const MAX_PRODUCERS_TOLD = 2 * MAX_PRODUCERS;

/**
 * Serves v4 to v16 to consumers, and v17 to followers. Consumers read below the high watermark. Followers read all that
 * was appended, before it is durable here, so that the disks of all replicas work at the same time; the high watermark
 * waits for the leader's own disk too (R6). A follower's fetch offset also says what it has stored (R7).
 *
 * Waits up to `maxWaitMs` for `minBytes`, unless there is an error or a divergence to tell. A request that arrives behind a
 * waiting fetch on the same connection ends the wait. At least one batch is returned whatever its size (KIP-74), and to
 * consumers one with records if there is one: some take an answer without any for the end of the partition.
 * Fetch sessions (KIP-227) are declined with session id 0, so whoever names one has it from elsewhere. Reading from
 * followers (KIP-392) is not implemented.
 */
export const fetchHandler: Handler<typeof fetch> = {
  api: fetch,
  handle(broker, request, context, respond) {
    if (continuesSession(request)) {
      return respond({ errorCode: errorCode("FETCH_SESSION_ID_NOT_FOUND"), responses: [] });
    }
    new WaitingFetch(broker, request, context, respond).begin();
  },
};

/** Whether only changes of an earlier request are told. Epoch 0 asks for a session, -1 for none. */
function continuesSession({ sessionEpoch }: FetchRequest): boolean {
  return sessionEpoch !== 0 && sessionEpoch !== -1;
}

class WaitingFetch implements Delayed {
  readonly keys: readonly string[];
  readonly deadlineMs: number;
  readonly #broker: Broker;
  readonly #request: FetchRequest;
  readonly #context: RequestContext;
  readonly #respond: Respond<typeof fetch>;
  readonly #asked: readonly Asked[];
  readonly #replicaId: number;
  readonly #readsCommitted: boolean;
  #producersTold = 0;

  constructor(broker: Broker, request: FetchRequest, context: RequestContext, respond: Respond<typeof fetch>) {
    this.#broker = broker;
    this.#request = request;
    this.#context = context;
    this.#respond = respond;
    this.#replicaId = request.replicaState?.replicaId ?? request.replicaId;
    this.#readsCommitted = request.isolationLevel === READ_COMMITTED;
    const asked: Asked[] = [];
    const keys = new Set<string>();
    for (const { topic, topicId, partitions } of request.topics) {
      const id = context.version >= 13 ? topicId : (broker.image.topicsByName.get(topic) ?? "");
      for (const partition of partitions) {
        const replica = broker.replica(partitionKey(id, partition.partition));
        const isTwice = replica !== undefined && keys.has(replica.key);
        asked.push({ topic, topicId, partition, replica, isTwice });
        if (replica !== undefined) keys.add(replica.key);
      }
    }
    this.#asked = asked;
    this.keys = [...keys];
    this.deadlineMs = context.nowMs + Math.max(0, request.maxWaitMs);
  }

  get #maxBytes(): number {
    return Math.min(Math.max(0, this.#request.maxBytes), this.#broker.config.fetchMaxBytes);
  }

  begin(): void {
    if (this.#replicaId >= 0) this.#noteFollower();
    this.#context.pending.abandoned = () => this.#broker.purgatory.leave(this);
    this.#context.pending.hurry = () => {
      this.#broker.purgatory.leave(this);
      this.expire();
    };
    this.#broker.purgatory.enter(this, this.#context.nowMs);
  }

  tryComplete(): boolean {
    if (!this.#mayAnswer()) return false;
    this.expire();
    return true;
  }

  expire(): void {
    this.#context.pending.hurry = undefined;
    this.#context.pending.abandoned = undefined;
    this.#answer();
  }

  /**
   * Whether there is an error, a divergence, about as much as the asker wants, or nothing to wait for at all. Reads
   * nothing, for it is asked each time that one of the partitions changes.
   */
  #mayAnswer(): boolean {
    if (this.#asked.length === 0) return true;
    const minBytes = Math.min(this.#request.minBytes, this.#maxBytes);
    let bytes = 0;
    for (const asked of this.#asked) {
      const { replica, partition } = asked;
      const { fetchOffset, partitionMaxBytes } = partition;
      const checked = this.#check(asked);
      if ("kind" in checked || replica === undefined) return true;
      // What was deleted here, a follower deletes with the next answer.
      if (this.#replicaId >= 0 && partition.logStartOffset < replica.log.logStartOffset) return true;
      if (checked.endOffset <= fetchOffset) continue;
      if (minBytes <= 1) return true;
      bytes += Math.min(replica.log.bytesBetween(fetchOffset, checked.endOffset), partitionMaxBytes);
    }
    return bytes >= minBytes;
  }

  #answer(): void {
    let budget = this.#maxBytes;
    let first = true;
    const answers: Answer[] = [];
    for (const asked of this.#asked) {
      const checked = this.#check(asked);
      if ("kind" in checked) {
        answers.push(checked);
        continue;
      }
      const { replica, partition } = asked;
      const maxBytes = Math.min(budget, Math.max(0, partition.partitionMaxBytes));
      // Only the first partition with records may exceed the limits, by one batch.
      const answer: Answer =
        maxBytes > 0 || first
          ? this.#read(replica!, partition, checked.endOffset, maxBytes)
          : { kind: "records", bytes: NO_RECORDS };
      if (answer.kind === "records") budget -= answer.bytes.length;
      // A disk hands over whole chunks.
      if (answer.kind === "disk") budget -= Math.max(maxBytes, CHUNK_BYTES);
      if (answer.kind === "disk" || (answer.kind === "records" && answer.bytes.length > 0)) first = false;
      answers.push(answer);
    }
    this.#readDisk(answers);
  }

  /** Fetches what lies on disk, and answers when all of it is there. */
  #readDisk(answers: readonly Answer[]): void {
    let missing = 0;
    for (const { kind } of answers) if (kind === "disk") missing++;
    if (missing === 0) return this.#respond(this.#response(answers));
    const complete = [...answers];
    answers.forEach((answer, at) => {
      const asked = this.#asked[at]!;
      if (answer.kind !== "disk" || asked.replica === undefined) return;
      this.#readPart(asked, asked.replica, answer, (read, damage) => {
        complete[at] = read;
        missing--;
        if (missing === 0) this.#respond(this.#response(complete.map((ready, index) => this.#checkAgain(ready, index))));
        if (damage !== undefined) this.#broker.damaged(damage);
      });
    });
  }

  /** While the disk was read for others, somebody else may have begun to lead what was ready. */
  #checkAgain(answer: Answer, at: number): Answer {
    if (answer.kind !== "records") return answer;
    const checked = this.#check(this.#asked[at]!);
    return "kind" in checked ? checked : answer;
  }

  #readPart(
    asked: Asked,
    replica: Replica,
    { fromOffset, maxBytes, endOffset }: Extract<Answer, { readonly kind: "disk" }>,
    done: (answer: Answer, damage?: CorruptMessageError) => void,
  ): void {
    this.#broker.read(replica, fromOffset, maxBytes, (chunks) => {
      // The log may have been truncated, or trimmed, while the disk was read.
      const checked = this.#check(asked);
      if ("kind" in checked) return done(checked);
      const end = Math.min(endOffset, checked.endOffset);
      try {
        const { bytes, nextOffset } = replica.log.sliceChunks(chunks, fromOffset, maxBytes, end);
        if (!this.#mayPassOver(bytes, nextOffset, end)) return done({ kind: "records", bytes });
        this.#readPart(asked, replica, { kind: "disk", fromOffset: nextOffset, maxBytes, endOffset }, done);
      } catch (error) {
        if (!(error instanceof CorruptMessageError)) throw error;
        done(failed("KAFKA_STORAGE_ERROR"), error);
      }
    });
  }

  /** Whether these batches hold nothing for a consumer, and others follow that may. */
  #mayPassOver(bytes: Uint8Array, nextOffset: number, endOffset: number): boolean {
    return this.#replicaId < 0 && bytes.length > 0 && nextOffset < endOffset && !holdsRecords(bytes);
  }

  #check(asked: Asked): { readonly endOffset: number } | Answer {
    const { replica, partition, isTwice } = asked;
    if (replica === undefined) return failed(this.#unknown(asked));
    if (isTwice) return failed("INVALID_REQUEST");
    if (replica.role.kind !== "leader") return failed("NOT_LEADER_OR_FOLLOWER");
    const { log, role } = replica;
    const fenced = checkLeaderEpoch(partition.currentLeaderEpoch, role.state.leaderEpoch);
    if (fenced !== undefined) return failed(fenced);
    const isFollower = this.#replicaId >= 0;
    if (isFollower && !this.#isFollower(replica)) return failed("UNKNOWN_LEADER_EPOCH");
    // Who has read of a later epoch has heard of a later leader than this one, which has not.
    if (partition.lastFetchedEpoch > role.state.leaderEpoch) return failed("UNKNOWN_LEADER_EPOCH");
    const logEndOffset = isFollower ? log.nextOffset : log.logEndOffset;
    if (partition.lastFetchedEpoch >= 0) {
      const seen = { epochs: log.epochs, logStartOffset: log.logStartOffset, logEndOffset };
      const diverging = divergence(seen, partition.lastFetchedEpoch, partition.fetchOffset, isFollower);
      if (diverging !== undefined) return { kind: "diverging", ...diverging };
    }
    if (partition.fetchOffset > logEndOffset && !isFollower && !this.#broker.requests.connected) {
      // Cut off from the controller, this broker cannot know whether somebody else leads by now, and has more.
      return failed("OFFSET_NOT_AVAILABLE");
    }
    if (partition.fetchOffset < log.logStartOffset || partition.fetchOffset > logEndOffset) {
      return failed("OFFSET_OUT_OF_RANGE");
    }
    if (this.#mustStartAnew(log, role, partition)) {
      const endOffset = Math.min(log.logStartOffset, partition.logStartOffset);
      return { kind: "diverging", epoch: partition.lastFetchedEpoch, endOffset };
    }
    return { endOffset: this.#replicaId >= 0 ? logEndOffset : role.state.highWatermark };
  }

  /** R21. A member of the ISR has all that was ever committed, tombstones as well. */
  #mustStartAnew(log: PartitionLog, { state, copies }: Leading, partition: AskedPartition): boolean {
    if (this.#replicaId < 0 || state.maximalIsr.includes(this.#replicaId)) return false;
    return copies.mustStartAnew(this.#replicaId, this.#copyOf(partition), partition.lastFetchedEpoch, log);
  }

  #copyOf({ fetchOffset }: AskedPartition): { readonly brokerEpoch: number; readonly fetchOffset: number } {
    return { brokerEpoch: this.#request.replicaState?.replicaEpoch ?? -1, fetchOffset };
  }

  /** A follower must be a replica under its present registration; the leader may hear of that a moment later than it. */
  #isFollower(replica: Replica): boolean {
    const brokerEpoch = this.#request.replicaState?.replicaEpoch ?? -1;
    const registered = this.#broker.image.brokers.get(this.#replicaId);
    return (
      // Followers are tabs; whoever comes by TCP is none.
      this.#context.listener !== KAFKA_LISTENER &&
      replica.assignment?.replicas.includes(this.#replicaId) === true &&
      registered !== undefined &&
      registered.brokerEpoch === brokerEpoch
    );
  }

  #unknown({ topic, topicId, partition }: Asked): ErrorName {
    const { image } = this.#broker;
    const id = this.#context.version >= 13 ? topicId : image.topicsByName.get(topic);
    const known = id === undefined ? undefined : image.topics.get(id)?.partitions[partition.partition];
    if (known !== undefined) return "NOT_LEADER_OR_FOLLOWER";
    return this.#context.version >= 13 && !image.topics.has(topicId) ? "UNKNOWN_TOPIC_ID" : "UNKNOWN_TOPIC_OR_PARTITION";
  }

  #read(replica: Replica, { fetchOffset }: AskedPartition, endOffset: number, maxBytes: number): Answer {
    for (let offset = fetchOffset; offset < endOffset; ) {
      const read = replica.log.read(offset, maxBytes, endOffset);
      if (read.kind === "disk") return { kind: "disk", fromOffset: read.fromOffset, maxBytes, endOffset };
      if (read.kind === "out-of-range") return failed("OFFSET_OUT_OF_RANGE");
      if (!this.#mayPassOver(read.bytes, read.nextOffset, endOffset)) return { kind: "records", bytes: read.bytes };
      offset = read.nextOffset;
    }
    return { kind: "records", bytes: NO_RECORDS };
  }

  /** Takes note of how far the follower has got, once, as the request comes in. */
  #noteFollower(): void {
    for (const asked of this.#asked) {
      if ("kind" in this.#check(asked)) continue;
      const replica = asked.replica!;
      const { state, copies } = replica.role as Leading;
      copies.note(this.#replicaId, this.#copyOf(asked.partition), asked.partition.lastFetchedEpoch, replica.log);
      const { proposal, logStartRaised } = state.onFollowerFetch({
        replicaId: this.#replicaId,
        brokerEpoch: this.#request.replicaState?.replicaEpoch ?? -1,
        fetchOffset: asked.partition.fetchOffset,
        logEndOffset: replica.log.logEndOffset,
        nextOffset: replica.log.nextOffset,
        logStartOffset: asked.partition.logStartOffset,
        leaderLogStartOffset: replica.log.logStartOffset,
        nowMs: this.#context.nowMs,
      });
      this.#broker.committed(replica);
      this.#broker.propose(replica, proposal);
      if (logStartRaised === true) this.#broker.purgatory.touch(replica.key);
    }
  }

  #response(answers: readonly Answer[]): FetchResponseInit {
    const leaders: number[] = [];
    let at = 0;
    const responses = this.#request.topics.map(({ topic, topicId, partitions: { length } }) => {
      const partitions: PartitionResponse[] = [];
      for (; partitions.length < length; at++) {
        const partition = this.#partitionResponse(this.#asked[at]!, answers[at]!);
        partitions.push(partition);
        if (partition.currentLeader) leaders.push(partition.currentLeader.leaderId);
      }
      return { topic, topicId, partitions };
    });
    return { responses, nodeEndpoints: nodeEndpoints(this.#broker.image, leaders, this.#context.listener) };
  }

  #toldOf(error: ErrorName): ErrorName {
    const isUnknown = error === "KAFKA_STORAGE_ERROR" && this.#context.version < STORAGE_ERROR_SINCE;
    return isUnknown ? "NOT_LEADER_OR_FOLLOWER" : error;
  }

  #partitionResponse(asked: Asked, answer: Answer): PartitionResponse {
    const { replica, partition, topic, topicId } = asked;
    const topicName = replica?.topicName ?? this.#broker.image.topics.get(topicId)?.name ?? topic;
    const error = answer.kind === "error" ? this.#toldOf(answer.error) : "NONE";
    const stale = error === "NOT_LEADER_OR_FOLLOWER" || error === "FENCED_LEADER_EPOCH";
    const highWatermark = error === "NONE" && replica?.role.kind === "leader" ? replica.role.state.highWatermark : -1;
    // Whoever is out of range goes on from where the log starts, without another question.
    const tellsStart = error === "NONE" || error === "OFFSET_OUT_OF_RANGE";
    const mayStartAnew = this.#replicaId >= 0 && (error === "OFFSET_OUT_OF_RANGE" || answer.kind === "diverging");
    if (mayStartAnew && this.#producersTold >= MAX_PRODUCERS_TOLD) {
      // A follower asks again, and then those before it have started.
      return this.#partitionResponse(asked, failed("OFFSET_NOT_AVAILABLE"));
    }
    const earlierProducers = mayStartAnew ? (replica?.log.earlierProducers() ?? []) : [];
    this.#producersTold += earlierProducers.length;
    return {
      partitionIndex: partition.partition,
      errorCode: errorCode(error),
      highWatermark,
      lastStableOffset: highWatermark,
      logStartOffset: (tellsStart ? replica?.log.logStartOffset : undefined) ?? -1,
      earlierProducers,
      divergingEpoch: answer.kind === "diverging" ? { epoch: answer.epoch, endOffset: answer.endOffset } : null,
      currentLeader: stale ? this.#broker.currentLeader(topicName, partition.partition) : null,
      abortedTransactions: replica === undefined || (error === "NONE" && this.#readsCommitted) ? [] : null,
      records: answer.kind === "records" ? answer.bytes : NO_RECORDS,
    };
  }
}

function failed(error: ErrorName): Answer {
  return { kind: "error", error };
}
