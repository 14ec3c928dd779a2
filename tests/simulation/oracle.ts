import type { Broker } from "../../src/broker/broker.ts";
import type { BrokerEffect } from "../../src/broker/effects.ts";
import type { BrokerEvent } from "../../src/broker/events.ts";
import type { Replica } from "../../src/broker/replica.ts";
import type { PartitionLog } from "../../src/log/partition-log.ts";
import type { StoreOperation } from "../../src/log/stored-log.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { batches } from "../../src/protocol/record-batch.ts";
import type { BatchHeader } from "../../src/protocol/record-batch.ts";
import type { LeaderState } from "../../src/replication/leader.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { DeletionWatch } from "./deletion-watch.ts";
import { EndWatch } from "./end-watch.ts";
import { FetchWatch } from "./fetch-watch.ts";
import type { GroupTruth } from "./group-truth.ts";
import { GroupWatch } from "./group-watch.ts";
import { OpenRequests } from "./open-requests.ts";
import { expectComplete, fail } from "./oracle-context.ts";
import type { OracleContext } from "./oracle-context.ts";
import { ProduceWatch } from "./produce-watch.ts";

/** What a page was seen to be for one partition. */
interface Seen {
  readonly log: PartitionLog;
  role: Replica["role"];
  isStale: boolean;
  highWatermark: number;
  nextOffset: number;
  logStartOffset: number;
  /** How often the log was cut in the present leader epoch. */
  cuts: number;
}

/** One page, from its load on. */
interface Page {
  readonly partitions: Map<string, Seen>;
  /** The end of the metadata that it had applied. */
  metadataEnd: number;
  /** By its own clock, when something happened in it last, and under which broker epoch it served then. */
  lastEventMs: number;
  brokerEpoch: number | undefined;
  /** Under which it may not serve any more. */
  lostEpoch: number | undefined;
}

const HOUR_MS = 3_600_000;
/** A leader knows the last batches of each producer, and so each of the last ones in the log. */
const KNOWN_BATCHES = 5;
/** The most that may wait in one tab. Clients and followers have few requests open each, and there are few of them. */
const MOST_DELAYED_REQUESTS = 400;
const MOST_EVENTS = 2_000;
const MOST_WRITES = 1_000;
/** A follower has at most two fetches open at a leader, and each is answered with 8 MiB at most and one batch more. */
const MOST_QUEUED_BYTES = 18 * 1024 * 1024;

/**
 * The rules that hold after every single event, whatever went wrong before. The cheap part looks at the one tab that
 * something happened to; whole logs are compared only when somebody begins to lead.
 *
 * Nothing durable is done by a broker that was fenced: what it may still do is end what was decided before. A leader
 * that was replaced can count fetches that followers made before they heard of it, and so commit; each of those who
 * may be elected since holds such a record, and so `#committed` asks for that and no less. Whatever it cannot have
 * learnt before is refused: AlterPartition by `IsrDecisions`, fetches by `FetchWatch`.
 */
export class Oracle {
  readonly #context: OracleContext;
  readonly #controller: ControllerWatch;
  readonly #requests: OpenRequests;
  readonly #deletions: DeletionWatch;
  /** Undefined in a cluster without groups. */
  readonly groups: GroupWatch | undefined;
  readonly #timeGapMs: number;
  /** By the broker that runs in it: each load of a page has another one. */
  readonly #pages = new WeakMap<Broker, Page>();
  /** Who led in an epoch: nobody else ever may. */
  readonly #leaders = new Map<string, string>();

