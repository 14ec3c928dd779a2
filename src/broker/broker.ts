import type { OpenedSections } from "../log/compaction-pass.ts";
import { PartitionLog } from "../log/partition-log.ts";
import { partitionKey } from "../log/stored-log.ts";
import type { Chunk, PartitionKey, StoredLog, StoreOperation } from "../log/stored-log.ts";
import { TailBudget } from "../log/tail-budget.ts";
import type { ClusterImage } from "../metadata/image.ts";
import { TAB_LISTENER } from "../metadata/listener-names.ts";
import { MetadataFollower } from "../metadata/metadata-follower.ts";
import type { Partition } from "../metadata/partition.ts";
import { Random } from "../metadata/random.ts";
import { topicConfig } from "../metadata/topic-config.ts";
import type { TopicConfig } from "../metadata/topic-config.ts";
import { assert } from "../protocol/assert.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import { CorruptMessageError } from "../protocol/errors.ts";
import { FreshCopies } from "../replication/fresh-copies.ts";
import { LeaderState } from "../replication/leader.ts";
import type { IsrProposal } from "../replication/isr-proposal.ts";
import type { BrokerConfig } from "./broker-config.ts";
import type { BrokerState, BrokerStatus } from "./broker-status.ts";
import { Compactor } from "./compactor.ts";
import { ControllerRequests } from "./controller-requests.ts";
import type { BrokerEffect } from "./effects.ts";
import type { BrokerEvent, StorageVolume } from "./events.ts";
import { FollowedPartitions } from "./followed-partitions.ts";
import { ForwardedRequests } from "./forwarded-requests.ts";
import { GroupCoordinator } from "./group-coordinator.ts";
import { handleRequest } from "./handle-request.ts";
import { IsrProposals } from "./isr-proposals.ts";
import { ProducerIds } from "./producer-ids.ts";
import { Purgatory } from "./purgatory.ts";
import { Recompression } from "./recompression.ts";
import { Registration } from "./registration.ts";
import type { BrokerListener } from "./registration.ts";
import type { Replica } from "./replica.ts";
import { RequestChannel } from "./request-channel.ts";
import type { StorageIdentity } from "./storage-identity.ts";
import { isHeldByOthers, StrayCopies } from "./stray-copies.ts";

export interface BrokerStart {
  readonly identity: StorageIdentity;
  readonly listeners: readonly BrokerListener[];
  readonly rack: string;
  /** Of the broker's random generator. Must differ from start to start. */
  readonly seed: string;
  readonly config: BrokerConfig;
  readonly nowMs: number;
  /** What to add to `nowMs` for milliseconds since 1970, by this machine's clock. */
  readonly wallOffsetMs: number;
}

const LAG_CHECK_INTERVAL_MS = 1_000;
const CLOCK_DIFFERENCE_TO_WARN_MS = 5 * 60 * 1000;
/** Between two looks at metadata that had to be refused. */
const METADATA_RETRY_MS = 1_000;

/**
 * One broker: `handle` takes what happened and returns what to do about it. It composes the partition logs, their
 * replication, the registration with the controller and the request handlers, and is the one mutable object among them.
 */
export class Broker {
  readonly config: BrokerConfig;
  readonly purgatory = new Purgatory();
  readonly requests: ControllerRequests;
  readonly forwarded: ForwardedRequests;
  readonly producerIds: ProducerIds;
  readonly channel: RequestChannel;
  readonly recompression: Recompression;
  readonly groups: GroupCoordinator;
  readonly #random: Random;
  readonly #registration: Registration;
  readonly #metadata: MetadataFollower;
  readonly #proposals: IsrProposals;
  readonly #followed: FollowedPartitions;
  readonly #compactor: Compactor;
  readonly #strays: StrayCopies;
  readonly #replicas = new Map<PartitionKey, Replica>();
  readonly #tailBudget = new TailBudget();
  readonly #rack: string;
  /** By this machine's clock, which may be days ahead. */
  #wallOffsetMs: number;
  /** By the server's, once that has told it. */
  #serverWallOffsetMs: number | undefined;

