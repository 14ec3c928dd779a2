import { byTopic, partitionsIn, readSubscription } from "../assigners/assigner-protocol.ts";
import type { Assigner } from "../assigners/assigner.ts";
import { retryPause, sleep } from "../backoff.ts";
import { asError, isRetriableError, KafkaJSNonRetriableError, KafkaJSProtocolError, reasonOf } from "../errors.ts";
import { consumerEvents } from "../events.ts";
import { nameOf } from "../fetch-position.ts";
import type { TopicPartition } from "../fetch-position.ts";
import { LEAVING_PATIENCE_MS } from "./group-membership.ts";
import type { GroupMembership, Identity, MembershipOptions } from "./group-membership.ts";
import { joinGroup } from "../../protocol/apis/11-join-group.ts";
import type { JoinGroupResponse } from "../../protocol/apis/11-join-group.ts";
import { heartbeat } from "../../protocol/apis/12-heartbeat.ts";
import { leaveGroup } from "../../protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../protocol/apis/14-sync-group.ts";
import { CONSUMER_PROTOCOL_TYPE, decodeAssignment } from "../../protocol/consumer-protocol.ts";
import { errorCode } from "../../protocol/error-codes.ts";
import type { ErrorName } from "../../protocol/error-codes.ts";

export interface ClassicMembershipOptions extends MembershipOptions {
  readonly sessionTimeoutMs: number;
  readonly heartbeatIntervalMs: number;
  readonly assigners: readonly Assigner[];
}

/** A broker that does not answer a heartbeat in this part of the session is asked again over another connection. */
const HEARTBEAT_PATIENCE = 1 / 3;
/** After so many failures in a row, somebody should hear of it. */
const FAILURES_TO_WARN = 5;

/**
 * One membership of a classic group, from `start` to `leave`: it joins, is given partitions, says that it is alive, and
 * joins again when the group rebalances.
 *
 * Heartbeats go at their own pace, on a connection where no commit is waited for. A timer drives them, and so does
 * everything that comes over the network, because a hidden page's timers may run once a minute and what arrives is not
 * delayed.
 */
