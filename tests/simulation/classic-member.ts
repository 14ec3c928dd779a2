import { PartitionAssigners } from "../../src/client/assigners/partition-assigners.ts";
import type { Assigner, GroupMemberAssignment } from "../../src/client/assigners/assigner.ts";
import { joinGroup } from "../../src/protocol/apis/11-join-group.ts";
import type { JoinGroupResponse } from "../../src/protocol/apis/11-join-group.ts";
import { heartbeat } from "../../src/protocol/apis/12-heartbeat.ts";
import { leaveGroup } from "../../src/protocol/apis/13-leave-group.ts";
import { syncGroup } from "../../src/protocol/apis/14-sync-group.ts";
import { CONSUMER_PROTOCOL_TYPE, decodeAssignment } from "../../src/protocol/consumer-protocol.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { GroupMember } from "./group-member.ts";
import type { MemberPlace } from "./group-member.ts";

/** How a classic group divides partitions: the members of one group do it alike. */
export type Division = Extract<keyof typeof PartitionAssigners, "range" | "cooperativeSticky">;

const HEARTBEAT_MS = 500;
/** A join waits for members that are gone until their sessions are over. */
const JOIN_TIMEOUT_MS = 15_000;

/**
 * A member of a classic group on the protocol alone: eager, so that it gives up all it has before it joins again, or
 * cooperative (KIP-429), so that it keeps what is not taken from it; dynamic, or static (KIP-345).
 */
export class ClassicMember extends GroupMember {
  readonly #assigner: Assigner;
  readonly #isCooperative: boolean;
  #generation = -1;
  /** In which it had what it owns, for whoever divides. */
  #ownedIn = -1;
  /** Counts its joins: what belongs to one before matters no more. */
  #joins = 0;
  #isStable = false;
  #isLeader = false;
  /** How many partitions the leader has divided. */
  #divided = 0;

  constructor(place: MemberPlace, division: Division) {
    super(place);
    this.#isCooperative = division === "cooperativeSticky";
    this.#assigner = assignerFor(division, place.topic, place.groupId, () => this.reader.partitionCount);
    this.#join();
  }

  override get generation(): number {
    return this.#generation;
  }

  override get ownedIn(): number {
    return this.#ownedIn;
  }

  override get isSettled(): boolean {
    return this.#isStable && [...this.owned.values()].every(({ committed }) => committed !== undefined);
  }

  override close(): void {
    if (this.isClosing || this.isOver) return;
    this.isClosing = true;
    this.whenProcessed(() => this.commit(() => this.#leave()));
  }

  #leave(): void {
    // A static member keeps its place until its session is over, or it is back.
    if (this.instanceId !== null || this.memberId === "") return this.finish();
    const { groupId, memberId } = this;
    this.link.ask({
      api: leaveGroup,
      version: 5,
      body: () => ({ groupId, members: [{ memberId, groupInstanceId: null, reason: null }] }),
      errorOf: ({ errorCode }) => errorCode,
      answered: () => this.finish(),
      matters: () => !this.isOver,
    });
  }

  #join(): void {
    if (this.isOver || this.isClosing) return;
    const join = ++this.#joins;
    const matters = () => !this.isOver && !this.isClosing && this.#joins === join;
    this.#isStable = false;
    const { groupId, memberId, instanceId, sessionTimeoutMs, rebalanceTimeoutMs, topic } = this;
    const ownedPartitions = [...this.owned.keys()].map((partition) => ({ topic, partition }));
    this.link.ask({
      api: joinGroup,
      version: 9,
      body: () => ({
        groupId,
        sessionTimeoutMs,
        rebalanceTimeoutMs,
        memberId,
        groupInstanceId: instanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocols: [
          this.#assigner.protocol({ topics: [topic], ownedPartitions, generationId: this.#ownedIn, rackId: "" }),
        ],
        reason: null,
      }),
      errorOf: ({ errorCode }) => errorCode,
      answered: (response, error) => this.#joined(response, error, matters),
      matters,
      timeoutMs: JOIN_TIMEOUT_MS,
    });
  }

