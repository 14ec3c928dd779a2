import type { ProduceRequest, ProduceResponseInit } from "../../protocol/apis/00-produce.ts";
import type { PartitionKey } from "../../log/stored-log.ts";
import { nodeEndpoints } from "../../metadata/metadata-response.ts";
import { isInternalTopic } from "../../metadata/topic-name.ts";
import { produce } from "../../protocol/apis/00-produce.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";
import { findProducedBatchFault } from "../../protocol/produced-batch.ts";
import { codecNames, readBatchHeader, recordsSection } from "../../protocol/record-batch.ts";
import type { BatchHeader, CodecName } from "../../protocol/record-batch.ts";
import type { Broker } from "../broker.ts";
import type { Handler, RequestContext, Respond } from "../handle-request.ts";
import type { Delayed } from "../purgatory.ts";
import { MAX_WAITING_BYTES } from "../recompression.ts";
import type { Recompressed, RecompressedBatches, WantedCodec, WantedCodecs } from "../recompression.ts";
import type { Replica } from "../replica.ts";
import { findWrongRecords, looksAtRecords } from "../wrong-records.ts";

type PartitionResponse = ProduceResponseInit["responses"][number]["partitionResponses"][number];

const ALL = -1;
const NONE_WANTED: WantedCodecs = new Map();
/** How many records of a batch are told to be wrong, at most. */
const MAX_RECORDS_BLAMED = 1_000;

/** What a request has for one partition. */
interface Produced {
  readonly name: string;
  readonly index: number;
  readonly records: Uint8Array | null;
}

/** What became of one partition's batch: refused, or appended and waiting for the durability that was asked for. */
interface Outcome {
  readonly name: string;
  readonly index: number;
  readonly error: ErrorName;
  readonly message?: string | undefined;
  /** The places in the batch of the records that are to blame. */
  readonly records?: readonly number[];
  readonly appended?: Appended;
}

interface Appended {
  readonly replica: Replica;
  readonly leaderEpoch: number;
  readonly baseOffset: number;
  readonly lastOffset: number;
  readonly logAppendTimeMs: number;
}

/**
 * Serves v3 to v11. Batches are stored as the bytes the producer sent, unless their topic asks for another codec; only
 * their base offset and leader epoch are written in. acks=1 is answered once this broker's own copy is durable, acks=-1
 * once the high watermark has passed the batch (R6, R15), acks=0 never; an error closes an acks=0 connection, which is
 * all that its producer can notice.
 *
 * A batch that was appended before is answered with its original offset (R16), and waits like a new one.
 */
export const produceHandler: Handler<typeof produce> = {
  api: produce,
  handle(broker, request, context, respond) {
    const produced: Produced[] = [];
    for (const { name, partitionData } of request.topicData) {
      for (const { index, records } of partitionData) produced.push({ name, index, records });
    }
    const wanted = wantedCodecs(broker, context, produced);
    const hasTurn = broker.recompression.inTurn(wanted, sizeOf(produced), (recompressed) => {
      const outcomes = produced.map((batch) => append(broker, request, context, batch, recompressed));
      answer(broker, request, context, outcomes, respond);
    });
    if (hasTurn) return;
    context.close(`more than ${MAX_WAITING_BYTES} bytes of records wait for codecs; send them later`);
  },
};

function sizeOf(produced: readonly Produced[]): number {
  return produced.reduce((total, { records }) => total + (records?.length ?? 0), 0);
}

/**
 * The codecs of topics that do not take their producer's, or that have to see what it compressed. What cannot be
 * appended anyway is left as it is.
 */
