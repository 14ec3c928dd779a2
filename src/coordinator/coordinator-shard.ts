import type { OffsetCommitRequest, OffsetCommitResponseInit } from "../protocol/apis/08-offset-commit.ts";
import type { JoinGroupRequest, JoinGroupResponseInit } from "../protocol/apis/11-join-group.ts";
import type { HeartbeatRequest, HeartbeatResponseInit } from "../protocol/apis/12-heartbeat.ts";
import type { LeaveGroupRequest, LeaveGroupResponseInit } from "../protocol/apis/13-leave-group.ts";
import type { SyncGroupRequest, SyncGroupResponseInit } from "../protocol/apis/14-sync-group.ts";
import type { ListGroupsRequest } from "../protocol/apis/16-list-groups.ts";
import type { OffsetDeleteRequest, OffsetDeleteResponseInit } from "../protocol/apis/47-offset-delete.ts";
import type { ConsumerGroupHeartbeatRequest } from "../protocol/apis/68-consumer-group-heartbeat.ts";
import type { ErrorName } from "../protocol/error-codes.ts";
import type { GroupRecord } from "../protocol/group-records/registry.ts";
import { resumeGeneration } from "./classic-generation.ts";
import { joinGroup } from "./classic-join.ts";
import { leaveGroup } from "./classic-leave.ts";
import { restartWaiting } from "./classic-rebalance.ts";
import { heartbeat, syncGroup } from "./classic-sync.ts";
import { CommittedOffsets } from "./committed-offsets.ts";
import { consumerGroupHeartbeat } from "./consumer-heartbeat.ts";
import type { ConsumerHeartbeatReply } from "./consumer-heartbeat.ts";
import { resumeConsumerGroup } from "./consumer-membership.ts";
import { defaultCoordinatorConfig } from "./coordinator-config.ts";
import type { CoordinatorConfig } from "./coordinator-config.ts";
import { describeConsumerGroup, describeGroup, listGroups } from "./describe-groups.ts";
import type { DescribedConsumerGroup, DescribedGroup, ListedGroup } from "./describe-groups.ts";
import { commitOffsets } from "./offset-commit.ts";
import { fetchOffsets, subjectsOfFetch } from "./offset-fetch.ts";
import type { FetchedGroup, GroupOffsets } from "./offset-fetch.ts";
import { deleteGroup, deleteOffsets, expireOffsets, forgetDeletedTopics, forgetTopics } from "./offset-removal.ts";
import { replay } from "./replay.ts";
import type { Client, Reply } from "./reply.ts";
import type { Group, ShardState } from "./shard-state.ts";
import { groupSubject } from "./subjects.ts";
import type { Subject } from "./subjects.ts";
import { Timers } from "./timers.ts";
import type { Topics } from "./topics.ts";

/**
 * What came of one event. The records are to be appended as they are, and the answers to leave once they are
 * committed.
 */
export interface Decision {
  readonly records: readonly GroupRecord[];
  readonly answers: readonly Answer[];
  /**
   * What the answers tell of: without records of their own, they wait for earlier ones about these alone. Undefined for
   * answers that tell of everything. A group commits offsets all the time, and a heartbeat need not wait for them.
   */
  readonly subjects: readonly Subject[] | undefined;
}

/** One of the two is called, once. */
export interface Answer {
  give(): void;
  /** The records were not, or may not have been, committed. */
  refuse(error: ErrorName): void;
}

export interface ShardStart {
  readonly topics: Topics;
  readonly config?: Partial<CoordinatorConfig>;
  /** Fresh ids for members. */
  uuid(): string;
  /** Milliseconds since 1970. */
  wallMs(nowMs: number): number;
}

/**
 * The coordinator of the groups that belong to one partition of `__consumer_offsets`. It decides, and what it decides
 * is records: its own state follows them at once, by the same `replay` that rebuilds it elsewhere, and whoever asked
 * hears of it when they are committed (R17). What no record holds is soft: who waits for whom, and whose time is up
 * when.
 *
 *     load(records of the log)… ─► resume ─► requests and `wake`, each returning a decision ─► close
 */
export class CoordinatorShard {
  readonly #state: ShardState & { nowMs: number; wallMs: number };
  readonly #wallMs: (nowMs: number) => number;
  readonly #timers = new Timers();
  readonly #groups = new Map<string, Group>();
  readonly #offsets = new CommittedOffsets();
  #records: GroupRecord[] = [];
  #answers: Answer[] = [];