  #effects: BrokerEffect[] = [];
  readonly #writes = new Map<number, () => void>();
  readonly #reads = new Map<number, (chunks: readonly Chunk[], opened: OpenedSections | undefined) => void>();
  #nextId = 1;
  #unstoredBytes = 0;

  #volume: StorageVolume | undefined;
  /** Set once the storage cannot be trusted: nothing is served or acknowledged any more (R20). */
  #failure: string | undefined;
  /** What is wrong with the metadata that the server offers, if anything (R19). */
  #metadataTrouble: string | undefined;
  /** The end of the metadata, and the registration, by which the replicas last took their roles. */
  #assumedFor: number | undefined;
  #assumedSelf: number | undefined;
  #metadataOpen = false;
  #metadataRetryAtMs = 0;
  /** A stored log is too damaged to be restored: one that takes its place would hide that. */
  #lacksLog = false;
  #closing = false;
  #stopped = false;
  #lastEventMs: number;
  #checkLagAtMs = 0;
  #retentionAtMs: number;

  constructor(start: BrokerStart) {
    const emit = (effect: BrokerEffect) => void this.#effects.push(effect);
    this.config = start.config;
    this.#rack = start.rack;
    this.#wallOffsetMs = start.wallOffsetMs;
    this.#lastEventMs = start.nowMs;
    this.#retentionAtMs = start.nowMs + start.config.retentionCheckIntervalMs;
    this.#random = new Random(start.seed);
    this.requests = new ControllerRequests(emit);
    this.forwarded = new ForwardedRequests(this.requests);
    this.producerIds = new ProducerIds(this.requests);
    this.channel = new RequestChannel(start.config, emit);
    this.recompression = new Recompression(emit);
    const { clusterId, metadataEpoch, metadataOffset } = start.identity;
    this.#metadata = new MetadataFollower(
      { clusterId, epoch: metadataEpoch, endOffset: metadataOffset },
      { replica: () => this.#asReplica() },
    );
    this.#registration = new Registration(
      {
        requests: this.requests,
        config: start.config,
        listeners: start.listeners,
        rack: start.rack,
        effects: emit,
        timeOfDay: (wallMs) => this.#setTimeOfDay(wallMs),
        uuid: () => this.#random.uuid(),
        metadata: () => ({ clusterId: this.image.clusterId || undefined, endOffset: this.image.endOffset }),
        seenMetadata: () => this.#metadata.seen,
      },
      start.identity,
    );
    this.groups = new GroupCoordinator(this, () => this.#random.uuid());
    this.#proposals = new IsrProposals(this);
    this.#compactor = new Compactor(this);
    this.#strays = new StrayCopies(start.config.strayCopyRetentionMs);
    this.#followed = new FollowedPartitions(
      {
        config: start.config,
        directoryId: start.identity.directoryId,
        effects: emit,
        nextLinkId: () => this.#nextId++,
        self: () => this.self(),
        endpointOf: (nodeId) => this.#tabEndpoint(nodeId),
      },
      this,
    );
    const { damage } = start.identity;
    if (damage !== undefined) this.#registration.refuse(damage);
  }

  /**
   * Takes a log as the store kept it: each of them, before the first event. With one that is damaged nothing is ever
   * served, but the broker registers, to hear whether to give its storage up (R20).
   */
  restore(stored: StoredLog): void {
    if (this.#registration.kind === "refused") return;
    const log = PartitionLog.restore(stored, this.#tailBudget);
    if ("corrupt" in log) {
      const { topicId, partitionIndex } = stored.metadata;
      this.#lacksLog = true;
      this.#giveUp(`the stored log ${partitionKey(topicId, partitionIndex)} is damaged: ${log.corrupt}`);
      return;
    }
    this.#adopt(log);
  }

  get image(): ClusterImage {
    return this.#metadata.image;
  }

  get nodeId(): number {
    return this.#registration.identity.brokerId;
  }

  /** Under which id and epoch this broker serves; undefined while it must not serve. */
  self(): { readonly nodeId: number; readonly brokerEpoch: number } | undefined {
    const brokerEpoch = this.#registration.brokerEpoch;
    if (brokerEpoch === undefined || this.#failure !== undefined) return undefined;
    // A registration counts once the metadata shows it: an older image may still name this broker as a leader.
    const registered = this.image.brokers.get(this.nodeId);
    if (registered === undefined || registered.brokerEpoch !== brokerEpoch || registered.fenced) return undefined;
    return { nodeId: this.nodeId, brokerEpoch };
  }

  #asReplica(): { readonly replicaId: number; readonly replicaEpoch: number } | undefined {
    const self = this.self();
    return self === undefined ? undefined : { replicaId: self.nodeId, replicaEpoch: self.brokerEpoch };
  }

  /** As it was measured last, if the platform can tell. */
  get volume(): StorageVolume | undefined {
    return this.#volume;
  }

  /** Of records that were appended here and are not durable yet. */
  get unstoredBytes(): number {
    return this.#unstoredBytes;
  }

  /** When the event happened that is being handled. */
  get nowMs(): number {
    return this.#lastEventMs;
  }

  /**
   * The time of day as the server has it, or a little less: what may be removed is older then by every clock that the
   * cluster's operator is responsible for.
   */
  wallMs(nowMs: number): number {
    return Math.round(nowMs + (this.#serverWallOffsetMs ?? this.#wallOffsetMs));
  }

  replica(key: PartitionKey): Replica | undefined {
    return this.#replicas.get(key);
  }

  /** All copies in this broker's storage, those no longer assigned to it included. */
  replicas(): Iterable<Replica> {
    return this.#replicas.values();
  }

  /** The replica that this broker leads, or the error that tells a client where it stands. */
  leaderOf(
    topicName: string,
    partitionIndex: number,
  ): { readonly replica: Replica; readonly state: LeaderState } | { readonly error: ErrorName } {
    const topic = this.image.topicNamed(topicName);
    const partition = topic?.partitions[partitionIndex];
    if (topic === undefined || partition === undefined) return { error: "UNKNOWN_TOPIC_OR_PARTITION" };
    const replica = this.#replicas.get(partitionKey(topic.topicId, partitionIndex));
    if (replica?.role.kind !== "leader") return { error: "NOT_LEADER_OR_FOLLOWER" };
    return { replica, state: replica.role.state };
  }

  /** Who leads as far as this broker knows, to spare a client a look at the metadata (KIP-951). */
  currentLeader(topicName: string, partitionIndex: number): { leaderId: number; leaderEpoch: number } | null {
    const partition = this.image.topicNamed(topicName)?.partitions[partitionIndex];
    return partition === undefined ? null : { leaderId: partition.leader, leaderEpoch: partition.leaderEpoch };
  }

  get state(): BrokerState {
    if (this.#registration.kind === "refused") return "refused";
    if (this.#failure !== undefined) return "failed";
    if (this.#stopped) return "stopped";
    if (this.#closing) return "stopping";
    if (this.self() !== undefined) return "running";
    return this.#registration.trouble === undefined ? "starting" : "fenced";
  }

  get wakeAtMs(): number {
    if (this.#stopped || this.#failure !== undefined) return Number.POSITIVE_INFINITY;
    return Math.min(
      this.purgatory.wakeAtMs,
      this.forwarded.wakeAtMs,
      this.#registration.wakeAtMs,
      this.#followed.wakeAtMs,
      this.#proposals.wakeAtMs,
      this.groups.wakeAtMs,
      this.#checkLagAtMs,
      this.#retentionAtMs,
      this.requests.connected && !this.#metadataOpen ? this.#metadataRetryAtMs : Number.POSITIVE_INFINITY,
    );
  }

  /** `wallOffsetMs` is as in {@link BrokerStart}, and changes: `nowMs` may stand still while a machine sleeps. */
  handle(event: BrokerEvent, nowMs: number, wallOffsetMs = this.#wallOffsetMs): readonly BrokerEffect[] {
    this.#effects = [];
    const sleptMs = Math.max(0, wallOffsetMs - this.#wallOffsetMs);
    this.#wallOffsetMs = wallOffsetMs;
    if (this.#failure === undefined) {
      this.#noticeGap(nowMs, sleptMs);
      this.#on(event, nowMs);
      this.#tick(nowMs);
    }
    return this.#effects;
  }

  log(level: "debug" | "info" | "warn" | "error", message: string): void {
    this.#effects.push({ type: "log", level, message });
  }

  /** Stores a change to a replica's log, and calls back once it is durable. */
  write(replica: Replica, operations: readonly StoreOperation[], durable: () => void): void {
    const checkpoint = replica.log.checkpoint();
    const writeId = this.#nextId++;
    const appendedBytes = operations.reduce((sum, op) => sum + (op.type === "append" ? op.chunk.sizeInBytes : 0), 0);
    this.#unstoredBytes += appendedBytes;
    replica.writesInFlight++;
    this.#effects.push({
      type: "write",
      writeId,
      operations: checkpoint === undefined ? operations : [...operations, checkpoint],
      durability: replica.config.durability,
    });
    this.#writes.set(writeId, () => {
      this.#unstoredBytes -= appendedBytes;
      replica.writesInFlight--;
      durable();
    });
  }

  /** Reads a replica's chunks from disk, as they are there. */
  read(replica: Replica, fromOffset: number, maxBytes: number, done: (chunks: readonly Chunk[]) => void): void {
    const readId = this.#nextId++;
    this.#reads.set(readId, done);
    this.#effects.push({ type: "read", readId, key: replica.key, fromOffset, maxBytes });
  }

  /** Reads chunks and the records of compressed batches in them, to compact them. */
  readOpened(
    replica: Replica,
    fromOffset: number,
    maxBytes: number,
    done: (chunks: readonly Chunk[], opened: OpenedSections | undefined) => void,
  ): void {
    const readId = this.#nextId++;
    this.#reads.set(readId, done);
    this.#effects.push({ type: "read", readId, key: replica.key, fromOffset, maxBytes, opened: true });
  }

  /**
   * Stores what compaction or joining made of a replica's log, or how far that is committed. Nobody waits for it, for the
   * log holds the same with it and without it. Yet it is flushed as the records are in whose place it comes: a browser
   * may put a large row into a file, which a loss of power takes if it was not flushed, though it leaves what came later.
   */
  rewrite({ config }: Replica, operations: readonly StoreOperation[], durable: () => void): void {
    const writeId = this.#nextId++;
    this.#writes.set(writeId, durable);
    this.#effects.push({ type: "write", writeId, operations, durability: config.durability });
  }

  /** The leader's own copy grew: it may commit by itself, and followers may fetch it. */
  becameDurable(replica: Replica): void {
    if (replica.role.kind === "leader") {
      replica.role.state.onLocalDurable(replica.log.logEndOffset);
      this.committed(replica);
    }
    this.purgatory.touch(replica.key);
  }

  /** The leader's high watermark may have moved. */
  committed(replica: Replica): void {
    if (replica.role.kind !== "leader") return;
    const { highWatermark } = replica.role.state;
    if (highWatermark <= replica.log.highWatermark) return;
    replica.log.setHighWatermark(highWatermark);
    this.purgatory.touch(replica.key);
  }

  /** Asks the controller for a change of the ISR, if the leader wants one. */
  propose(replica: Replica, proposal: IsrProposal | undefined): void {
    if (proposal !== undefined) this.#proposals.add(replica, proposal);
  }

  /**
   * A log is not what was stored (R20). Its end may be sound, so that this broker would be elected, and find it out, again
   * and again: where others have all that it has, its storage is given up, which they then replace.
   */
  damaged({ message }: CorruptMessageError): void {
    this.#giveUp(message);
    if (this.#failure === undefined) this.#assumeRoles();
  }

  #giveUp(damage: string): void {
    this.#registration.giveUp(damage, (reason) => this.fail(reason));
  }

  /** Stops for good: what is stored can no longer be trusted, or no longer be stored (R20). */
  fail(reason: string): void {
    if (this.#failure !== undefined) return;
    this.#failure = reason;
    this.log("error", `this broker fences itself: ${reason}`);
    for (const replica of this.#replicas.values()) this.#become(replica, { kind: "offline" });
    this.purgatory.settle(this.#lastEventMs);
    this.#followed.closeAll("the storage failed");
    // The controller hears of it by the end of the socket, like of any death.
    this.#effects.push({ type: "stopped" });
  }

  status(): BrokerStatus {
    const identity = this.#registration.identity;
    return {
      state: this.state,
      brokerId: identity.brokerId,
      directoryId: identity.directoryId,
      rack: this.#rack,
      reason: this.#failure ?? this.#metadataTrouble ?? this.#registration.trouble,
      controllerConnected: this.requests.connected,
      partitions: [...this.#replicas.values()]
        .filter(({ assignment }) => assignment !== undefined)
        .map(({ topicName, log, role, assignment }) => ({
          topic: topicName,
          partitionIndex: log.partitionIndex,
          role: role.kind,
          leaderEpoch: assignment?.leaderEpoch ?? -1,
          logStartOffset: log.logStartOffset,
          logEndOffset: log.logEndOffset,
          highWatermark: log.highWatermark,
        })),
      storedBytes: [...this.#replicas.values()].reduce((sum, { log }) => sum + log.sizeInBytes, 0),
      replicatedBytes: this.#followed.replicatedBytes,
    };
  }

  #on(event: BrokerEvent, nowMs: number): void {
    switch (event.type) {
      case "connection-opened":
        return this.channel.opened(event.connectionId, event.listener, event.remoteAddress);
      case "connection-frame":
        return handleRequest(this, event.connectionId, event.frame);
      case "connection-closed":
        return void this.channel.closed(event.connectionId);
      case "link-opened":
        return this.#followed.opened(event.linkId, nowMs);
      case "link-frame":
        return this.#followed.received(event.linkId, event.frame, nowMs);
      case "link-closed":
        return this.#followed.closed(event.linkId, event.reason, nowMs);
      case "controller-opened":
        this.requests.opened();
        this.#metadataRetryAtMs = nowMs;
        return this.#registration.proceed(nowMs);
      case "controller-frame":
        return this.#onControllerFrame(event.frame, nowMs);
      case "controller-closed":
        this.requests.closed();
        return this.#registration.disconnected(nowMs);
      case "written":
        return this.#onWritten(event.writeIds, event.operations);
      case "read": {
        const done = this.#reads.get(event.readId);
        assert(done !== undefined, "a read ends once");
        this.#reads.delete(event.readId);
        return done(event.chunks, event.opened);
      }
      case "recompressed":
        return this.recompression.done(event.batches);
      case "identity-saved":
        return this.#registration.identitySaved(nowMs);
      case "storage-failed":
        return this.fail(event.reason);
      case "storage-measured":
        this.#volume = { totalBytes: event.totalBytes, usableBytes: event.usableBytes };
        return;
      case "time-gap":
        return this.#onGap(event.gapMs, nowMs);
      case "closing":
        this.#closing = true;
        this.#storeHighWatermarks(this.#replicas.values());
        return this.#registration.leave(nowMs);
      case "woken":
        return;
    }
  }

  #tick(nowMs: number): void {
    if (this.#failure !== undefined) return;
    this.#registration.proceed(nowMs);
    this.#followMetadata(nowMs);
    this.#assumeRoles();
    this.#strays.informed(this.#isInformed(nowMs), nowMs);
    if (nowMs >= this.#checkLagAtMs) this.#checkLag(nowMs);
    if (nowMs >= this.#retentionAtMs) this.#enforceRetention(nowMs);
    this.#followed.pump(nowMs);
    this.#proposals.send(nowMs);
    this.groups.step(nowMs);
    this.forwarded.pump(nowMs);
    this.purgatory.settle(nowMs);
    const isDone = this.#registration.kind === "left" && this.#writes.size === 0;
    if (this.#closing && !this.#stopped && isDone) this.#stop();
  }

  #setTimeOfDay(wallMs: number): void {
    const isFirst = this.#serverWallOffsetMs === undefined;
    this.#serverWallOffsetMs = wallMs - this.nowMs;
    const aheadMs = Math.round(this.nowMs + this.#wallOffsetMs - wallMs);
    const differenceMs = Math.abs(aheadMs);
    if (!isFirst || differenceMs < CLOCK_DIFFERENCE_TO_WARN_MS) return;
    const difference = `${differenceMs} ms ${aheadMs > 0 ? "ahead of" : "behind"} the server's`;
    this.log("warn", `this computer's clock is ${difference}, by which records are kept; set it`);
  }

  /**
   * The core sees every gap in its own time by itself, before it acts on anything that waited meanwhile: a worker that
   * was stopped finds old requests in its queue before it finds its timer. By `sleptMs` the time of day ran ahead.
   */
  #noticeGap(nowMs: number, sleptMs: number): void {
    const gapMs = nowMs - this.#lastEventMs + sleptMs;
    this.#lastEventMs = nowMs;
    if (gapMs >= this.config.timeGapMs) this.#onGap(gapMs, nowMs);
  }

  #onGap(gapMs: number, nowMs: number): void {
    this.#registration.lose(`this tab did not run for ${Math.round(gapMs)} ms; others may lead by now`, nowMs);
    this.#assumeRoles();
  }

  #onWritten(writeIds: readonly number[], operations: readonly StoreOperation[]): void {
    for (const operation of operations) {
      if (operation.type === "append") this.#replicas.get(operation.key)?.log.written(operation.chunk);
    }
    for (const writeId of writeIds) {
      const durable = this.#writes.get(writeId);
      assert(durable !== undefined, "a write ends once");
      this.#writes.delete(writeId);
      durable();
    }
  }

  #onControllerFrame(frame: Uint8Array, nowMs: number): void {
    try {
      this.requests.received(frame);
    } catch (error) {
      if (!(error instanceof CorruptMessageError)) throw error;
      this.#metadataTrouble = `the server sent what cannot be read: ${error.message}`;
      this.#metadataRetryAtMs = nowMs + METADATA_RETRY_MS;
      this.log("error", this.#metadataTrouble);
    }
  }

  #followMetadata(nowMs: number): void {
    if (!this.requests.connected || this.#metadataOpen || nowMs < this.#metadataRetryAtMs) return;
    const { api, version, body } = this.#metadata.request();
    this.#metadataOpen = true;
    this.requests.ask(
      api,
      version,
      body,
      (response) => {
        this.#metadataOpen = false;
        const { error } = this.#metadata.onResponse(response);
        this.#metadataTrouble = error;
        if (error !== undefined) {
          this.#metadataRetryAtMs = nowMs + METADATA_RETRY_MS;
          this.log("error", `the metadata is refused: ${error}`);
        }
      },
      () => (this.#metadataOpen = false),
    );
  }

  /** Brings every replica into the role that the metadata gives it. Cheap when nothing changed. */
  #assumeRoles(): void {
    if (this.#lacksLog) return;
    const self = this.self();
    const version = this.image.endOffset;
    if (version === this.#assumedFor && self?.brokerEpoch === this.#assumedSelf) return;
    this.#assumedFor = version;
    this.#assumedSelf = self?.brokerEpoch;
    this.#deleteRemovedTopics();
    for (const topic of this.image.topics.values()) {
      let config: TopicConfig | undefined;
      for (const partition of topic.partitions) {
        const key = partitionKey(topic.topicId, partition.partitionIndex);
        const assigned = partition.replicas.includes(this.nodeId);
        const replica = this.#replicas.get(key) ?? (assigned ? this.#create(partition) : undefined);
        if (replica === undefined) continue;
        replica.topicName = topic.name;
        config ??= topicConfig(this.image, topic.name);
        // A new limit acts now, not at the next look.
        if (replica.assignment !== undefined && keepsOtherwise(replica.config, config)) this.#retentionAtMs = 0;
        replica.config = config;
        this.#assume(replica, assigned ? partition : undefined);
        this.#strays.shown(replica, isHeldByOthers(partition, this.nodeId), this.#lastEventMs);
      }
    }
    // Below the minimum nothing is committed any more (R6). To a leader that is reloaded then only its disk can tell
    // what was, before there are enough again.
    this.#storeHighWatermarks([...this.#replicas.values()].filter(isBelowMinimum));
    if (self !== undefined) this.producerIds.refill(self.nodeId, self.brokerEpoch);
  }

  #assume(replica: Replica, partition: Partition | undefined): void {
    const self = this.self();
    replica.assignment = partition;
    if (partition === undefined || self === undefined || partition.leader < 0) {
      return this.#become(replica, { kind: "offline" });
    }
    const { role } = replica;
    if (partition.leader === this.nodeId) {
      if (role.kind === "leader" && role.state.leaderEpoch === partition.leaderEpoch) {
        this.#noteRegistrations(role.state, partition);
        role.state.onIsrCommitted({ ...partition, minInsyncReplicas: replica.config.minInsyncReplicas });
        this.committed(replica);
        this.purgatory.touch(replica.key);
        return;
      }
      // What this replica holds in flight from an earlier role counts into its log end once it is durable.
      if (replica.writesInFlight > 0) {
        this.#assumedFor = undefined;
        return this.#become(replica, { kind: "offline" });
      }
      const state = new LeaderState({
        ...partition,
        brokerId: self.nodeId,
        brokerEpoch: self.brokerEpoch,
        minInsyncReplicas: replica.config.minInsyncReplicas,
        logEndOffset: replica.log.logEndOffset,
        highWatermark: replica.log.highWatermark,
      });
      this.#noteRegistrations(state, partition);
      return this.#become(replica, { kind: "leader", state, copies: new FreshCopies() });
    }
    const { leader: leaderId, leaderEpoch } = partition;
    if (role.kind === "follower" && role.leaderId === leaderId && role.leaderEpoch === leaderEpoch) return;
    this.#become(replica, { kind: "follower", leaderId, leaderEpoch });
  }

  /** What a replica held under an earlier registration no longer counts (R6), and nobody waits for one that is away. */
  #noteRegistrations(state: LeaderState, { replicas }: Partition): void {
    for (const nodeId of replicas) {
      if (nodeId === this.nodeId) continue;
      const registered = this.image.brokers.get(nodeId);
      if (registered !== undefined) state.onBrokerEpoch(nodeId, registered.brokerEpoch);
      state.onReplicaAway(nodeId, !this.image.isActive(nodeId));
    }
  }

  #become(replica: Replica, role: Replica["role"]): void {
    if (replica.role.kind === "offline" && role.kind === "offline") return;
    if (replica.role.kind === "follower") this.#followed.remove(replica, replica.role.leaderId);
    if (replica.role.kind === "leader") this.#proposals.drop(replica);
    replica.role = role;
    if (role.kind === "follower") this.#followed.add(replica, role.leaderId);
    if (role.kind === "leader") {
      this.committed(replica);
      // Where the storage is full, nothing fits before something is dropped.
      this.#retentionAtMs = 0;
    }
    this.groups.roleChanged(replica);
    this.purgatory.touch(replica.key);
  }

  #create(partition: Partition): Replica {
    const log = PartitionLog.create(partition.topicId, partition.partitionIndex, this.#tailBudget);
    const replica = this.#adopt(log);
    this.write(replica, [log.metadataOperation()], () => {});
    return replica;
  }

  #adopt(log: PartitionLog): Replica {
    const replica: Replica = {
      key: log.key,
      log,
      topicName: "",
      config: topicConfig(this.image, ""),
      assignment: undefined,
      role: { kind: "offline" },
      leaderHighWatermark: 0,
      writesInFlight: 0,
    };
    this.#replicas.set(log.key, replica);
    return replica;
  }

  /** A log is deleted only when the controller's log says that its topic was deleted, never because it is not mentioned (R18). */
  #deleteRemovedTopics(): void {
    const removed = this.#metadata.takeRemovedTopics();
    this.groups.noteTopics(removed, this.#lastEventMs);
    for (const topicId of removed) {
      for (const replica of this.#replicas.values()) {
        if (replica.log.topicId === topicId) this.#delete(replica);
      }
    }
  }

  /**
   * Frees what others alone are to hold, and do (R18). The controller may have given it back since. But it let the copy
   * go with an election, and counts on this broker again only once that has heard of it, and fetched, with a new log.
   */
  #deleteStrays(nowMs: number): void {
    for (const replica of this.#replicas.values()) {
      // An append that is still on its way would be taken for one to the copy that is made anew.
      if (replica.writesInFlight > 0 || !this.#strays.mayGo(replica, nowMs)) continue;
      this.log("info", `deleting the copy of ${replica.topicName}-${replica.log.partitionIndex}: others have it now`);
      this.#delete(replica);
    }
  }

  #delete(replica: Replica): void {
    this.#become(replica, { kind: "offline" });
    this.#replicas.delete(replica.key);
    replica.log.discard();
    this.write(replica, [{ type: "delete-log", key: replica.key }], () => {});
    this.purgatory.touch(replica.key);
  }

  /** Whether this broker serves, and knows, as far as it can tell, all that the controller has decided. */
  #isInformed(nowMs: number): boolean {
    const isHeard = this.requests.connected && nowMs - this.#registration.heardMs < this.config.timeGapMs;
    return isHeard && this.state === "running" && this.#metadata.isCurrent && this.#metadataTrouble === undefined;
  }

  #checkLag(nowMs: number): void {
    this.#checkLagAtMs = nowMs + LAG_CHECK_INTERVAL_MS;
    for (const replica of this.#replicas.values()) {
      if (replica.role.kind !== "leader") continue;
      this.propose(replica, replica.role.state.shrinkLagging(nowMs, this.config.replicaLagTimeMaxMs));
      this.committed(replica);
    }
  }

  #enforceRetention(nowMs: number): void {
    this.#retentionAtMs = nowMs + this.config.retentionCheckIntervalMs;
    for (const replica of this.#replicas.values()) {
      // Followers drop what their leader dropped, so that they never hold less than it.
      if (replica.role.kind !== "leader" || !replica.config.cleanupPolicy.includes("delete")) continue;
      const operations = replica.log.retention(replica.config, this.wallMs(nowMs));
      if (operations.length > 0) this.write(replica, operations, () => this.purgatory.touch(replica.key));
    }
    this.#deleteStrays(nowMs);
    this.#storeHighWatermarks([...this.#replicas.values()].filter(({ log }) => log.isMetadataDue));
    this.#compactor.begin(this.#replicas.values(), nowMs);
  }

  /** A hint for the next start (R5), of the logs where it is another one by now. */
  #storeHighWatermarks(replicas: Iterable<Replica>): void {
    for (const replica of replicas) {
      const operation = replica.log.highWatermarkOperation();
      if (operation !== undefined) this.rewrite(replica, [operation], () => {});
    }
  }

  #stop(): void {
    this.#stopped = true;
    this.#effects.push({ type: "stopped" });
  }

  #tabEndpoint(nodeId: number): { host: string; port: number } | undefined {
    const listener = this.image.brokers.get(nodeId)?.listeners.find(({ name }) => name === TAB_LISTENER);
    return listener === undefined ? undefined : { host: listener.host, port: listener.port };
  }
}

function isBelowMinimum({ role }: Replica): boolean {
  return role.kind === "leader" && role.state.canAcceptAcksAll() !== undefined;
}

/** Whether the two differ in what they let a log keep. */
function keepsOtherwise(before: TopicConfig, after: TopicConfig): boolean {
  return (
    before.retentionMs !== after.retentionMs ||
    before.retentionBytes !== after.retentionBytes ||
    before.cleanupPolicy.join() !== after.cleanupPolicy.join()
  );
}
