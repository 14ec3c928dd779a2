import {
  consumerGroupHeartbeat,
  LEAVE_GROUP_MEMBER_EPOCH,
  LEAVE_GROUP_STATIC_MEMBER_EPOCH,
} from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { ConsumerGroupHeartbeatResponse } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { GroupMember } from "./group-member.ts";
import type { MemberPlace } from "./group-member.ts";

const RETRY_MS = 300;

/** A member of a consumer group (KIP-848) on the protocol alone: its heartbeats say what it has, and bring what to have. */
export class ConsumerProtocolMember extends GroupMember {
  readonly #assignor: string | null;
  #epoch = 0;
  /** Counts the times that it has begun anew: what belongs to one before matters no more. */
  #lives = 0;
  #isOpen = false;
  /** What the coordinator has told it to have. */
  #target: readonly number[] = [];
  #topicId = ZERO_UUID;
  /** What it has told the coordinator that it has; undefined if everything has to be told. */
  #told: string | undefined;
  #isDue = false;
  #intervalMs = RETRY_MS;

  constructor(place: MemberPlace, assignor: string | null, memberId: string) {
    super(place);
    this.#assignor = assignor;
    this.memberId = memberId;
    this.#beat();
  }

  override get generation(): number {
    return this.#epoch;
  }

  override get isSettled(): boolean {
    const isOwned = (partition: number) => this.owned.get(partition)?.committed !== undefined;
    return this.#epoch > 0 && this.owned.size === this.#target.length && this.#target.every(isOwned);
  }

  override close(): void {
    if (this.isClosing || this.isOver) return;
    this.isClosing = true;
    this.whenProcessed(() => this.commit(() => this.#leave()));
  }

  #leave(): void {
    const { groupId, memberId, instanceId } = this;
    const memberEpoch = instanceId === null ? LEAVE_GROUP_MEMBER_EPOCH : LEAVE_GROUP_STATIC_MEMBER_EPOCH;
    // Nothing is its own from here on, whether the coordinator hears of it or not.
    this.disown(this.owned.keys());
    this.link.ask({
      api: consumerGroupHeartbeat,
      version: 1,
      body: () => ({ groupId, memberId, memberEpoch, instanceId, subscribedTopicRegex: null }),
      errorOf: ({ errorCode }) => errorCode,
      answered: () => this.finish(),
      matters: () => !this.isOver,
    });
  }

  /** Says what it has, at the latest when the interval is over; one heartbeat at a time. */
  #beat(): void {
    if (this.isOver || this.isClosing || this.#isOpen) return;
    this.#isOpen = true;
    const life = this.#lives;
    this.link.ask({
      api: consumerGroupHeartbeat,
      version: 1,
      body: (isRepeated) => this.#describe(isRepeated),
      errorOf: ({ errorCode }) => errorCode,
      answered: (response, error) => {
        this.#isOpen = false;
        if (life !== this.#lives) return this.#beat();
        if (error === "NONE") this.#heard(response);
        else this.refused(error);
      },
      // An answer that comes late is still one: the coordinator has taken a step.
      matters: () => !this.isOver && !this.isClosing,
    });
  }

  /** Only what has changed; or all, when the coordinator may not know what it was told, or its answer was lost. */
  #describe(isRepeated: boolean) {
    const { groupId, memberId, instanceId, rebalanceTimeoutMs, topic } = this;
    const partitions = [...this.owned.keys()].sort((left, right) => left - right);
    const tellsAll = isRepeated || this.#epoch === 0 || this.#told === undefined;
    const tells = tellsAll || this.#told !== String(partitions);
    this.#told = String(partitions);
    return {
      groupId,
      memberId,
      memberEpoch: this.#epoch,
      instanceId,
      subscribedTopicRegex: null,
      serverAssignor: this.#assignor,
      rebalanceTimeoutMs: tellsAll ? rebalanceTimeoutMs : -1,
      subscribedTopicNames: tellsAll ? [topic] : null,
      topicPartitions: tells ? (partitions.length === 0 ? [] : [{ topicId: this.#topicId, partitions }]) : null,
    };
  }

  #again(delayMs: number): void {
    const life = this.#lives;
    if (this.#isDue) return;
    this.#isDue = true;
    this.context.time.after(delayMs, () => {
      this.#isDue = false;
      if (life === this.#lives) this.#beat();
      else this.#again(0);
    });
  }

  #heard({ memberEpoch, heartbeatIntervalMs, assignment }: ConsumerGroupHeartbeatResponse): void {
    this.#epoch = memberEpoch;
    this.#intervalMs = heartbeatIntervalMs;
    this.#again(heartbeatIntervalMs);
    if (assignment === null) return;
    this.#target = assignment.topicPartitions.flatMap(({ partitions }) => partitions);
    this.#topicId = assignment.topicPartitions[0]?.topicId ?? this.#topicId;
    this.#reconcile();
  }

  /** Gives up first, and says so at once, for others wait for it. */
  #reconcile(): void {
    const life = this.#lives;
    const target = this.#target;
    const matters = () => !this.isOver && life === this.#lives;
    const given = new Set(target);
    this.own(target.filter((partition) => !this.owned.has(partition)));
    const taken = [...this.owned.keys()].filter((partition) => !given.has(partition));
    if (taken.length === 0) return;
    this.whenProcessed(() => {
      if (!matters()) return;
      this.commit(() => {
        if (!matters()) return;
        this.disown(taken.filter((partition) => !this.#target.includes(partition)));
        this.#beat();
      }, matters);
    });
  }

  protected override refused(error: ErrorName): void {
    switch (error) {
      case "STALE_MEMBER_EPOCH":
        // The next heartbeat tells the epoch.
        return;
      case "FENCED_MEMBER_EPOCH":
      case "UNKNOWN_MEMBER_ID":
      case "GROUP_ID_NOT_FOUND":
        return this.#startOver();
      case "UNRELEASED_INSTANCE_ID":
        return this.#again(RETRY_MS);
      case "FENCED_INSTANCE_ID":
        return this.finish();
      default:
        this.recorder.violation("member", `${this.process} is refused: ${error}`);
    }
  }

  #startOver(): void {
    this.#lives++;
    this.disown(this.owned.keys());
    this.#epoch = 0;
    this.#target = [];
    this.#told = undefined;
    if (this.isClosing) return this.finish();
    this.#again(this.#intervalMs);
  }

  protected override fetchingMember(): { readonly memberId: string; readonly memberEpoch: number } {
    return { memberId: this.memberId, memberEpoch: this.#epoch };
  }
}
