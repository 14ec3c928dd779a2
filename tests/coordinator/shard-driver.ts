import { CoordinatorShard } from "../../src/coordinator/coordinator-shard.ts";
import type { Answer, Decision } from "../../src/coordinator/coordinator-shard.ts";
import type { CoordinatorConfig } from "../../src/coordinator/coordinator-config.ts";
import type { GroupOffsets } from "../../src/coordinator/offset-fetch.ts";
import type { Client, Reply } from "../../src/coordinator/reply.ts";
import { decodeGroupRecord, encodeGroupRecord } from "../../src/protocol/group-records/registry.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import type { JoinGroupRequest, JoinGroupResponseInit } from "../../src/protocol/apis/11-join-group.ts";
import type { SyncGroupResponseInit } from "../../src/protocol/apis/14-sync-group.ts";
import type {
  ConsumerGroupHeartbeatRequest,
  ConsumerGroupHeartbeatResponseInit,
} from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { OffsetCommitResponseInit } from "../../src/protocol/apis/08-offset-commit.ts";

/** An answer that may still be out. */
export interface Pending<Response> {
  readonly outcome: Response | ErrorName | undefined;
}

interface Stored {
  readonly key: Uint8Array;
  readonly value: Uint8Array | null;
}

/**
 * One shard with a log and a clock of its own. Records go through their bytes. What is decided is committed at once,
 * unless `holds` is set: then answers wait until `commit`.
 */
export class ShardDriver {
  nowMs = 1_000;
  holds = false;
  shard!: CoordinatorShard;
  /** What is in the log, and how much of it is committed. */
  readonly log: Stored[] = [];
  committed = 0;
  readonly topics = new Map<string, { topicId: string; partitionCount: number }>();
  topicsVersion = 0;
  #waiting: { readonly endOffset: number; readonly answers: readonly Answer[] }[] = [];
  #ids = 0;
  readonly #config: Partial<CoordinatorConfig>;

  constructor(config: Partial<CoordinatorConfig> = {}) {
    this.#config = config;
    this.createTopic("quakes", 6);
    this.#start();
  }

  createTopic(name: string, partitionCount: number): string {
    this.topicsVersion++;
    const number = String(this.topicsVersion).padStart(12, "0");
    const topicId = this.topics.get(name)?.topicId ?? `10000000-0000-4000-8000-${number}`;
    this.topics.set(name, { topicId, partitionCount });
    return topicId;
  }

  deleteTopic(name: string): void {
    this.topicsVersion++;
    this.topics.delete(name);
    this.take(this.shard.topicsDeleted(new Set([name]), this.nowMs));
  }

  #start(): void {
    const topics = this.topics;
    const version = () => this.topicsVersion;
    this.shard = new CoordinatorShard({
      config: { groupInitialRebalanceDelayMs: 0, ...this.#config },
      topics: {
        get version() {
          return version();
        },
        named: (name) => topics.get(name),
        nameOf: (id) => [...topics].find(([, { topicId }]) => topicId === id)?.[0],
      },
      uuid: () => `${++this.#ids}`,
      wallMs: (nowMs) => 1_700_000_000_000 + nowMs,
    });
    for (const { key, value } of this.log) this.shard.load(decodeGroupRecord(key, value)!);
    this.take(this.shard.resume(this.nowMs));
  }