function wantedCodecs(
  broker: Broker,
  { version }: RequestContext,
  produced: readonly Produced[],
): WantedCodecs {
  let wanted: Map<Uint8Array, WantedCodec> | undefined;
  for (const { name, index, records } of produced) {
    const found = broker.leaderOf(name, index);
    if ("error" in found || records === null) continue;
    const { config } = found.replica;
    const { compression, maxMessageBytes } = config;
    const opened = looksAtRecords(config);
    if (compression === "producer" && !opened) continue;
    if (findProducedBatchFault(records, { maxMessageBytes, produceVersion: version }) !== undefined) continue;
    const sentCodec = codecOf(readBatchHeader(records));
    const codec = compression === "producer" ? sentCodec : compression;
    if (codec === sentCodec && (codec === "none" || !opened)) continue;
    wanted ??= new Map();
    wanted.set(records, { codec, opened });
  }
  return wanted ?? NONE_WANTED;
}

function codecOf({ attributes }: BatchHeader): CodecName {
  return codecNames[attributes.codec]!;
}

function answer(
  broker: Broker,
  { acks, timeoutMs }: ProduceRequest,
  context: RequestContext,
  outcomes: readonly Outcome[],
  respond: Respond<typeof produce>,
): void {
  if (acks === 0) {
    const refused = outcomes.find(({ error }) => error !== "NONE");
    if (refused !== undefined) context.close(`acks=0 to ${refused.name}-${refused.index} failed: ${refused.error}`);
    return respond(undefined);
  }
  const delayed: Delayed = {
    keys: keysOf(outcomes),
    deadlineMs: context.nowMs + Math.max(0, timeoutMs),
    tryComplete() {
      const results = outcomes.map((outcome) => settled(outcome, acks));
      if (results.includes(undefined)) return false;
      respond(response(broker, context, outcomes, results));
      return true;
    },
    expire() {
      const results = outcomes.map((outcome) => settled(outcome, acks) ?? "REQUEST_TIMED_OUT");
      respond(response(broker, context, outcomes, results));
    },
  };
  context.pending.abandoned = () => broker.purgatory.leave(delayed);
  broker.purgatory.enter(delayed, broker.nowMs);
}

/** The partitions of which something is waited for. */
function keysOf(outcomes: readonly Outcome[]): PartitionKey[] {
  const keys: PartitionKey[] = [];
  for (const { appended } of outcomes) if (appended !== undefined) keys.push(appended.replica.key);
  return keys;
}

function append(
  broker: Broker,
  request: ProduceRequest,
  context: RequestContext,
  { name, index, records }: Produced,
  recompressed: RecompressedBatches,
): Outcome {
  const refuse = (error: ErrorName, message?: string): Outcome => ({ name, index, error, message });
  if (request.acks !== ALL && request.acks !== 0 && request.acks !== 1) return refuse("INVALID_REQUIRED_ACKS");
  if (request.transactionalId !== null) return refuse("TRANSACTIONAL_ID_AUTHORIZATION_FAILED");
  if (isInternalTopic(name)) return refuse("INVALID_TOPIC_EXCEPTION", `${name} is written by brokers alone`);
  // Whoever waits for no answer, or connects anew instead, is not held back by one when the disk is slower.
  if (broker.unstoredBytes > broker.config.maxPipelinedBytes) return refuse("KAFKA_STORAGE_ERROR");
  const found = broker.leaderOf(name, index);
  if ("error" in found) return refuse(found.error);
  const { replica, state } = found;
  if (records === null) return refuse("INVALID_RECORD", "a produce request has exactly one batch for a partition");
  const { maxMessageBytes, messageTimestampType } = replica.config;
  const fault = findProducedBatchFault(records, { maxMessageBytes, produceVersion: context.version });
  if (fault !== undefined) return refuse(fault.error, fault.message);
  // A copy: the frame holds more than this batch, and the batch outlives it.
  const stored: Recompressed = recompressed.get(records) ?? { batch: records.slice() };
  if ("error" in stored) return refuse(stored.error, stored.message);
  const { batch } = stored;
  if (batch.length > maxMessageBytes) {
    const { compression } = replica.config;
    const message = `with compression.type ${compression} the batch has ${batch.length} bytes`;
    return refuse("MESSAGE_TOO_LARGE", `${message}, which exceeds max.message.bytes ${maxMessageBytes}`);
  }
  const wallMs = broker.wallMs(broker.nowMs);
  const header = readBatchHeader(batch);
  const section = codecOf(header) === "none" ? recordsSection(batch) : stored.section;
  const wrong = findWrongRecords(section, header, replica, wallMs);
  if (wrong !== undefined) return { name, index, ...wrong };
  if (request.acks === ALL) {
    const error = state.canAcceptAcksAll();
    if (error !== undefined) return refuse(error);
  }
  if (header.attributes.transactional) return refuse("INVALID_TXN_STATE", "there are no transactions here yet");
  const check = replica.log.checkProducer(header);
  if (check.kind === "error") return refuse(check.error);
  const { leaderEpoch } = state;
  if (check.kind === "duplicate") {
    const { baseOffset, lastOffset } = check;
    return appendedAs(name, index, { replica, leaderEpoch, baseOffset, lastOffset, logAppendTimeMs: -1 });
  }
  const { baseOffset, lastOffset, operations } = replica.log.appendAsLeader(
    batch,
    leaderEpoch,
    wallMs,
    messageTimestampType,
  );
  broker.write(replica, operations, () => broker.becameDurable(replica));
  broker.purgatory.touch(replica.key);
  const logAppendTimeMs = messageTimestampType === "LogAppendTime" ? wallMs : -1;
  return appendedAs(name, index, { replica, leaderEpoch, baseOffset, lastOffset, logAppendTimeMs });
}

