import { byTopic } from "../assigners/assigner-protocol.ts";
import { retryPause } from "../backoff.ts";
import { asError, isRetriableError, KafkaJSProtocolError, reasonOf } from "../errors.ts";
import { consumerEvents } from "../events.ts";
import { nameOf } from "../fetch-position.ts";
import type { TopicPartition } from "../fetch-position.ts";
import { groupBy } from "../group-by.ts";
import { LEAVING_PATIENCE_MS } from "./group-membership.ts";
import type { GroupMembership, Identity, MembershipOptions } from "./group-membership.ts";
import {
  consumerGroupHeartbeat,
  JOIN_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_STATIC_MEMBER_EPOCH,
} from "../../protocol/apis/68-consumer-group-heartbeat.ts";
import type {
  ConsumerGroupHeartbeatRequestInit,
  ConsumerGroupHeartbeatResponse,
} from "../../protocol/apis/68-consumer-group-heartbeat.ts";

export interface ConsumerMembershipOptions extends MembershipOptions {
  /** The coordinator's assignor to vote for; null leaves the choice to it. */
  readonly remoteAssignor: string | null;
}

type Assignment = readonly { readonly topicId: string; readonly partitions: readonly number[] }[];

interface OwnedPartition extends TopicPartition {
  readonly topicId: string;
}

/** What the coordinator was told last, and answered to. */
interface Told {
  readonly topics: string;
  readonly owned: string;
}

/** Before the coordinator has said how often it wants to hear of its members. */
const FIRST_INTERVAL_MS = 100;
/** Whatever it says, the page has something else to do, too. */
const MIN_INTERVAL_MS = 20;
/** A broker that does not answer a heartbeat for so long is asked again over another connection. */
const HEARTBEAT_PATIENCE_MS = 5_000;
/**
 * How many intervals a session lasts is not told; by Kafka's defaults nine. When the last heartbeat that was answered
 * is older, the coordinator is heard before anything is handed out.
 */
const HEARD_INTERVALS = 9;
/** After so many failures in a row, somebody should hear of it. */
const FAILURES_TO_WARN = 5;

/**
 * One membership of a group whose coordinator assigns (KIP-848). All is said with heartbeats:
 *
 *     join (epoch 0) ──► told an assignment ──► give up what is not in it ──► say so ──► told what others gave up ──► …
 *
 * What is in both assignments is read on meanwhile. A member that is fenced gives everything up at once, and joins
 * again.
 */
export class ConsumerMembership implements GroupMembership {
  readonly #options: ConsumerMembershipOptions;
  #memberId: string;
  #memberEpoch = JOIN_GROUP_MEMBER_EPOCH;
  #life = 0;
  #intervalMs = FIRST_INTERVAL_MS;
  /** What the coordinator gave; undefined before it has. Another object for each assignment. */
  #target: Assignment | undefined;
  /** The topic ids of what is read, or soon will be, by the names of partitions. */
  readonly #topicIds = new Map<string, string>();
  /** Undefined when everything has to be said: at first, and after an answer stayed out. */
  #told: Told | undefined;
  #over = false;
  #isBeating = false;
  #isBeatDue = false;
  #isReconciling = false;
  #isSettled = false;
  #failures = 0;
  #hasSpoken = false;
  #lastBeatAt = Number.NEGATIVE_INFINITY;
  /** When the last heartbeat that was answered was sent, or when the coordinator was last found to say nothing yet. */
  #lastWordAt = Number.NEGATIVE_INFINITY;
  #toldAt = 0;
  #cancelBeat: (() => void) | undefined;
  #stopWatching: (() => void) | undefined;

  constructor(options: ConsumerMembershipOptions) {
    this.#options = options;
    this.#memberId = options.cluster.platform.randomUuid();
  }