  #joined(response: JoinGroupResponse, error: ErrorName, matters: () => boolean): void {
    if (error === "MEMBER_ID_REQUIRED") {
      this.memberId = response.memberId;
      return this.#join();
    }
    if (error !== "NONE") return this.refused(error);
    this.memberId = response.memberId;
    this.#generation = response.generationId;
    this.#isLeader = response.leader === this.memberId;
    this.#beat(matters);
    const divides = this.#isLeader && !response.skipAssignment;
    if (divides) this.#divided = this.reader.partitionCount;
    const { groupId, memberId, instanceId, generation } = this;
    const assignments = divides ? this.#divide(response) : [];
    this.link.ask({
      api: syncGroup,
      version: 5,
      body: () => ({
        groupId,
        generationId: generation,
        memberId,
        groupInstanceId: instanceId,
        protocolType: CONSUMER_PROTOCOL_TYPE,
        protocolName: this.#assigner.name,
        assignments,
      }),
      errorOf: ({ errorCode }) => errorCode,
      answered: ({ assignment }, syncError) => {
        if (syncError !== "NONE") return this.refused(syncError);
        this.#assigned(assignment, matters);
      },
      matters,
      timeoutMs: JOIN_TIMEOUT_MS,
    });
  }

  #divide({ members }: JoinGroupResponse): { memberId: string; assignment: Uint8Array }[] {
    const described = members.map(({ memberId, groupInstanceId, metadata }) => {
      return { memberId, groupInstanceId, memberMetadata: metadata };
    });
    const assigned = this.#assigner.assign({ members: described, topics: [this.topic] }) as readonly GroupMemberAssignment[];
    return assigned.map(({ memberId, memberAssignment }) => ({ memberId, assignment: memberAssignment }));
  }

  #assigned(assignment: Uint8Array, matters: () => boolean): void {
    const topics = assignment.length === 0 ? [] : decodeAssignment(assignment).assignedPartitions;
    const given = new Set(topics.flatMap(({ partitions }) => partitions));
    const taken = [...this.owned.keys()].filter((partition) => !given.has(partition));
    const added = [...given].filter((partition) => !this.owned.has(partition));
    this.#isStable = true;
    this.#ownedIn = this.#generation;
    this.own(added);
    if (taken.length > 0) this.whenProcessed(() => this.#giveUp(taken, matters));
  }

  /** Cooperative: what is taken from it is free for others once it has joined again. */
  #giveUp(taken: readonly number[], matters: () => boolean): void {
    if (!matters()) return;
    this.commit((error) => {
      if (error !== "NONE" && error !== "REBALANCE_IN_PROGRESS") return this.refused(error);
      this.disown(taken);
      this.#join();
    }, matters);
  }

  /** The group changes: everybody joins again. */
  #rejoin(): void {
    const join = this.#joins;
    const matters = () => !this.isOver && !this.isClosing && this.#joins === join;
    this.#isStable = false;
    if (this.#isCooperative) return this.#join();
    this.whenProcessed(() => {
      if (!matters()) return;
      this.commit((error) => {
        if (error !== "NONE" && error !== "REBALANCE_IN_PROGRESS") return this.refused(error);
        this.disown(this.owned.keys());
        this.#join();
      }, matters);
    });
  }

  protected override refused(error: ErrorName): void {
    switch (error) {
      case "REBALANCE_IN_PROGRESS":
        if (this.#isStable) this.#rejoin();
        else this.#join();
        return;
      case "FENCED_INSTANCE_ID":
        // Another process has its name: it must not go on.
        return this.finish();
      case "UNKNOWN_MEMBER_ID":
        this.memberId = "";
        return this.#startOver();
      case "ILLEGAL_GENERATION":
      case "GROUP_ID_NOT_FOUND":
        return this.#startOver();
      default:
        this.recorder.violation("member", `${this.process} is refused: ${error}`);
    }
  }

  /** It has lost what it had, and joins as one that never had anything. */
  #startOver(): void {
    this.disown(this.owned.keys());
    this.#generation = -1;
    this.#ownedIn = -1;
    if (this.isClosing) return this.finish();
    this.#join();
  }

  #beat(matters: () => boolean): void {
    this.context.time.after(HEARTBEAT_MS, () => {
      if (!matters()) return;
      if (this.#isLeader && this.#isStable && this.reader.partitionCount > this.#divided) return this.#rejoin();
      const { groupId, generation, memberId, instanceId } = this;
      this.link.ask({
        api: heartbeat,
        version: 4,
        body: () => ({ groupId, generationId: generation, memberId, groupInstanceId: instanceId }),
        errorOf: ({ errorCode }) => errorCode,
        answered: (_, error) => {
          if (error === "NONE") this.#beat(matters);
          else if (error !== "REBALANCE_IN_PROGRESS") this.refused(error);
          else {
            // While it gives up what it has, it has to be heard of.
            if (this.#isStable) this.refused(error);
            this.#beat(matters);
          }
        },
        matters,
      });
    });
  }
}

function assignerFor(division: Division, topic: string, groupId: string, partitionCount: () => number): Assigner {
  const cluster = {
    findTopicPartitionMetadata: (name: string) => Array.from({ length: name === topic ? partitionCount() : 0 }),
  };
  return PartitionAssigners[division]({ cluster, groupId, logger: undefined } as never);
}