function appendedAs(name: string, index: number, appended: Appended): Outcome {
  return { name, index, error: "NONE", appended };
}

/** The error to answer with, "NONE" for success, or undefined while the outcome is open. */
function settled({ error, appended }: Outcome, acks: number): ErrorName | undefined {
  if (appended === undefined) return error;
  const { replica, leaderEpoch, lastOffset } = appended;
  const { role } = replica;
  // Whoever leads now has, or has not, what was appended here: only the producer's retry can tell.
  if (role.kind !== "leader" || role.state.leaderEpoch !== leaderEpoch) return "NOT_LEADER_OR_FOLLOWER";
  if (acks !== ALL) return replica.log.logEndOffset > lastOffset ? "NONE" : undefined;
  if (role.state.highWatermark > lastOffset) return "NONE";
  return role.state.canAcceptAcksAll() === undefined ? undefined : "NOT_ENOUGH_REPLICAS_AFTER_APPEND";
}

function response(
  broker: Broker,
  { listener }: RequestContext,
  outcomes: readonly Outcome[],
  errors: readonly (ErrorName | undefined)[],
): ProduceResponseInit {
  const topics = new Map<string, PartitionResponse[]>();
  const leaders: number[] = [];
  outcomes.forEach((outcome, at) => {
    const responses = topics.get(outcome.name) ?? [];
    topics.set(outcome.name, responses);
    const partition = partitionResponse(broker, outcome, errors[at]!);
    responses.push(partition);
    if (partition.currentLeader) leaders.push(partition.currentLeader.leaderId);
  });
  return {
    responses: [...topics].map(([name, partitionResponses]) => ({ name, partitionResponses })),
    nodeEndpoints: nodeEndpoints(broker.image, leaders, listener),
  };
}

function partitionResponse(
  broker: Broker,
  { name, index, message, records = [], appended }: Outcome,
  error: ErrorName,
): PartitionResponse {
  const succeeded = error === "NONE" && appended !== undefined;
  return {
    index,
    errorCode: errorCode(error),
    errorMessage: message ?? null,
    recordErrors: records.slice(0, MAX_RECORDS_BLAMED).map((batchIndex) => ({ batchIndex })),
    baseOffset: succeeded ? appended.baseOffset : -1,
    logAppendTimeMs: succeeded ? appended.logAppendTimeMs : -1,
    logStartOffset: succeeded ? appended.replica.log.logStartOffset : -1,
    currentLeader: error === "NOT_LEADER_OR_FOLLOWER" ? broker.currentLeader(name, index) : null,
  };
}