  get identity(): Identity {
    const { groupInstanceId } = this.#options;
    if (!this.#isMember) return { memberId: "", generationId: -1, groupInstanceId };
    return { memberId: this.#memberId, generationId: this.#memberEpoch, groupInstanceId, life: this.#life };
  }

  get isSettled(): boolean {
    return this.#isSettled;
  }

  get isHeard(): boolean {
    if (!this.#isMember) return true;
    return this.#options.cluster.clock.now() - this.#lastWordAt < this.#intervalMs * HEARD_INTERVALS;
  }

  start(): void {
    this.#stopWatching = this.#options.cluster.watch(() => {
      if (this.#told !== undefined && this.#told.topics !== this.#topics()) void this.#beat();
      else this.tick();
      if (!this.#isSettled) void this.#reconcile();
    });
    void this.#beat();
  }

  tick(): void {
    if (this.#isBeating) return;
    if (this.#options.cluster.clock.now() - this.#lastBeatAt >= this.#intervalMs) void this.#beat();
  }

  async leave(): Promise<void> {
    if (this.#over) return;
    this.#end();
    await this.#sendLeave();
    this.#memberEpoch = JOIN_GROUP_MEMBER_EPOCH;
  }

  abandon(): void {
    if (this.#over) return;
    this.#end();
    void this.#sendLeave();
    this.#memberEpoch = JOIN_GROUP_MEMBER_EPOCH;
  }

  get #isMember(): boolean {
    return this.#memberEpoch > JOIN_GROUP_MEMBER_EPOCH;
  }

  #end(): void {
    this.#over = true;
    this.#isSettled = false;
    this.#stopWatching?.();
    this.#cancelBeat?.();
  }

  /** A join that is under way comes before it: who joins commits nothing, and so leaves on the same connection. */
  async #sendLeave(): Promise<void> {
    const { groupInstanceId, link, logger } = this.#options;
    if (!this.#hasSpoken) return;
    const memberEpoch = groupInstanceId === null ? LEAVE_GROUP_MEMBER_EPOCH : LEAVE_GROUP_STATIC_MEMBER_EPOCH;
    const body = { groupId: link.groupId, memberId: this.#memberId, memberEpoch, instanceId: groupInstanceId };
    try {
      await link.ask(consumerGroupHeartbeat, body, { purpose: link.parting, timeoutMs: LEAVING_PATIENCE_MS });
    } catch (error) {
      // Its session will end by itself.
      logger.debug(`Leaving group ${link.groupId} failed: ${reasonOf(error)}`, { error });
    }
  }

  /** Sends a heartbeat; while one is under way, another one follows it. */
  async #beat(): Promise<void> {
    if (this.#over) return;
    this.#isBeatDue = true;
    if (this.#isBeating) return;
    this.#isBeating = true;
    this.#cancelBeat?.();
    let pause = 0;
    while (this.#isBeatDue && !this.#over) {
      this.#isBeatDue = false;
      pause = await this.#beatOnce();
    }
    this.#isBeating = false;
    if (!this.#over) this.#cancelBeat = this.#options.cluster.clock.setTimer(pause, () => void this.#beat());
  }

  /** Returns how long to wait before the next one, in milliseconds. */
  async #beatOnce(): Promise<number> {
    const { cluster, emitter, link } = this.#options;
    const said: Told = { topics: this.#topics(), owned: JSON.stringify(this.#ownedByTopicId()) };
    const timeoutMs = Math.min(cluster.requestTimeoutMs, HEARTBEAT_PATIENCE_MS);
    this.#lastBeatAt = cluster.clock.now();
    this.#hasSpoken = true;
    const cancelWatch = this.#watchSleep();
    try {
      const response = await link.ask(consumerGroupHeartbeat, this.#request(said), { timeoutMs });
      this.#failures = 0;
      if (!this.#over) this.#onAnswer(response, said);
      const { memberId, generationId } = this.identity;
      emitter.emit(consumerEvents.HEARTBEAT, { groupId: link.groupId, memberId, groupGenerationId: generationId });
      this.#heard(this.#lastBeatAt);
      return this.#intervalMs;
    } catch (error) {
      this.#told = undefined;
      const lateMs = cluster.clock.now() - this.#lastBeatAt - timeoutMs;
      const pause = this.#over ? 0 : await this.#judge(asError(error));
      // After a sleep, that no answer came says nothing about the coordinator.
      if (lateMs < this.#intervalMs * HEARD_INTERVALS) this.#heard(cluster.clock.now());
      return pause;
    } finally {
      cancelWatch();
    }
  }

  /**
   * While an answer is waited for, a page whose timers run has not slept: the coordinator is slow, or another one takes
   * its place, and the member reads on.
   */
  #watchSleep(): () => void {
    const { clock } = this.#options.cluster;
    let cancel = () => {};
    const watch = () => {
      cancel = clock.setTimer(this.#intervalMs, () => {
        if (this.isHeard) this.#heard(clock.now());
        watch();
      });
    };
    watch();
    return () => cancel();
  }

  /** Of what did not change, null. */
  #request(said: Told): ConsumerGroupHeartbeatRequestInit {
    const { groupInstanceId, link, rackId, rebalanceTimeoutMs, remoteAssignor } = this.#options;
    const isFull = this.#told === undefined;
    return {
      groupId: link.groupId,
      memberId: this.#memberId,
      memberEpoch: this.#memberEpoch,
      instanceId: groupInstanceId,
      rackId: isFull && rackId !== "" ? rackId : null,
      rebalanceTimeoutMs: isFull ? rebalanceTimeoutMs : -1,
      subscribedTopicNames: this.#told?.topics === said.topics ? null : [...this.#options.topics()],
      serverAssignor: isFull ? remoteAssignor : null,
      topicPartitions: this.#told?.owned === said.owned ? null : this.#ownedByTopicId(),
    };
  }

  #onAnswer({ memberEpoch, heartbeatIntervalMs, assignment }: ConsumerGroupHeartbeatResponse, said: Told): void {
    this.#memberEpoch = memberEpoch;
    this.#intervalMs = Math.max(heartbeatIntervalMs, MIN_INTERVAL_MS);
    this.#told = said;
    // After a failure it says everything again, and is told everything again.
    if (assignment === null || JSON.stringify(assignment.topicPartitions) === JSON.stringify(this.#target)) return;
    this.#target = assignment.topicPartitions;
    this.#toldAt = this.#options.cluster.clock.now();
    this.#isSettled = false;
    void this.#reconcile();
  }

  /** Goes towards the assignment, and to the one that follows if another one arrives on the way. */
  async #reconcile(): Promise<void> {
    if (this.#isReconciling) return;
    this.#isReconciling = true;
    try {
      let target: Assignment | undefined;
      do {
        target = this.#target;
        if (target !== undefined) await this.#takeStep(this.#resolve(target));
      } while (this.#target !== target);
    } catch (error) {
      this.#fail(asError(error));
    } finally {
      this.#isReconciling = false;
    }
  }

  async #takeStep(assigned: readonly OwnedPartition[] | undefined): Promise<void> {
    const { emitter, link, partitions } = this.#options;
    // Until the metadata names all topics, nothing can be told to be withdrawn from one of them.
    if (assigned === undefined) return;
    const target = this.#target;
    const isCurrent = () => !this.#over && this.#target === target;
    const owned = this.#owned();
    const withdrawn = owned.filter((partition) => !includes(assigned, partition));
    const added = assigned.filter((partition) => !includes(owned, partition));
    if (withdrawn.length > 0) {
      emitter.emit(consumerEvents.REBALANCING, { groupId: link.groupId, memberId: this.#memberId });
      await partitions.revoke(withdrawn);
      // Somebody waits for it.
      void this.#beat();
    }
    if (added.length > 0 && isCurrent()) {
      for (const partition of added) this.#topicIds.set(nameOf(partition), partition.topicId);
      await partitions.assign(added, isCurrent);
      void this.#beat();
    }
    if (!isCurrent()) return;
    this.#isSettled = true;
    this.#joined();
    this.#options.changed();
  }

  #joined(): void {
    const { cluster, emitter, link, remoteAssignor } = this.#options;
    emitter.emit(consumerEvents.GROUP_JOIN, () => ({
      groupId: link.groupId,
      memberId: this.#memberId,
      leaderId: "",
      isLeader: false,
      memberAssignment: byTopic(this.#owned()),
      groupProtocol: remoteAssignor ?? "",
      duration: cluster.clock.now() - this.#toldAt,
    }));
  }

  /** The assigned partitions by name; undefined while the metadata lacks one of the topics. */
  #resolve(target: Assignment): OwnedPartition[] | undefined {
    const { image } = this.#options.cluster;
    if (target.some(({ topicId }) => !image.topics.has(topicId))) return undefined;
    return target.flatMap(({ topicId, partitions }) => {
      const { name } = image.topics.get(topicId)!;
      return partitions.map((partition) => ({ topicId, topic: name, partition }));
    });
  }

  #owned(): OwnedPartition[] {
    return this.#options.partitions.owned().map(({ topic, partition }) => ({
      topicId: this.#topicIds.get(nameOf({ topic, partition })) ?? "",
      topic,
      partition,
    }));
  }

  #ownedByTopicId(): { topicId: string; partitions: number[] }[] {
    const topics = [...groupBy(this.#owned(), ({ topicId }) => topicId)].map(([topicId, owned]) => ({
      topicId,
      partitions: owned.map(({ partition }) => partition).sort((left, right) => left - right),
    }));
    return topics.sort((left, right) => (left.topicId < right.topicId ? -1 : 1));
  }

  #topics(): string {
    return JSON.stringify(this.#options.topics());
  }

  /** How long to wait before the next heartbeat, in milliseconds. */
  async #judge(error: Error): Promise<number> {
    const { cluster, link, logger, retry } = this.#options;
    const type = error instanceof KafkaJSProtocolError ? error.type : undefined;
    const isFenced = type === "FENCED_MEMBER_EPOCH" || type === "UNKNOWN_MEMBER_ID";
    if (this.#isMember && (isFenced || type === "GROUP_ID_NOT_FOUND")) {
      logger.debug(`Group ${link.groupId} is joined again: ${error.message}`);
      this.#forget();
      return 0;
    }
    if (isFenced) await this.#becomeAnother();
    else if (!isRetriableError(error)) this.#fail(error);
    const pause = retryPause(retry, this.#failures++, cluster.platform.random());
    const message = `Group ${link.groupId} hears again of this member in ${pause} ms: ${error.message}`;
    if (this.#failures === FAILURES_TO_WARN) logger.warn(message);
    else logger.debug(message);
    return pause;
  }

  /** The coordinator does not count on this member any more, so nothing is its own. */
  #forget(): void {
    this.#memberEpoch = JOIN_GROUP_MEMBER_EPOCH;
    this.#life++;
    this.#target = undefined;
    this.#isSettled = false;
    this.#topicIds.clear();
    this.#options.partitions.lose();
  }

  /** Coordinators do not let every member that they know begin anew. One that they do not know can always join. */
  async #becomeAnother(): Promise<void> {
    await this.#sendLeave();
    this.#memberId = this.#options.cluster.platform.randomUuid();
  }

  #fail(error: Error): void {
    if (this.#over) return;
    this.#end();
    this.#forget();
    this.#options.failed(error);
  }

  #heard(atMs: number): void {
    const wasHeard = this.isHeard;
    this.#lastWordAt = Math.max(this.#lastWordAt, atMs);
    if (!wasHeard) this.#options.changed();
  }
}

function includes(partitions: readonly OwnedPartition[], { topicId, partition }: OwnedPartition): boolean {
  return partitions.some((other) => other.topicId === topicId && other.partition === partition);
}
