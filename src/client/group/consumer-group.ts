import type { AssignedPartition, StartAt } from "../assigned-partition.ts";
import { AutoCommit } from "./auto-commit.ts";
import type { CommitTerms } from "./auto-commit.ts";
import { CommittedOffsets, offsetsByTopic, uncommitted } from "./committed-offsets.ts";
import type { OffsetsByTopicPartition, OffsetToCommit } from "./committed-offsets.ts";
import { CoordinatorLink } from "./coordinator-link.ts";
import { describeGroup } from "./describe-group.ts";
import type { GroupDescription } from "./describe-group.ts";
import { explained } from "./group-errors.ts";
import type { GroupMembership, Identity, MembershipOptions, OwnedPartitions } from "./group-membership.ts";
import { groupProtocol } from "./group-protocol.ts";
import { retryPause, sleep } from "../backoff.ts";
import type { RetryPolicy } from "../backoff.ts";
import type { BrokerConnections } from "../broker-connections.ts";
import type { Cluster } from "../cluster.ts";
import type { ConsumerConfig } from "../consumer-types.ts";
import { asError, isRetriableError, KafkaJSNonRetriableError, KafkaJSProtocolError, reasonOf } from "../errors.ts";
import type { Emitter } from "../events.ts";
import type { Fetcher } from "../fetcher.ts";
import { nameOf, wholeNumber } from "../fetch-position.ts";
import type { TopicPartition } from "../fetch-position.ts";
import type { Logger } from "../logger.ts";

export interface ConsumerGroupOptions {
  readonly groupId: string;
  readonly config: ConsumerConfig;
  readonly cluster: Cluster;
  readonly connections: BrokerConnections;
  readonly fetcher: Fetcher;
  readonly emitter: Emitter;
  readonly logger: Logger;
  readonly retry: RetryPolicy;
  /** The topics that are subscribed to and exist. */
  readonly topics: () => readonly string[];
  /** A partition to read, from `start` or, without, from where the subscription says. */
  readonly newPartition: (where: TopicPartition, start: StartAt | undefined) => AssignedPartition;
}

const DEFAULT_REBALANCE_TIMEOUT_MS = 60_000;
const COMMIT_RETRY_MS = 20;
const COMMIT_PATIENCE_MS = 3_000;
/** Long enough for another coordinator to take over, and what a consumer that closes waits for one at the most. */
const LAST_COMMIT_PATIENCE_MS = 2_000;

/** The consumer's side of its group: reads what the group assigns to it, and commits what was processed. */
export class ConsumerGroup implements OwnedPartitions {
  readonly #options: ConsumerGroupOptions;
  readonly #link: CoordinatorLink;
  readonly #offsets: CommittedOffsets;
  readonly #join: (options: MembershipOptions) => GroupMembership;
  readonly #rebalanceTimeoutMs: number;
  #membership: GroupMembership | undefined;
  #leaving: Promise<void> | undefined;
  #unwatchPage: () => void = () => {};
  #autoCommit: AutoCommit | undefined;
  /** Names of partitions that were paused, or sought, while they were, or may have been, another member's. */
  readonly #paused = new Set<string>();
  readonly #sought = new Map<string, StartAt>();

  constructor(options: ConsumerGroupOptions) {
    const { cluster, config, connections, emitter, groupId, logger, retry } = options;
    if (groupId === "") throw new KafkaJSNonRetriableError("groupId is empty; leave it out to read without a group");
    this.#options = options;
    this.#link = new CoordinatorLink(groupId, cluster, connections, retry);
    this.#offsets = new CommittedOffsets(this.#link, emitter);
    this.#rebalanceTimeoutMs = config.rebalanceTimeout ?? DEFAULT_REBALANCE_TIMEOUT_MS;
    this.#join = groupProtocol(config, { groupId, cluster, logger });
  }

  get groupId(): string {
    return this.#link.groupId;
  }