  /** `timeGapMs` is the brokers', see `BrokerConfig`. */
  constructor(context: OracleContext, controller: ControllerWatch, timeGapMs: number, groups?: GroupTruth) {
    this.#context = context;
    this.#controller = controller;
    this.#timeGapMs = timeGapMs;
    this.groups = groups === undefined ? undefined : new GroupWatch(context, controller, groups);
    this.#deletions = new DeletionWatch(context, controller);
    this.#requests = new OpenRequests([
      new FetchWatch(context, controller),
      new ProduceWatch(),
      new EndWatch(context, controller),
      this.#deletions,
      ...(this.groups === undefined ? [] : [this.groups]),
    ]);
  }

  look(tab: SimulatedTab, event: BrokerEvent, effects: readonly BrokerEffect[]): void {
    const { core } = tab;
    // A broker that ends answers what waits in its last step, and clients act on that.
    if (core === undefined) return this.#requests.answered(tab, effects);
    const page = this.#pageOf(tab, core);
    if (page.metadataEnd !== core.image.endOffset) {
      this.#controller.expectPrefix(tab.name, core.image);
      page.metadataEnd = core.image.endOffset;
    }
    this.#expectNoGap(tab, page);
    this.#requests.asked(tab, event);
    for (const key of this.#controller.keys) {
      const replica = core.replica(key);
      if (replica !== undefined) this.#lookAt(tab, replica, page.partitions);
      else if (page.partitions.has(key)) this.#deleted(tab, key, page.partitions);
    }
    this.groups?.lookForLoads(tab);
    this.#requests.answered(tab, effects);
    if (event.type === "written") this.#replaced(tab, event.operations);
    if (event.type === "identity-saved") this.#controller.expectPresentable(tab);
    this.#expectBounds(tab);
  }

  /** Joining changes nothing, and what is left of a log that was compacted is all that anybody may want to know of it. */
  #replaced(tab: SimulatedTab, operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      if (operation.type !== "replace-chunks") continue;
      const replica = tab.core?.replica(operation.key);
      if (replica === undefined) continue;
      if (this.#context.truth.compactedLog(this.#label(replica)) === undefined) {
        this.#context.mark("chunks joined");
        this.#compare(tab, replica, operation.baseOffset, operation.lastOffset + 1, false);
        continue;
      }
      if (replica.log.compaction.compactedTo > 0) this.#context.mark("log compacted");
      // What is behind the high watermark may yet be cut.
      this.#compare(tab, replica, 0, replica.log.highWatermark, false);
    }
  }

  #pageOf(tab: SimulatedTab, core: Broker): Page {
    let page = this.#pages.get(core);
    if (page === undefined) {
      const partitions = new Map<string, Seen>();
      page = { partitions, metadataEnd: -1, lastEventMs: tab.nowMs, brokerEpoch: undefined, lostEpoch: undefined };
      this.#pages.set(core, page);
    }
    return page;
  }

  /** B6: whoever did not run for so long may have been replaced, and serves only once it has registered anew. */
  #expectNoGap({ name, core, nowMs }: SimulatedTab, page: Page): void {
    const gapMs = nowMs - page.lastEventMs;
    if (gapMs >= this.#timeGapMs) page.lostEpoch = page.brokerEpoch;
    page.lastEventMs = nowMs;
    page.brokerEpoch = core?.self()?.brokerEpoch;
    if (page.lostEpoch === undefined || page.brokerEpoch !== page.lostEpoch) return;
    fail("gap-ends-registration", `${name} serves in broker epoch ${page.lostEpoch}, in which it missed time`);
  }

  #lookAt(tab: SimulatedTab, replica: Replica, pageSeen: Map<string, Seen>): void {
    const { log, role, key } = replica;
    const { logStartOffset, highWatermark, logEndOffset, nextOffset } = log;
    if (logStartOffset > highWatermark || highWatermark > logEndOffset || logEndOffset > nextOffset) {
      const offsets = [logStartOffset, highWatermark, logEndOffset, nextOffset].join(", ");
      fail("offsets-in-order", `${tab.name}, ${this.#label(replica)}: ${offsets}`);
    }
    let seen = pageSeen.get(key);
    if (seen === undefined) {
      seen = { log, role: { kind: "offline" }, isStale: false, highWatermark, nextOffset, logStartOffset, cuts: 0 };
      pageSeen.set(key, seen);
    }
    if (nextOffset < seen.nextOffset) this.#cut(tab, replica, seen);
    seen.nextOffset = nextOffset;
    if (role !== seen.role) this.#roleChanged(tab, replica, seen);
    if (role.kind === "leader") this.#lookAtLeader(tab, replica, role.state, seen);
    else {
      // A log that starts anew is on the disk as it was before for a moment, the chunk that holds its start included.
      const from = Math.max(seen.highWatermark, logStartOffset);
      if (highWatermark > from) this.#compare(tab, replica, from, highWatermark, false);
    }
    if (logStartOffset !== seen.logStartOffset) this.#trimmed(tab, replica, seen);
    seen.highWatermark = highWatermark;
  }

  /**
   * R18: a copy goes with its topic; or because others alone are to hold the partition, and all of them do, by what this
   * broker has heard. Whatever the controller has decided since, it counts on no such copy.
   */
  #deleted({ name, core }: SimulatedTab, key: string, pageSeen: Map<string, Seen>): void {
    const { log } = pageSeen.get(key)!;
    pageSeen.delete(key);
    const shown = core!.image.partition(log.topicId, log.partitionIndex);
    if (shown === undefined) return;
    const { replicas, isr, eligibleLeaderReplicas, leader } = shown;
    const { nodeId } = core!;
    const isSettled = leader >= 0 && isr.length === replicas.length && eligibleLeaderReplicas.length === 0;
    if (core!.self() === undefined || !isSettled || replicas.includes(nodeId)) {
      fail("removed-for-a-reason", `${name} deletes ${this.#label({ log })}, and is shown ${JSON.stringify(shown)}`);
    }
    const decided = this.#controller.partition(key);
    if (decided?.isr.includes(nodeId) === true || decided?.eligibleLeaderReplicas.includes(nodeId) === true) {
      fail("removed-for-a-reason", `${name} deletes ${this.#label({ log })}, and counts: ${JSON.stringify(decided)}`);
    }
    this.#context.mark("stray copy deleted");
  }

  /** What a replica knows to be committed it does not give up: every leader has it (R4, R18). */
  #cut(tab: SimulatedTab, replica: Replica, seen: Seen): void {
    const { name } = tab;
    const { nextOffset } = replica.log;
    if (this.#startsAnew(tab, replica)) return this.#context.mark("compacted log copied anew");
    if (nextOffset < seen.highWatermark) {
      const where = `${name}, ${this.#label(replica)}`;
      fail("cut-keeps-committed", `${where}: cut to ${nextOffset}, and ${seen.highWatermark} was committed`);
    }
    this.#context.mark("truncation");
    seen.cuts++;
    if (seen.cuts > 1) this.#context.mark("diverging epochs over two rounds");
  }

  /** R21: whoever was away for so long that it missed tombstones copies all again, and is not counted on meanwhile. */
  #startsAnew({ core }: SimulatedTab, { key, log }: Replica): boolean {
    if (log.nextOffset > log.logStartOffset || this.#context.truth.compactedLog(this.#label({ log })) === undefined) return false;
    const decided = this.#controller.partition(key);
    const isCountedOn = [...(decided?.isr ?? []), ...(decided?.eligibleLeaderReplicas ?? [])].includes(core!.nodeId);
    return !isCountedOn;
  }

  #roleChanged(tab: SimulatedTab, replica: Replica, seen: Seen): void {
    const { role } = replica;
    if (seen.isStale && role.kind !== "leader") this.#context.mark("stale leader stepped down");
    const epochBefore = epochOf(seen.role);
    if (epochOf(role) !== epochBefore) seen.cuts = 0;
    seen.isStale = false;
    seen.role = role;
    if (role.kind !== "leader") return;
    // Whoever is alone in sync commits by beginning to lead.
    seen.highWatermark = Math.min(role.state.highWatermark, this.#context.truth.endOffset(this.#label(replica)));
    this.#beginsToLead(tab, replica, role.state);
  }

  #lookAtLeader(tab: SimulatedTab, replica: Replica, state: LeaderState, seen: Seen): void {
    const { highWatermark } = state;
    const where = () => `${tab.name}, ${this.#label(replica)}`;
    const decided = this.#controller.partition(replica.key);
    if (decided !== undefined && decided.leaderEpoch > state.leaderEpoch && !seen.isStale) {
      seen.isStale = true;
      this.#context.mark("stale leader");
    }
    if (decided?.leaderEpoch === state.leaderEpoch && state.isr.length >= state.effectiveMinIsr) {
      // The controller may elect any of these: a leader that forgot one would commit without it.
      const missing = decided.isr.find((node) => !state.isr.includes(node) && !state.maximalIsr.includes(node));
      if (missing !== undefined) fail("quorum-superset", `${where()}: leads without member ${missing} of the ISR`);
    }
    if (highWatermark === seen.highWatermark) return;
    if (highWatermark < seen.highWatermark) fail("high-watermark-monotonic", where());
    if (highWatermark > replica.log.logEndOffset) fail("high-watermark-in-log", where());
    this.#committed(tab, replica, seen.highWatermark, highWatermark);
  }

  #beginsToLead(tab: SimulatedTab, replica: Replica, state: LeaderState): void {
    const { truth, mark } = this.#context;
    const { log } = replica;
    const { leaderEpoch, epochStartOffset } = state;
    const label = this.#label(replica);
    const name = `${replica.key}/${leaderEpoch}`;
    const leader = `${tab.core!.nodeId} in broker epoch ${tab.core!.self()?.brokerEpoch}`;
    const other = this.#leaders.get(name);
    if (other !== undefined && other !== leader) fail("one-leader-per-epoch", `${label}: ${other} and ${leader}`);
    this.#leaders.set(name, leader);
    mark(leaderEpoch > 0 ? "failover" : "first leader");
    if (log.nextOffset > epochStartOffset) {
      fail("epoch-starts-at-log-end", `${tab.name} leads ${label} from ${epochStartOffset}, with records behind in flight`);
    }
    // A leader of an older epoch may not have heard that it was replaced.
    if (leaderEpoch < (this.#controller.partition(replica.key)?.leaderEpoch ?? Number.POSITIVE_INFINITY)) return;
    const committed = truth.endOffset(label);
    if (epochStartOffset < committed) {
      fail("leader-completeness", `${tab.name} leads ${label} from ${epochStartOffset} on, ${committed} was committed`);
    }
    if (epochStartOffset > committed) mark("uncommitted tail at election");
    this.#compare(tab, replica, 0, Number.POSITIVE_INFINITY, false);
    this.#deletions.beginsToLead(tab, replica);
    this.#expectProducersKnown(tab, replica);
  }

  /** R16: what a leader knows of producers follows from its log, so that it tells the last batches when they come again. */
  #expectProducersKnown(tab: SimulatedTab, { log, key }: Replica): void {
    const last: BatchHeader[] = [];
    for (const { bytes } of tab.storage.image.logs.lastChunks(key, KNOWN_BATCHES)) {
      for (const { header } of batches(bytes)) last.push(header);
    }
    for (const header of last.slice(-KNOWN_BATCHES)) {
      if (header.producerId < 0 || header.baseOffset < log.logStartOffset) continue;
      const check = log.checkProducer(header);
      const isFenced = check.kind === "error" && check.error === "INVALID_PRODUCER_EPOCH";
      if (isFenced || (check.kind === "duplicate" && check.baseOffset === header.baseOffset)) continue;
      const what = `the batch at ${header.baseOffset} of ${key} by producer ${header.producerId}`;
      fail("producers-follow-from-log", `${tab.name} begins to lead and takes ${what} for ${JSON.stringify(check)}`);
    }
  }

  #committed(tab: SimulatedTab, replica: Replica, from: number, to: number): void {
    const label = this.#label(replica);
    const isNew = to > this.#context.truth.endOffset(label);
    this.#compare(tab, replica, from, to, true);
    const decided = this.#controller.partition(replica.key);
    if (!isNew || decided === undefined) return;
    expectComplete(this.#context, decided, to, `${tab.name} commits`);
    // If the controller dies now, this is what it has decided.
    const stored = this.#controller.storedPartition(replica.key);
    if (stored !== undefined && stored !== decided) expectComplete(this.#context, stored, to, `${tab.name} commits early`);
  }

  /** Log starts rise where a leader's retention moved them, for a reason, and elsewhere only to follow. */
  #trimmed(tab: SimulatedTab, replica: Replica, seen: Seen): void {
    const { truth, mark } = this.#context;
    const { logStartOffset } = replica.log;
    const label = this.#label(replica);
    if (replica.role.kind === "leader" && logStartOffset > truth.trimmedTo(label)) {
      this.#expectReason(tab, replica);
      truth.trim(label, logStartOffset);
      this.#context.trimmed(label, logStartOffset);
      mark("log start moved by retention");
    }
    if (logStartOffset > truth.trimmedTo(label)) {
      fail("log-start-follows", `${tab.name} starts ${label} at ${logStartOffset}, which no leader ever did`);
    }
    seen.logStartOffset = logStartOffset;
  }

  /** Nothing goes but for its age or size, or because it was asked. No record of a run is an hour old, whatever a tab's own clock says. */
  #expectReason({ name }: SimulatedTab, { key, config, log }: Replica): void {
    const { retentionMs, retentionBytes, cleanupPolicy } = config;
    const isAnyOld = retentionMs >= 0 && retentionMs <= HOUR_MS;
    // As much as the size allows has to be left. Compaction takes more, in its own way.
    const isAnyTooMuch =
      retentionBytes >= 0 && (log.sizeInBytes >= retentionBytes || cleanupPolicy.includes("compact"));
    if (isAnyOld || isAnyTooMuch || this.#deletions.wasAsked(key, log.logStartOffset)) return;
    fail("removed-for-a-reason", `${name} removes ${key} below ${log.logStartOffset}, of which nothing is old`);
  }

  #compare(tab: SimulatedTab, replica: Replica, from: number, to: number, commits: boolean): void {
    const label = this.#label(replica);
    const chunks = tab.storage.image.logs.read(replica.key, from, Number.POSITIVE_INFINITY);
    const violation = this.#context.truth.compare(label, chunks, to, commits, from === 0 && !commits);
    if (violation !== undefined) fail(violation.rule, `${tab.name}: ${violation.evidence}`);
    if (commits && this.#context.truth.endOffset(label) < to) {
      fail("committed-is-durable", `${tab.name} committed ${to} of ${label}, which it has not stored`);
    }
  }

  #expectBounds(tab: SimulatedTab): void {
    const { mailbox, writes } = tab.queues;
    const delayed = tab.core?.purgatory.size ?? 0;
    if (delayed > MOST_DELAYED_REQUESTS) fail("bounded-queues", `${tab.name}: ${delayed} requests wait`);
    if (mailbox > MOST_EVENTS) fail("bounded-queues", `${tab.name}: ${mailbox} events wait`);
    if (this.#context.mostQueuedBytes() > MOST_QUEUED_BYTES) {
      fail("bounded-queues", `${this.#context.mostQueuedBytes()} bytes wait in one connection`);
    }
    if (writes > MOST_WRITES) fail("bounded-queues", `${tab.name}: ${writes} writes wait`);
  }

  #label({ log }: Pick<Replica, "log">): string {
    const label = this.#context.names.labelOf(log.topicId, log.partitionIndex);
    return label ?? fail("unknown-topic", `a broker holds ${log.topicId}, which the controller never made`);
  }
}

function epochOf(role: Replica["role"]): number {
  if (role.kind === "offline") return -1;
  return role.kind === "leader" ? role.state.leaderEpoch : role.leaderEpoch;
}