export class ClassicMembership implements GroupMembership {
  readonly #options: ClassicMembershipOptions;
  #memberId = "";
  #generationId = -1;
  #life = 0;
  /** What was assigned last, and when: for assignors that remember. */
  #previous: { readonly partitions: readonly TopicPartition[]; readonly generationId: number } = {
    partitions: [],
    generationId: -1,
  };
  #over = false;
  #loop: Promise<void> | undefined;
  /** Between asking to join and being given partitions, when the coordinator expects no heartbeat. */
  #isJoining = false;
  #isBeating = false;
  #isSettled = false;
  #isRebalanceDue = false;
  #wakeLoop: () => void = () => {};
  #cancelBeat: (() => void) | undefined;
  #lastBeatAt = 0;
  /** When the coordinator was last asked something that it has answered, or was found not to answer. */
  #lastWordAt = Number.NEGATIVE_INFINITY;
  /** What the present assignment was made for, and, if this member made it, the topics that it looked at. */
  #wanted = "";
  #divided: readonly string[] = [];
  #stopWatching: (() => void) | undefined;

  constructor(options: ClassicMembershipOptions) {
    this.#options = options;
  }

  get identity(): Identity {
    const { groupInstanceId } = this.#options;
    return { memberId: this.#memberId, generationId: this.#generationId, groupInstanceId, life: this.#life };
  }

  get isSettled(): boolean {
    return this.#isSettled && !this.#isRebalanceDue;
  }

  get isHeard(): boolean {
    if (this.#isJoining) return true;
    return this.#options.cluster.clock.now() - this.#lastWordAt < this.#options.sessionTimeoutMs;
  }

  start(): void {
    this.#stopWatching = this.#options.cluster.watch(() => {
      if (this.isSettled) this.#compareWants();
      this.tick();
    });
    this.#loop = this.#run();
  }

  /** Has the group rebalance; for example because what is wanted has changed. */
  #rejoin(): void {
    this.#isRebalanceDue = true;
    this.#wakeLoop();
  }

  tick(): void {
    const { clock } = this.#options.cluster;
    if (clock.now() - this.#lastBeatAt >= this.#options.heartbeatIntervalMs) void this.#beat();
  }

  async leave(): Promise<void> {
    if (this.#over) return;
    this.#end();
    // The coordinator may be about to answer with an id, for which the others would wait.
    if (this.#memberId === "") {
      await Promise.race([this.#loop, sleep(this.#options.cluster.clock, LEAVING_PATIENCE_MS)]);
    }
    await this.#sendLeave();
    this.#generationId = -1;
    this.#memberId = "";
  }

  abandon(): void {
    if (this.#over) return;
    this.#end();
    void this.#sendLeave();
    this.#generationId = -1;
    this.#memberId = "";
  }

  #end(): void {
    this.#over = true;
    this.#stopWatching?.();
    this.#cancelBeat?.();
    this.#wakeLoop();
  }

  async #sendLeave(): Promise<void> {
    const { groupInstanceId, link, logger } = this.#options;
    if (this.#memberId === "" || groupInstanceId !== null) return;
    const members = [{ memberId: this.#memberId, reason: "the consumer is closing" }];
    try {
      const asking = { purpose: link.parting, timeoutMs: LEAVING_PATIENCE_MS };
      await link.ask(leaveGroup, { groupId: link.groupId, members }, asking);
    } catch (error) {
      // Its session will end by itself.
      logger.debug(`Leaving group ${link.groupId} failed: ${reasonOf(error)}`, { error });
    }
  }

  async #run(): Promise<void> {
    for (let failures = 0; !this.#over; ) {
      try {
        await this.#rebalance();
        failures = 0;
        await this.#rebalanceDue();
      } catch (error) {
        if (this.#over) return;
        const pause = this.#judge(asError(error), failures++);
        if (pause > 0) await sleep(this.#options.cluster.clock, pause);
      }
    }
  }

  /** Gives up what has to be given up, joins, and takes what is given. */
  async #rebalance(): Promise<void> {
    this.#isSettled = false;
    const { partitions } = this.#options;
    const topics = this.#options.topics();
    await partitions.revoke(
      partitions.owned().filter((partition) => !this.#isCooperative || !topics.includes(partition.topic)),
    );
    if (this.#over) return;
    const startedAt = this.#options.cluster.clock.now();
    this.#isRebalanceDue = false;
    this.#isJoining = true;
    this.#divided = [];
    this.#wanted = this.#wants(topics);
    let assigned: TopicPartition[];
    try {
      const joined = await this.#join(topics);
      if (this.#over) return;
      assigned = await this.#sync(joined, topics, startedAt);
    } finally {
      this.#isJoining = false;
      this.#spoken(this.#options.cluster.clock.now());
    }
    if (this.#over) return;
    await this.#take(assigned);
  }

  /** Whatever the group agrees on, every member keeps its partitions, or every one gives them up. */
  get #isCooperative(): boolean {
    return this.#options.assigners.every(({ isCooperative = false }) => isCooperative);
  }

  async #join(topics: readonly string[]): Promise<JoinGroupResponse> {
    const { assigners, cluster, groupInstanceId, link, rackId, rebalanceTimeoutMs, sessionTimeoutMs } = this.#options;
    const { generationId, partitions: previous } = this.#previous;
    const owned = this.#options.partitions.owned();
    const protocols = assigners.map((assigner) => {
      // A cooperative assigner would have the others wait for what an eager member gave up before it joined.
      const ownedPartitions = assigner.isCooperative === true ? owned : previous;
      return assigner.protocol({ topics: [...topics], ownedPartitions, generationId, rackId });
    });
    const timeoutMs = rebalanceTimeoutMs + cluster.requestTimeoutMs;
    // Having to come back with an id is no error, the first time.
    const errorOf = ({ errorCode: code, memberId }: JoinGroupResponse) =>
      code === MEMBER_ID_REQUIRED && memberId !== "" && this.#memberId === "" ? 0 : code;
    for (;;) {
      const joined = await link.ask(
        joinGroup,
        {
          groupId: link.groupId,
          sessionTimeoutMs,
          rebalanceTimeoutMs,
          memberId: this.#memberId,
          groupInstanceId,
          protocolType: CONSUMER_PROTOCOL_TYPE,
          protocols,
        },
        { timeoutMs, errorOf },
      );
      this.#memberId = joined.memberId;
      if (joined.errorCode !== 0 && !this.#over) continue;
      return joined;
    }
  }

  async #sync(joined: JoinGroupResponse, topics: readonly string[], startedAt: number): Promise<TopicPartition[]> {
    const { cluster, emitter, groupInstanceId, link } = this.#options;
    const { generationId, protocolName, memberId, leader } = joined;
    const isLeader = leader === memberId;
    if (isLeader) {
      const wanted = joined.members.flatMap(({ metadata }) => readSubscription(metadata)?.topics ?? []);
      this.#divided = [...new Set(wanted)].sort();
      this.#wanted = this.#wants(topics);
    }
    const assignments = isLeader && !joined.skipAssignment ? await this.#divide(joined) : [];
    const { assignment } = await link.ask(
      syncGroup,
      {
        groupId: link.groupId,
        generationId,
        memberId,
        groupInstanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocolName,
        assignments,
      },
      { timeoutMs: this.#options.rebalanceTimeoutMs + cluster.requestTimeoutMs },
    );
    this.#generationId = generationId;
    const partitions = assignment.length === 0 ? [] : partitionsIn(decodeAssignment(assignment).assignedPartitions);
    this.#previous = { partitions, generationId };
    emitter.emit(consumerEvents.GROUP_JOIN, () => ({
      groupId: link.groupId,
      memberId,
      leaderId: leader,
      isLeader,
      memberAssignment: byTopic(partitions),
      groupProtocol: protocolName,
      duration: cluster.clock.now() - startedAt,
    }));
    return this.#withoutUnwanted(partitions, topics);
  }

  /** As the leader: what all members want, divided by the assigner that they agreed on. */
  async #divide({ members, protocolName }: JoinGroupResponse): Promise<{ memberId: string; assignment: Uint8Array }[]> {
    const { assigners, link } = this.#options;
    const assigner = assigners.find(({ name }) => name === protocolName);
    if (assigner === undefined) {
      throw new KafkaJSNonRetriableError(`Group ${link.groupId} uses an assignor that is not here: ${protocolName}`);
    }
    const division = await assigner.assign({
      members: members.map(({ memberId, metadata, groupInstanceId }) => ({
        memberId,
        memberMetadata: metadata,
        groupInstanceId,
      })),
      topics: this.#divided,
    });
    return division.map(({ memberId, memberAssignment }) => ({ memberId, assignment: memberAssignment }));
  }

  #withoutUnwanted(partitions: readonly TopicPartition[], topics: readonly string[]): TopicPartition[] {
    const { emitter, link, logger } = this.#options;
    const assignedTopics = [...new Set(partitions.map(({ topic }) => topic))];
    const topicsNotSubscribed = assignedTopics.filter((topic) => !topics.includes(topic));
    if (topicsNotSubscribed.length > 0) {
      const payload = {
        groupId: link.groupId,
        generationId: this.#generationId,
        memberId: this.#memberId,
        assignedTopics,
        topicsSubscribed: topics,
        topicsNotSubscribed,
      };
      logger.warn("The group's leader assigned topics that this member did not subscribe to", payload);
      emitter.emit(consumerEvents.RECEIVED_UNSUBSCRIBED_TOPICS, payload);
    }
    return partitions.filter(({ topic }) => topics.includes(topic));
  }

  async #take(assigned: readonly TopicPartition[]): Promise<void> {
    const { partitions } = this.#options;
    const generationId = this.#generationId;
    const isCurrent = () => !this.#over && this.#generationId === generationId && !this.#isRebalanceDue;
    const names = new Set(assigned.map(nameOf));
    const owned = partitions.owned();
    const ownedNames = new Set(owned.map(nameOf));
    const withdrawn = owned.filter((partition) => !names.has(nameOf(partition)));
    const added = assigned.filter((partition) => !ownedNames.has(nameOf(partition)));
    this.#schedule();
    await partitions.revoke(withdrawn);
    if (added.length > 0 && isCurrent()) await partitions.assign(added, isCurrent);
    // Somebody waits for what was given up here.
    if (withdrawn.length > 0) return this.#rejoin();
    if (!isCurrent()) return;
    this.#isSettled = true;
    this.#compareWants();
    this.#options.changed();
  }

  #compareWants(): void {
    if (this.#wants(this.#options.topics()) !== this.#wanted) this.#rejoin();
  }

  /** Names everything that an assignment depends on. Only who made it looks at the number of partitions. */
  #wants(topics: readonly string[]): string {
    const { image } = this.#options.cluster;
    return JSON.stringify([topics, this.#divided.map((topic) => image.topicNamed(topic)?.partitions.length ?? 0)]);
  }

  async #rebalanceDue(): Promise<void> {
    while (!this.#isRebalanceDue && !this.#over) {
      await new Promise<void>((resolve) => {
        this.#wakeLoop = resolve;
      });
    }
  }

  #schedule(): void {
    this.#cancelBeat?.();
    if (this.#over) return;
    const { cluster, heartbeatIntervalMs } = this.#options;
    this.#cancelBeat = cluster.clock.setTimer(heartbeatIntervalMs, () => void this.#beat());
  }

  async #beat(): Promise<void> {
    if (this.#isBeating || this.#isJoining || this.#over || this.#generationId < 0) return;
    const { cluster, emitter, link, sessionTimeoutMs } = this.#options;
    const { memberId, generationId, groupInstanceId } = this.identity;
    const startedAt = cluster.clock.now();
    this.#isBeating = true;
    this.#lastBeatAt = startedAt;
    try {
      const timeoutMs = Math.min(cluster.requestTimeoutMs, sessionTimeoutMs * HEARTBEAT_PATIENCE);
      const body = { groupId: link.groupId, generationId, memberId, groupInstanceId };
      await link.ask(heartbeat, body, { timeoutMs });
      emitter.emit(consumerEvents.HEARTBEAT, { groupId: link.groupId, memberId, groupGenerationId: generationId });
    } catch (error) {
      const isCurrent = this.#generationId === generationId && this.#memberId === memberId;
      if (isCurrent && !this.#isJoining && !this.#over) this.#onHeartbeatError(asError(error));
    } finally {
      this.#isBeating = false;
      // The page may have slept since then, and whatever came of it in that case is about the past.
      this.#spoken(startedAt);
      this.#schedule();
    }
  }

  #onHeartbeatError(error: Error): void {
    const { emitter, link, logger } = this.#options;
    const type = typeOf(error);
    if (type !== "REBALANCE_IN_PROGRESS" && isRetriableError(error)) {
      logger.debug(`A heartbeat to group ${link.groupId} failed: ${error.message}`, { error });
      return;
    }
    if (this.#isRebalanceDue && type === "REBALANCE_IN_PROGRESS") return;
    if (type === "REBALANCE_IN_PROGRESS") {
      emitter.emit(consumerEvents.REBALANCING, { groupId: link.groupId, memberId: this.#memberId });
      return this.#rejoin();
    }
    if (this.#forget(type)) return this.#rejoin();
    this.#fail(error);
  }

  /** After the coordinator has forgotten the member or its generation, nothing is its own; says whether that is so. */
  #forget(type: ErrorName | undefined): boolean {
    if (type !== "UNKNOWN_MEMBER_ID" && type !== "ILLEGAL_GENERATION") return false;
    if (type === "UNKNOWN_MEMBER_ID") this.#memberId = "";
    this.#generationId = -1;
    this.#life++;
    this.#previous = { partitions: [], generationId: -1 };
    this.#options.partitions.lose();
    return true;
  }

  /** How long to wait before the next attempt to join, in milliseconds. */
  #judge(error: Error, failures: number): number {
    const { cluster, link, logger, retry } = this.#options;
    const type = typeOf(error);
    const isBehind = this.#forget(type) || type === "REBALANCE_IN_PROGRESS" || type === "MEMBER_ID_REQUIRED";
    if (!isBehind && !isRetriableError(error)) {
      this.#fail(error);
      return 0;
    }
    if (isBehind && failures === 0) return 0;
    const pause = retryPause(retry, failures, cluster.platform.random());
    const message = `Group ${link.groupId} is joined again in ${pause} ms: ${error.message}`;
    if (failures === FAILURES_TO_WARN) logger.warn(message);
    else logger.debug(message);
    return pause;
  }

  #fail(error: Error): void {
    this.#end();
    this.#generationId = -1;
    this.#memberId = "";
    this.#options.partitions.lose();
    this.#options.failed(error);
  }

  #spoken(at: number): void {
    const wasHeard = this.isHeard;
    this.#lastWordAt = at;
    if (!wasHeard && this.isHeard) this.#options.changed();
  }
}

const MEMBER_ID_REQUIRED = errorCode("MEMBER_ID_REQUIRED");

function typeOf(error: Error): ErrorName | undefined {
  return error instanceof KafkaJSProtocolError ? error.type : undefined;
}