  /** Resolves when it has left, if it is about to. */
  get left(): Promise<void> | undefined {
    return this.#leaving;
  }

  get isMember(): boolean {
    return this.#membership !== undefined;
  }

  /** Whether an assignment is there. */
  get isSettled(): boolean {
    return this.#membership?.isSettled ?? false;
  }

  /** Whether what was fetched may be handed out: not after a sleep in which others may have taken over. */
  get mayHandOut(): boolean {
    return this.#membership?.isHeard ?? true;
  }

  /** Joins, in the background. What goes wrong for good makes the fetcher throw. */
  join(terms: CommitTerms): void {
    const { cluster, emitter, fetcher, logger, retry, topics } = this.#options;
    this.#autoCommit?.close();
    this.#autoCommit = new AutoCommit(cluster.clock, terms, () => this.#commitProcessed(fetcher.partitions));
    this.#watchPage(terms);
    if (this.#membership !== undefined) return;
    const { groupInstanceId = null, groupRemoteAssignor: remoteAssignor = null, rackId = "" } = this.#options.config;
    const membership = this.#join({
      cluster,
      link: this.#link,
      emitter,
      logger,
      retry,
      groupInstanceId,
      rackId,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs,
      topics,
      partitions: this,
      changed: () => fetcher.notify(),
      failed: (error) => {
        if (this.#membership === membership) this.#membership = undefined;
        fetcher.fail(explained(error, { groupId: this.groupId, groupInstanceId, remoteAssignor }));
      },
    });
    this.#membership = membership;
    membership.start();
  }