  /** Another tab takes over, with what was committed or, if told so, with all that was appended. */
  failover(kept: "committed" | "appended" = "committed"): void {
    this.shard.close("NOT_COORDINATOR");
    for (const { answers } of this.#waiting) for (const answer of answers) answer.refuse("NOT_COORDINATOR");
    this.#waiting = [];
    if (kept === "committed") this.log.length = this.committed;
    this.committed = this.log.length;
    this.#start();
  }

  take({ records, answers }: Decision): void {
    for (const record of records) this.log.push(encodeGroupRecord(record));
    this.#waiting.push({ endOffset: this.log.length, answers });
    if (!this.holds) this.commit();
  }

  commit(): void {
    this.committed = this.log.length;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const { answers } of waiting) for (const answer of answers) answer.give();
  }

  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    while (this.shard.wakeAtMs <= endMs) {
      this.nowMs = Math.max(this.nowMs, this.shard.wakeAtMs);
      this.take(this.shard.wake(this.nowMs));
    }
    this.nowMs = endMs;
  }

  ask<Response>(decide: (reply: Reply<Response>) => Decision): Pending<Response> {
    const pending: { outcome: Response | ErrorName | undefined } = { outcome: undefined };
    this.take(
      decide((outcome) => {
        if (pending.outcome !== undefined) throw new Error("a request is answered once");
        pending.outcome = outcome;
      }),
    );
    return pending;
  }

  /** The answer, which has to be there by now. */
  answer<Response>(decide: (reply: Reply<Response>) => Decision): Response | ErrorName {
    const { outcome } = this.ask(decide);
    if (outcome === undefined) throw new Error("no answer came");
    return outcome;
  }

  join(request: Partial<JoinGroupRequest> = {}, version = 9, clientId = "client"): Pending<JoinGroupResponseInit> {
    return this.ask<JoinGroupResponseInit>((reply) =>
      this.shard.joinGroup(
        {
          groupId: "group",
          sessionTimeoutMs: 10_000,
          rebalanceTimeoutMs: 30_000,
          memberId: "",
          groupInstanceId: null,
          protocolType: "consumer",
          protocols: [protocol("range")],
          reason: null,
          ...request,
        },
        client(version, clientId),
        this.nowMs,
        reply,
      ),
    );
  }

  /** Joins under an id, getting one first if need be. */
  enter(request: Partial<JoinGroupRequest> = {}): {
    readonly memberId: string;
    readonly join: Pending<JoinGroupResponseInit>;
  } {
    const first = this.join(request);
    const { outcome } = first;
    if (typeof outcome === "object" && errorName(outcome.errorCode) === "MEMBER_ID_REQUIRED") {
      return { memberId: outcome.memberId, join: this.join({ ...request, memberId: outcome.memberId }) };
    }
    return { memberId: request.memberId ?? "", join: first };
  }

  sync(
    memberId: string,
    generationId: number,
    assignments: Record<string, string> = {},
    groupInstanceId: string | null = null,
  ): Pending<SyncGroupResponseInit> {
    return this.ask<SyncGroupResponseInit>((reply) =>
      this.shard.syncGroup(
        {
          groupId: "group",
          generationId,
          memberId,
          groupInstanceId,
          protocolType: "consumer",
          protocolName: null,
          assignments: Object.entries(assignments).map(([id, text]) => ({ memberId: id, assignment: bytes(text) })),
        },
        this.nowMs,
        reply,
      ),
    );
  }

  heartbeat(
    memberId: string,
    generationId: number,
    groupInstanceId: string | null = null,
    groupId = "group",
  ): ErrorName {
    const outcome = this.answer<{ errorCode: number }>((reply) =>
      this.shard.heartbeat({ groupId, generationId, memberId, groupInstanceId }, this.nowMs, reply),
    );
    return typeof outcome === "string" ? outcome : errorName(outcome.errorCode);
  }

  leave(members: readonly { memberId: string; groupInstanceId?: string | null }[]): readonly ErrorName[] | ErrorName {
    const outcome = this.answer<{ members?: readonly { errorCode: number }[] | undefined }>((reply) =>
      this.shard.leaveGroup(
        {
          groupId: "group",
          memberId: "",
          members: members.map(({ memberId, groupInstanceId = null }) => ({ memberId, groupInstanceId, reason: null })),
        },
        client(5),
        this.nowMs,
        reply,
      ),
    );
    return typeof outcome === "string" ? outcome : (outcome.members ?? []).map(({ errorCode }) => errorName(errorCode));
  }

  commitOffset(
    offset: number,
    {
      memberId = "",
      generation = -1,
      groupId = "group",
      topic = "quakes",
      partition = 0,
      metadata = "",
      groupInstanceId = null as string | null,
      retentionTimeMs = -1,
      version = 9,
    } = {},
  ): Pending<OffsetCommitResponseInit> {
    return this.ask<OffsetCommitResponseInit>((reply) =>
      this.shard.commitOffsets(
        {
          groupId,
          generationIdOrMemberEpoch: generation,
          memberId,
          groupInstanceId,
          retentionTimeMs,
          topics: [
            {
              name: topic,
              partitions: [
                {
                  partitionIndex: partition,
                  committedOffset: offset,
                  committedLeaderEpoch: 3,
                  committedMetadata: metadata,
                },
              ],
            },
          ],
        },
        client(version),
        this.nowMs,
        reply,
      ),
    );
  }

  /** The committed offset as a request would have it; -1 for none. */
  offset(topic = "quakes", partition = 0, groupId = "group"): number {
    const outcome = this.answer<GroupOffsets>((reply) =>
      this.shard.fetchOffsets(
        { groupId, memberId: null, memberEpoch: -1, topics: [{ name: topic, partitionIndexes: [partition] }] },
        this.nowMs,
        reply,
      ),
    );
    if (typeof outcome === "string") throw new Error(outcome);
    return outcome.topics[0]!.partitions[0]!.committedOffset;
  }

  consumerHeartbeat(
    request: Partial<ConsumerGroupHeartbeatRequest>,
    version = 1,
  ): Pending<ConsumerGroupHeartbeatResponseInit> {
    return this.ask<ConsumerGroupHeartbeatResponseInit>((reply) =>
      this.shard.consumerGroupHeartbeat(
        {
          groupId: "group",
          memberId: "",
          memberEpoch: 0,
          instanceId: null,
          rackId: null,
          rebalanceTimeoutMs: -1,
          subscribedTopicNames: null,
          subscribedTopicRegex: null,
          serverAssignor: null,
          topicPartitions: null,
          ...request,
        },
        client(version),
        this.nowMs,
        reply,
      ),
    );
  }
}

export function client(version: number, clientId = "client"): Client {
  return { clientId, clientHost: "", version };
}

export function bytes(text: string): Uint8Array {
  return Uint8Array.from(text, (character) => character.charCodeAt(0));
}

export function text(value: Uint8Array | undefined): string {
  return String.fromCharCode(...(value ?? []));
}

export function protocol(name: string, metadata = "topics"): { name: string; metadata: Uint8Array } {
  return { name, metadata: bytes(metadata) };
}

/** The error of an outcome, which may be in the response. */
export function errorOf({ outcome }: Pending<{ readonly errorCode: number }>): ErrorName | undefined {
  return typeof outcome === "object" ? errorName(outcome.errorCode) : outcome;
}

/** The response, which has to be there and no error. */
export function response<Response>({ outcome }: Pending<Response>): Response {
  if (outcome === undefined || typeof outcome === "string") throw new Error(`the outcome is ${outcome}`);
  return outcome;
}

/** The error of the one partition of a commit. */
export function commitError({ outcome }: Pending<OffsetCommitResponseInit>): ErrorName | undefined {
  if (outcome === undefined || typeof outcome === "string") return outcome;
  return errorName(outcome.topics[0]!.partitions[0]!.errorCode);
}
