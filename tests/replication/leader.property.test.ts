import fc from "fast-check";
import { expect, test } from "vitest";
import type { ErrorName } from "../../src/protocol/error-codes.ts";
import type { IsrProposal } from "../../src/replication/isr-proposal.ts";
import { LeaderState } from "../../src/replication/leader.ts";

const LEADER = 1;
const FOLLOWERS = [2, 3, 4];
const LEADER_EPOCH = 5;
const LAG_MS = 1000;

interface Committed {
  readonly isr: readonly number[];
  readonly partitionEpoch: number;
}

interface Answer {
  readonly proposal: IsrProposal;
  readonly error: ErrorName;
  readonly committed: Committed;
}

/** The leader under test; the controller and the followers' disks as they really are; what is on its way between. */
class Cluster {
  readonly minInsyncReplicas: number;
  readonly leader: LeaderState;
  readonly durable = new Map(FOLLOWERS.map((id) => [id, 0]));
  readonly brokerEpochs = new Map(FOLLOWERS.map((id) => [id, id]));
  committed: Committed;
  logEndOffset = 20;
  nowMs = 0;
  /** Positions that the leader may rely on, by follower. */
  readonly told = new Map<number, number>();
  readonly #metadata: Committed[] = [];
  #request: IsrProposal | undefined;
  #answer: Answer | undefined;

  constructor(isr: readonly number[], minInsyncReplicas: number) {
    this.minInsyncReplicas = minInsyncReplicas;
    this.committed = { isr: [LEADER, ...isr], partitionEpoch: 0 };
    for (const id of isr) this.durable.set(id, 15);
    this.leader = new LeaderState({
      brokerId: LEADER,
      leaderEpoch: LEADER_EPOCH,
      replicas: [LEADER, ...FOLLOWERS],
      addingReplicas: [],
      minInsyncReplicas,
      logEndOffset: this.logEndOffset,
      highWatermark: 10,
      ...this.committed,
    });
  }

  append(count: number): void {
    this.logEndOffset += count;
    this.leader.onLocalDurable(this.logEndOffset);
  }

  /** The follower says what it has, and stores up to `count` records of the answer, which its next fetch tells of. */
  fetch(id: number, count: number): void {
    const fetchOffset = this.durable.get(id)!;
    this.durable.set(id, Math.min(fetchOffset + count, this.logEndOffset));
    const { proposal, refused } = this.leader.onFollowerFetch({
      replicaId: id,
      brokerEpoch: this.brokerEpochs.get(id)!,
      fetchOffset,
      nowMs: this.nowMs,
      logEndOffset: this.logEndOffset,
      nextOffset: this.logEndOffset,
      logStartOffset: 0,
      leaderLogStartOffset: 0,
    });
    expect(refused).toBeUndefined();
    this.told.set(id, fetchOffset);
    this.#send(proposal);
  }

  /** The follower comes back without its data; the controller drops it before it grants the new epoch (R11, R12). */
  wipe(id: number): void {
    this.durable.set(id, 0);
    this.brokerEpochs.set(id, this.brokerEpochs.get(id)! + 10);
    this.#commit(this.committed.isr.filter((member) => member !== id));
  }

  pass(ms: number): void {
    this.nowMs += ms;
    this.#send(this.leader.shrinkLagging(this.nowMs, LAG_MS));
  }

  /** The request reaches the controller, which checks it as R9 says. */
  deliver(): void {
    if (this.#request === undefined) return;
    const proposal = this.#request;
    this.#request = undefined;
    let error: ErrorName = "NONE";
    if (proposal.partitionEpoch !== this.committed.partitionEpoch) error = "INVALID_UPDATE_VERSION";
    else if (!proposal.newIsr.every((member) => this.#isEligible(member))) error = "INELIGIBLE_REPLICA";
    else this.#commit(proposal.newIsr.map(({ brokerId }) => brokerId));
    this.#answer = { proposal, error, committed: this.committed };
  }

  answer(): void {
    if (this.#answer === undefined) return;
    const { proposal, error, committed } = this.#answer;
    this.#answer = undefined;
    if (error === "NONE") this.leader.onIsrCommitted({ ...committed, leaderEpoch: LEADER_EPOCH });
    else this.leader.onProposalRefused(error, proposal);
  }

  /** The connection ends: a request or its answer is lost, and the leader does not know which. */
  lose(): void {
    const proposal = this.#request ?? this.#answer?.proposal;
    this.#request = undefined;
    this.#answer = undefined;
    if (proposal !== undefined) this.leader.onProposalRefused("NETWORK_EXCEPTION", proposal);
  }

  /** One more change of the metadata reaches the leader. */
  learn(): void {
    const next = this.#metadata.shift();
    if (next !== undefined) this.leader.onIsrCommitted({ ...next, leaderEpoch: LEADER_EPOCH });
  }

  #send(proposal: IsrProposal | undefined): void {
    if (proposal === undefined) return;
    // A new one is made only after the previous one is settled, whose answer then means nothing any more.
    this.#request = proposal;
  }

  #commit(isr: readonly number[]): void {
    this.committed = { isr, partitionEpoch: this.committed.partitionEpoch + 1 };
    this.#metadata.push(this.committed);
  }

  #isEligible({ brokerId, brokerEpoch }: IsrProposal["newIsr"][number]): boolean {
    if (brokerEpoch === -1) return this.committed.isr.includes(brokerId);
    return brokerEpoch === this.brokerEpochs.get(brokerId);
  }
}

const follower = fc.constantFrom(...FOLLOWERS);
const kind = <K extends string>(name: K) => fc.constant(name);
const steps = fc.array(
  fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: kind("append"), count: fc.integer({ min: 1, max: 5 }) }) },
    { weight: 10, arbitrary: fc.record({ kind: kind("fetch"), id: follower, count: fc.nat(12) }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("wipe"), id: follower }) },
    { weight: 4, arbitrary: fc.record({ kind: kind("pass"), ms: fc.nat(800) }) },
    { weight: 4, arbitrary: fc.record({ kind: kind("deliver") }) },
    { weight: 4, arbitrary: fc.record({ kind: kind("answer") }) },
    { weight: 3, arbitrary: fc.record({ kind: kind("lose") }) },
    { weight: 1, arbitrary: fc.record({ kind: kind("learn") }) },
  ),
  { maxLength: 120, size: "max" },
);

