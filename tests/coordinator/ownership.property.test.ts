import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ConsumerGroupHeartbeatResponseInit } from "../../src/protocol/apis/68-consumer-group-heartbeat.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { ShardDriver } from "./shard-driver.ts";
import type { Pending } from "./shard-driver.ts";

type Fate = "arrives" | "request-lost" | "response-lost";
type Step =
  | { readonly kind: "beat"; readonly client: number; readonly fate: Fate }
  | { readonly kind: "revoke" | "leave" | "die"; readonly client: number }
  | { readonly kind: "failover"; readonly kept: "committed" | "appended" }
  | { readonly kind: "hold" | "commit" | "grow" | "advance" };

const CLIENTS = 4;
const client = fc.nat(CLIENTS - 1);
const fate = fc.constantFrom<Fate>("arrives", "arrives", "arrives", "request-lost", "response-lost");
const kept = fc.constantFrom("committed", "appended");
const step = fc.oneof(
  { weight: 60, arbitrary: fc.record({ kind: fc.constant("beat"), client, fate }) },
  { weight: 30, arbitrary: fc.record({ kind: fc.constant("revoke"), client }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constantFrom("leave", "leave", "leave", "die"), client }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant("failover"), kept }) },
  { weight: 8, arbitrary: fc.record({ kind: fc.constantFrom("hold", "commit", "commit", "grow", "advance") }) },
) as fc.Arbitrary<Step>;

/**
 * A member as a client is one (KIP-848): it reads what it was given, and what it has not got round to giving up yet.
 */
class Member {
  memberId: string;
  epoch = 0;
  reads = new Set<number>();
  /** What it was last told that it may read. */
  mayRead = new Set<number>();
  waiting: { readonly answer: Pending<ConsumerGroupHeartbeatResponseInit>; readonly fate: Fate } | undefined;
  isDead = false;
  readonly #name: string;
  #incarnation = 0;

  constructor(name: string) {
    this.#name = name;
    this.memberId = `${name}0`;
  }

  beat(driver: ShardDriver, fated: Fate): void {
    if (this.isDead || this.waiting !== undefined || fated === "request-lost") return;
    const topicId = driver.topics.get("quakes")!.topicId;
    const owned = [...this.reads].sort((left, right) => left - right);
    const answer = driver.consumerHeartbeat({
      memberId: this.memberId,
      memberEpoch: this.epoch,
      rebalanceTimeoutMs: 30_000,
      subscribedTopicNames: ["quakes"],
      topicPartitions: owned.length === 0 ? [] : [{ topicId, partitions: owned }],
    });
    this.waiting = { answer, fate: fated };
    this.hear();
  }

  hear(): void {
    const { waiting } = this;
    if (waiting?.answer.outcome === undefined) return;
    this.waiting = undefined;
    const { outcome } = waiting.answer;
    if (waiting.fate === "response-lost" || this.isDead) return;
    const error = typeof outcome === "string" ? outcome : errorName(outcome.errorCode);
    if (error === "FENCED_MEMBER_EPOCH" || error === "UNKNOWN_MEMBER_ID") return this.startOver();
    if (typeof outcome === "string" || error !== "NONE") return;
    this.epoch = outcome.memberEpoch;
    if (outcome.assignment == null) return;
    this.mayRead = new Set(outcome.assignment.topicPartitions.flatMap(({ partitions }) => partitions));
    for (const partition of this.mayRead) this.reads.add(partition);
  }

  revoke(): void {
    this.reads = new Set([...this.reads].filter((partition) => this.mayRead.has(partition)));
  }

  /** It stops reading before it says so. */
  leave(driver: ShardDriver): void {
    if (this.isDead || this.waiting !== undefined || this.epoch === 0) return;
    const { memberId } = this;
    this.startOver();
    driver.consumerHeartbeat({ memberId, memberEpoch: -1 });
  }

  die(): void {
    this.isDead = true;
    this.reads.clear();
  }

  startOver(): void {
    this.memberId = `${this.#name}${++this.#incarnation}`;
    this.epoch = 0;
    this.reads.clear();
    this.mayRead.clear();
  }
}

function take(driver: ShardDriver, members: readonly Member[], taken: Step): void {
  switch (taken.kind) {
    case "beat":
      return members[taken.client]!.beat(driver, taken.fate);
    case "revoke":
      return members[taken.client]!.revoke();
    case "leave":
      return members[taken.client]!.leave(driver);
    case "die":
      return members[taken.client]!.die();
    case "failover":
      driver.holds = false;
      return driver.failover(taken.kept);
    case "hold":
      driver.holds = true;
      return;
    case "commit":
      driver.holds = false;
      return driver.commit();
    case "grow":
      driver.createTopic("quakes", driver.topics.get("quakes")!.partitionCount + 1);
      return;
    case "advance":
      // All of a run takes less than the timeouts: who is fenced by time may read on until it hears of it.
      return driver.advance(100);
  }
}

function expectOneReaderEach(members: readonly Member[]): void {
  const readers = new Map<number, Member>();
  for (const member of members) {
    for (const partition of member.reads) {
      expect(readers.get(partition)?.memberId, `a second reader of partition ${partition}`).toBeUndefined();
      readers.set(partition, member);
    }
  }
}

describe("members of a consumer group", () => {
  it("never read a partition that another one still reads, and share all of them in the end", () => {
    let handedOver = 0;
    fc.assert(
      fc.property(fc.array(step, { minLength: 50, maxLength: 200, size: "max" }), (steps) => {
        const driver = new ShardDriver();
        const members = Array.from({ length: CLIENTS }, (_, at) => new Member(`m${at}-`));
        const lastReader = new Map<number, string>();
        for (const taken of steps) {
          take(driver, members, taken);
          for (const member of members) member.hear();
          expectOneReaderEach(members);
          for (const { memberId, reads } of members) {
            for (const partition of reads) {
              if ((lastReader.get(partition) ?? memberId) !== memberId) handedOver++;
              lastReader.set(partition, memberId);
            }
          }
        }
        driver.holds = false;
        driver.commit();
        for (let second = 0; second < 60; second++) {
          driver.advance(1_000);
          for (const member of members) {
            member.hear();
            member.revoke();
            member.beat(driver, "arrives");
          }
        }
        expectOneReaderEach(members);
        const live = members.filter(({ isDead }) => !isDead);
        const read = live.reduce((sum, { reads }) => sum + reads.size, 0);
        expect(read).toBe(live.length === 0 ? 0 : driver.topics.get("quakes")!.partitionCount);
        const sizes = live.map(({ reads }) => reads.size);
        if (live.length > 0) expect(Math.max(...sizes) - Math.min(...sizes)).toBeLessThanOrEqual(1);
      }),
      { numRuns: 100 },
    );
    expect(handedOver).toBeGreaterThan(200);
  }, 30_000);
});