  /**
   * Commits what was processed, unless that is left to the application, and leaves. Pauses and seeks are forgotten, for
   * by the next time others may have read on.
   */
  leave(): Promise<void> {
    if (this.#leaving === undefined) {
      this.#paused.clear();
      this.#sought.clear();
    }
    this.#leaving ??= this.#leave().finally(() => {
      this.#unwatchPage();
      this.#autoCommit?.close();
      this.#leaving = undefined;
    });
    return this.#leaving;
  }

  /**
   * A page that goes away leaves its group at once, also when it goes to the back/forward cache: there it would hold
   * its partitions, and read none. One that comes back joins anew.
   */
  #watchPage(terms: CommitTerms): void {
    let isAway = false;
    const closing = () => {
      isAway = this.isMember && this.#leaving === undefined;
      this.#abandon();
    };
    const returned = () => {
      if (isAway) this.join(terms);
    };
    this.#unwatchPage();
    this.#unwatchPage = this.#options.cluster.platform.watchPage?.({ closing, returned }) ?? (() => {});
  }

  /** Commits what was processed and leaves, with no time to hear whether that worked. */
  #abandon(): void {
    const { fetcher, logger } = this.#options;
    if (this.#autoCommit?.isOn === true && this.isMember) {
      const processed = fetcher.partitions.flatMap(uncommitted);
      this.#offsets.commitLast(processed, this.#identify()).catch((error: unknown) => {
        logger.debug(`Group ${this.groupId} could not commit: ${reasonOf(error)}`, { error });
      });
    }
    this.#autoCommit?.close();
    this.#membership?.abandon();
    this.#membership = undefined;
    this.lose();
  }

  async #leave(): Promise<void> {
    const membership = this.#membership;
    if (membership === undefined) return;
    const { cluster, fetcher } = this.#options;
    for (const partition of fetcher.partitions) partition.revoking = true;
    const isAuto = this.#autoCommit?.isOn === true;
    const committed = isAuto ? this.#commitProcessed(fetcher.partitions) : this.#offsets.settled;
    await Promise.race([committed, sleep(cluster.clock, LAST_COMMIT_PATIENCE_MS)]);
    this.#autoCommit?.close();
    await membership.leave();
    if (this.#membership === membership) this.#membership = undefined;
    this.lose();
  }

  /** Sends a heartbeat if one is due; they are sent without it too. */
  tick(): void {
    this.#membership?.tick();
  }

  /** So many messages more were processed. */
  processed(count: number): void {
    this.#autoCommit?.processed(count);
  }

  batchProcessed(): void {
    this.#autoCommit?.batchProcessed();
  }

  async commitIfNecessary(): Promise<void> {
    await this.#autoCommit?.commitIfNecessary();
  }

  uncommitted(): OffsetsByTopicPartition {
    return offsetsByTopic(this.#options.fetcher.partitions.flatMap(uncommitted));
  }

  /** Commits `offsets`, by default everything that was processed. */
  async commit(offsets?: readonly OffsetToCommit[]): Promise<void> {
    if (offsets === undefined) return this.#commitThose(this.#options.fetcher.partitions);
    if (this.isMember && this.#identify().memberId === "") {
      throw new KafkaJSProtocolError("UNKNOWN_MEMBER_ID", `Group ${this.groupId} is just being joined`);
    }
    await this.#offsets.commit(() => offsets, this.#identify);
    for (const { topic, partition, offset } of offsets) {
      const assigned = this.#find({ topic, partition });
      if (assigned !== undefined) assigned.committed = offset;
    }
  }

  /** Commits offsets in KafkaJS's form. */
  async commitTopics({ topics }: OffsetsByTopicPartition): Promise<void> {
    await this.commit(
      topics.flatMap(({ topic, partitions }) =>
        partitions.map(({ partition, offset }) => ({
          topic,
          partition,
          offset: wholeNumber(offset, "offset", { topic, partition }),
          leaderEpoch: -1,
          metadata: null,
        })),
      ),
    );
  }

  describe(): Promise<GroupDescription> {
    return describeGroup(this.#link);
  }

  /** Keeps for later that a partition is paused, or not, whoever has it now. */
  setPaused(where: TopicPartition, paused: boolean): void {
    if (paused) this.#paused.add(nameOf(where));
    else this.#paused.delete(nameOf(where));
  }

  /** Where to start once the partition is assigned. */
  seekLater(where: TopicPartition, start: StartAt): void {
    this.#sought.set(nameOf(where), start);
  }

  owned(): readonly AssignedPartition[] {
    return this.#options.fetcher.partitions;
  }

  async revoke(partitions: readonly TopicPartition[]): Promise<void> {
    const { cluster, fetcher } = this.#options;
    const leaving = partitions.flatMap((where) => this.#find(where) ?? []);
    if (leaving.length === 0) return;
    for (const partition of leaving) partition.revoking = true;
    let isOverdue = false;
    const cancelTimer = cluster.clock.setTimer(this.#rebalanceTimeoutMs, () => {
      isOverdue = true;
      fetcher.notify();
    });
    fetcher.notify();
    await fetcher.settled(() => leaving.every(({ busy }) => !busy) || isOverdue || !this.#hasAny(leaving));
    if (this.#autoCommit?.isOn === true && this.#hasAny(leaving)) await this.#commitProcessed(leaving);
    // A commit that has its turn later would set back whoever has read on by then.
    let areSettled = false;
    void this.#offsets.settled.then(() => {
      areSettled = true;
      fetcher.notify();
    });
    await fetcher.settled(() => areSettled || isOverdue || !this.#hasAny(leaving));
    cancelTimer();
    this.#remove(leaving);
  }

  lose(): void {
    this.#remove(this.#options.fetcher.partitions);
  }

  async assign(partitions: readonly TopicPartition[], isCurrent: () => boolean): Promise<void> {
    const { fetcher, newPartition } = this.#options;
    const positions = await this.#committedPositions(partitions, isCurrent);
    if (positions === undefined || !isCurrent()) return;
    const added = partitions.map((where, index) => {
      const name = nameOf(where);
      const sought = this.#sought.get(name);
      this.#sought.delete(name);
      const partition = newPartition(where, sought);
      const position = positions[index];
      if (position !== undefined) partition.committed = position.offset;
      if (position !== undefined && sought === undefined) partition.place(position);
      partition.paused = this.#paused.has(name);
      return partition;
    });
    fetcher.assign([...fetcher.partitions, ...added]);
    fetcher.notify();
    if (this.#autoCommit?.isOn === true) void this.#commitEnds(added);
  }

  /**
   * A partition that is read from its end on has its position committed as soon as that is known. Otherwise, if this
   * member died now, the next one would begin at a later end, and what came between would be skipped.
   */
  async #commitEnds(added: readonly AssignedPartition[]): Promise<void> {
    const { fetcher } = this.#options;
    const fromEnd = added.filter(({ start }) => start?.kind === "latest");
    if (fromEnd.length === 0) return;
    await fetcher.settled(() => fromEnd.every(({ start }) => start === undefined) || !this.#hasAny(fromEnd));
    await this.#commitProcessed(fromEnd);
  }

  readonly #identify = (): Identity =>
    this.#membership?.identity ?? { memberId: "", generationId: -1, groupInstanceId: null };

  #find(where: TopicPartition): AssignedPartition | undefined {
    return this.#options.fetcher.partitions.find(
      ({ topic, partition }) => topic === where.topic && partition === where.partition,
    );
  }

  #hasAny(partitions: readonly AssignedPartition[]): boolean {
    return partitions.some((partition) => this.#options.fetcher.partitions.includes(partition));
  }

  #remove(partitions: readonly AssignedPartition[]): void {
    const { fetcher } = this.#options;
    // Whatever is still being processed of them counts for nothing here any more.
    for (const partition of partitions) partition.generation++;
    fetcher.assign(fetcher.partitions.filter((partition) => !partitions.includes(partition)));
    fetcher.notify();
  }

  /** Asks until there is an answer, or it is no longer needed. */
  async #committedPositions(partitions: readonly TopicPartition[], isCurrent: () => boolean) {
    const { cluster, logger, retry } = this.#options;
    for (let failures = 0; isCurrent(); failures++) {
      try {
        return await this.#offsets.fetch(partitions);
      } catch (error) {
        if (!isRetriableError(error)) throw error;
        logger.warn(`The committed offsets of group ${this.groupId} are not known yet: ${reasonOf(error)}`, { error });
        await sleep(cluster.clock, retryPause(retry, failures, cluster.platform.random()));
      }
    }
    return undefined;
  }

  /**
   * Commits; what cannot be committed now is committed with what follows, or read again by whoever is next. While the
   * group shares out its partitions it takes no offsets, and that is soon over.
   */
  async #commitProcessed(partitions: readonly AssignedPartition[]): Promise<void> {
    const { cluster, logger } = this.#options;
    const deadline = cluster.clock.now() + COMMIT_PATIENCE_MS;
    for (;;) {
      try {
        return await this.#commitThose(partitions);
      } catch (error) {
        const type = error instanceof KafkaJSProtocolError ? error.type : undefined;
        // The generation may be over because another one has begun, of which this member has yet to hear.
        const isRebalancing = type === "REBALANCE_IN_PROGRESS" || type === "ILLEGAL_GENERATION";
        if (!isRebalancing || !this.isMember || cluster.clock.now() >= deadline) {
          return logger.warn(`Group ${this.groupId} could not commit: ${asError(error).message}`, { error });
        }
        await sleep(cluster.clock, COMMIT_RETRY_MS);
      }
    }
  }

  async #commitThose(partitions: readonly AssignedPartition[]): Promise<void> {
    const { cluster } = this.#options;
    let processed: readonly OffsetToCommit[] = [];
    const collect = () => {
      processed = partitions
        .filter((partition) => this.#hasAny([partition]) && cluster.image.topicNamed(partition.topic) !== undefined)
        .flatMap(uncommitted);
      return processed;
    };
    await this.#offsets.commit(collect, this.#identify);
    for (const { topic, partition, offset } of processed) {
      const assigned = this.#find({ topic, partition });
      if (assigned !== undefined) assigned.committed = offset;
    }
  }
}