/** R6 read literally, from what the leader was told; undefined while it must not move. */
function committedByAll(cluster: Cluster, members: readonly number[]): number | undefined {
  if (cluster.leader.isr.length < Math.min(cluster.minInsyncReplicas, 1 + FOLLOWERS.length)) return undefined;
  let lowest = cluster.logEndOffset;
  for (const id of members) {
    if (id === LEADER) continue;
    const position = cluster.told.get(id);
    if (position === undefined) return undefined;
    lowest = Math.min(lowest, position);
  }
  return lowest;
}

/** What is wrong, in words, when the high watermark came here from `before`. */
function violations(cluster: Cluster, before: number): string[] {
  const { leader, committed, durable, logEndOffset } = cluster;
  const { highWatermark, maximalIsr } = leader;
  const found: string[] = [];
  if (highWatermark < before) found.push(`the high watermark went back from ${before} to ${highWatermark}`);
  if (highWatermark > logEndOffset) found.push(`high watermark ${highWatermark} is beyond log end ${logEndOffset}`);
  for (const id of committed.isr) {
    // Whoever the controller may elect is among those that the leader waits for.
    if (leader.isr.length >= leader.effectiveMinIsr && !maximalIsr.includes(id)) found.push(`${id} is not waited for`);
    if (id !== LEADER && durable.get(id)! < highWatermark) found.push(`${id} lacks committed records`);
  }
  const allowed = committedByAll(cluster, maximalIsr) ?? -1;
  if (highWatermark > before && highWatermark > allowed) found.push(`${highWatermark} is more than ${allowed}`);
  // It may wait for a follower about to join, but for nobody else.
  const waitingForAll = committedByAll(cluster, [...maximalIsr, ...cluster.told.keys()]) ?? 0;
  if (highWatermark < waitingForAll) found.push(`${highWatermark} is less than everybody's ${waitingForAll}`);
  return found;
}

test("[R6] [R8] [R9] the high watermark is what every electable replica holds, whatever is lost or late", () => {
  fc.assert(
    fc.property(fc.subarray(FOLLOWERS), fc.integer({ min: 1, max: 3 }), steps, (isr, minInsyncReplicas, history) => {
      const cluster = new Cluster(isr, minInsyncReplicas);
      const { leader } = cluster;
      for (const step of history) {
        const before = leader.highWatermark;
        switch (step.kind) {
          case "append":
            cluster.append(step.count);
            break;
          case "fetch":
            cluster.fetch(step.id, step.count);
            break;
          case "wipe":
            cluster.wipe(step.id);
            break;
          case "pass":
            cluster.pass(step.ms);
            break;
          default:
            cluster[step.kind]();
        }
        expect(violations(cluster, before)).toEqual([]);
      }
    }),
    { numRuns: 600 },
  );
}, 60_000);

test("a cluster that is left in peace gets everybody in sync and everything committed", () => {
  fc.assert(
    fc.property(fc.subarray(FOLLOWERS), fc.integer({ min: 1, max: 3 }), steps, (isr, minInsyncReplicas, history) => {
      const cluster = new Cluster(isr, minInsyncReplicas);
      for (const step of history) {
        if (step.kind === "append") cluster.append(step.count);
        else if (step.kind === "fetch") cluster.fetch(step.id, step.count);
        else if (step.kind === "wipe") cluster.wipe(step.id);
        else if (step.kind === "pass") cluster.pass(step.ms);
        else cluster[step.kind]();
      }
      cluster.lose();
      for (let round = 0; round < 20; round++) {
        // Under load all the while: each round the leader is ahead again of what its followers then fetch.
        cluster.append(1);
        for (const id of FOLLOWERS) cluster.fetch(id, Number.MAX_SAFE_INTEGER);
        cluster.deliver();
        cluster.answer();
        while (cluster.leader.partitionEpoch < cluster.committed.partitionEpoch) cluster.learn();
        cluster.pass(100);
      }
      for (const id of FOLLOWERS) cluster.fetch(id, 1);
      for (const id of FOLLOWERS) cluster.fetch(id, 0);
      expect([...cluster.leader.isr].sort()).toEqual([LEADER, ...FOLLOWERS]);
      expect(cluster.leader.highWatermark).toBe(cluster.logEndOffset);
    }),
    { numRuns: 100 },
  );
}, 60_000);