  constructor(start: ShardStart) {
    this.#wallMs = (nowMs) => start.wallMs(nowMs);
    this.#state = {
      config: { ...defaultCoordinatorConfig, ...start.config },
      groups: this.#groups,
      offsets: this.#offsets,
      timers: this.#timers,
      topics: start.topics,
      nowMs: 0,
      wallMs: 0,
      uuid: () => start.uuid(),
      commit: (record) => {
        this.#records.push(record);
        this.load(record);
      },
      answer: (reply, outcome) => {
        this.#answers.push({ give: () => reply(outcome), refuse: reply });
      },
    };
  }

  /** For reading only, as are the offsets. Ahead of what is committed. */
  get groups(): ReadonlyMap<string, Group> {
    return this.#groups;
  }

  get offsets(): CommittedOffsets {
    return this.#offsets;
  }

  /** When {@link wake} is due. */
  get wakeAtMs(): number {
    return this.#timers.wakeAtMs;
  }

  /** A record of the log, in the order of the log. */
  load(record: GroupRecord): void {
    replay(this.#state, record);
  }

  /** Everything is loaded: from here on this coordinator decides, and sessions count from here on. */
  resume(nowMs: number): Decision {
    return this.#decide(nowMs, (state) => {
      for (const group of [...state.groups.values()]) {
        if (group.type === "classic") resumeGeneration(state, group);
        else resumeConsumerGroup(state, group);
      }
      forgetDeletedTopics(state);
      this.#expectExpiry();
    });
  }

  /** Members could not be heard for a while, through no fault of theirs: sessions and rebalances wait anew. */
  restartSessions(nowMs: number): Decision {
    return this.#decide(nowMs, (state) => {
      for (const group of state.groups.values()) {
        if (group.type === "classic") restartWaiting(state, group);
        else resumeConsumerGroup(state, group);
      }
    });
  }

  wake(nowMs: number): Decision {
    return this.#decide(nowMs, () => this.#timers.run(nowMs));
  }

  joinGroup(request: JoinGroupRequest, client: Client, nowMs: number, reply: Reply<JoinGroupResponseInit>): Decision {
    return this.#decide(nowMs, (state) => joinGroup(state, request, client, reply), [groupSubject(request.groupId)]);
  }

  syncGroup(request: SyncGroupRequest, nowMs: number, reply: Reply<SyncGroupResponseInit>): Decision {
    return this.#decide(nowMs, (state) => syncGroup(state, request, reply), [groupSubject(request.groupId)]);
  }

  heartbeat(request: HeartbeatRequest, nowMs: number, reply: Reply<HeartbeatResponseInit>): Decision {
    return this.#decide(nowMs, (state) => heartbeat(state, request, reply), [groupSubject(request.groupId)]);
  }

  leaveGroup(
    request: LeaveGroupRequest,
    client: Client,
    nowMs: number,
    reply: Reply<LeaveGroupResponseInit>,
  ): Decision {
    return this.#decide(nowMs, (state) => leaveGroup(state, request, client, reply), [groupSubject(request.groupId)]);
  }

  consumerGroupHeartbeat(
    request: ConsumerGroupHeartbeatRequest,
    client: Client,
    nowMs: number,
    reply: ConsumerHeartbeatReply,
  ): Decision {
    const subjects = [groupSubject(request.groupId)];
    return this.#decide(nowMs, (state) => consumerGroupHeartbeat(state, request, client, reply), subjects);
  }

  commitOffsets(
    request: OffsetCommitRequest,
    client: Client,
    nowMs: number,
    reply: Reply<OffsetCommitResponseInit>,
  ): Decision {
    return this.#decide(nowMs, (state) => commitOffsets(state, request, client, reply));
  }

  fetchOffsets(request: FetchedGroup, nowMs: number, reply: Reply<GroupOffsets>): Decision {
    return this.#decide(nowMs, (state) => fetchOffsets(state, request, reply), subjectsOfFetch(request));
  }

  deleteOffsets(request: OffsetDeleteRequest, nowMs: number, reply: Reply<OffsetDeleteResponseInit>): Decision {
    return this.#decide(nowMs, (state) => deleteOffsets(state, request, reply));
  }

  deleteGroup(groupId: string, nowMs: number, reply: Reply<never>): Decision {
    return this.#decide(nowMs, (state) => deleteGroup(state, groupId, reply));
  }

  describeGroup(groupId: string, nowMs: number, reply: Reply<DescribedGroup>): Decision {
    return this.#decide(nowMs, (state) => describeGroup(state, groupId, reply));
  }

  describeConsumerGroup(groupId: string, nowMs: number, reply: Reply<DescribedConsumerGroup>): Decision {
    return this.#decide(nowMs, (state) => describeConsumerGroup(state, groupId, reply));
  }

  listGroups(request: ListGroupsRequest, nowMs: number, reply: Reply<readonly ListedGroup[]>): Decision {
    return this.#decide(nowMs, (state) => listGroups(state, request, reply));
  }

  /** Offsets of topics that were deleted go with them. */
  topicsDeleted(names: ReadonlySet<string>, nowMs: number): Decision {
    return this.#decide(nowMs, (state) => forgetTopics(state, (topic) => names.has(topic)));
  }

  /**
   * Another tab coordinates from here on. Whoever waits for others is told so; the shard is not to be used any more.
   */
  close(error: ErrorName): void {
    for (const group of this.#groups.values()) {
      if (group.type !== "classic") continue;
      for (const { joining, syncing } of group.members.values()) {
        joining?.(error);
        syncing?.(error);
      }
    }
  }

  #decide(nowMs: number, decide: (state: ShardState) => void, subjects?: readonly Subject[]): Decision {
    this.#state.nowMs = nowMs;
    this.#state.wallMs = this.#wallMs(nowMs);
    this.#records = [];
    this.#answers = [];
    decide(this.#state);
    return { records: this.#records, answers: this.#answers, subjects };
  }

  #expectExpiry(): void {
    const { offsetsRetentionCheckIntervalMs } = this.#state.config;
    const timer = this.#timers.timer(() => {
      expireOffsets(this.#state);
      this.#expectExpiry();
    });
    timer.set(this.#state.nowMs + offsetsRetentionCheckIntervalMs);
  }
}
