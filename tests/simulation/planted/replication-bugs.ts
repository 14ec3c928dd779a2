import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Rules of leaders and followers: src/replication, and the parts of src/broker that carry them out. */
export const replicationBugs: readonly PlantedBug[] = [
  bug("ignores-leader-epoch", "R2", "src/replication/fetch-fencing.ts",
    "if (requestedEpoch === -1 || requestedEpoch === currentEpoch) return undefined;",
    "if (currentEpoch >= -1) return undefined;"),
  bug("never-diverges", "R4", "src/replication/fetch-fencing.ts",
    "if (lastFetchedEpoch < 0) return undefined;", "if (lastFetchedEpoch < 1e9) return undefined;"),
  bug("compares-epochs-only", "R4", "src/replication/fetch-fencing.ts",
    "if (end.epoch < lastFetchedEpoch || end.endOffset < fetchOffset) return end;",
    "if (end.epoch < lastFetchedEpoch) return end;"),
  {
    ...bug("trusts-what-was-trimmed", "R4, R16", "src/replication/follower.ts",
      'if (offset <= leaderLogStart && log.logStartOffset < leaderLogStart) return { kind: "reset", offset: leaderLogStart };',
      ""),
    scripts: ["trimmed-tail"],
  },
  bug("truncates-to-leaders-end", "R4, KIP-279", "src/replication/follower.ts",
    "const offset = isShared ? Math.min(own.endOffset, endOffset) : own.endOffset;",
    "const offset = isShared ? endOffset : own.endOffset;"),
  bug("starts-over-on-divergence", "R4, R18", "src/replication/follower.ts",
    'return offset < log.logStartOffset ? { kind: "reset", offset: leaderLogStart } : { kind: "truncate", offset };',
    'return { kind: "reset", offset: Math.min(offset, log.logStartOffset) };'),
  bug("truncates-to-watermark", "R5, KIP-101", "src/broker/broker.ts",
    'if (role.kind === "follower") this.#followed.add(replica, role.leaderId);',
    'if (role.kind === "follower") {\n' +
      "      const { log } = replica;\n" +
      "      if (log.highWatermark < log.nextOffset) this.write(replica, log.truncateTo(log.highWatermark), () => {});\n" +
      "      this.#followed.add(replica, role.leaderId);\n" +
      "    }"),
  bug("watermark-beyond-log", "R5", "src/log/partition-log.ts",
    "this.#highWatermark = Math.max(this.#logStartOffset, Math.min(offset, this.#logEndOffset));",
    "this.#highWatermark = Math.max(this.#logStartOffset, offset);"),
  bug("forgets-proposed-isr", "R6", "src/replication/leader.ts",
    "const maximalIsr = this.maximalIsr;", "const maximalIsr = this.#isr;"),
  bug("shrinks-before-granted", "R6, R9", "src/replication/leader.ts",
    "return [...this.#isr, ...proposed.filter((brokerId) => !this.#isr.includes(brokerId))];", "return proposed;"),
  bug("commits-below-min-isr", "R6", "src/replication/leader.ts",
    "if (this.#isr.length < this.effectiveMinIsr) return;", ""),
  bug("ignores-changed-minimum", "R6, R10", "src/broker/broker.ts",
    "{ ...partition, minInsyncReplicas: replica.config.minInsyncReplicas }", "partition"),
  bug("believes-grant-before-minimum", "R6, R9", "src/broker/isr-proposals.ts",
    "if (answer.partitionEpoch === proposal.partitionEpoch) replica.role", "replica.role"),
  bug("commits-before-own-disk", "R6", "src/broker/handlers/01-fetch.ts",
    "logEndOffset: replica.log.logEndOffset,\n        nextOffset", "logEndOffset: replica.log.nextOffset,\n        nextOffset"),
  bug("commits-at-quorum", "R6", "src/replication/leader.ts",
    "    let committed = this.#logEndOffset;\n" +
      "    for (const [brokerId, follower] of this.#followers) {\n" +
      "      if (!maximalIsr.includes(brokerId) && !isJoining(follower)) continue;\n" +
      "      committed = Math.min(committed, follower.fetchOffset);\n" +
      "    }\n",
    "    const ends = [this.#logEndOffset, ...[...this.#followers.values()].map(({ fetchOffset }) => fetchOffset)];\n" +
      "    const committed = ends.sort((left, right) => right - left)[this.effectiveMinIsr - 1]!;\n"),
  bug("commits-own-log-at-election", "R6", "src/replication/leader.ts",
    "this.#highWatermark = Math.min(leadership.highWatermark, leadership.logEndOffset);",
    "this.#highWatermark = leadership.logEndOffset;"),
  {
    name: "claims-what-is-not-stored",
    breaks: "R7",
    edits: [
      {
        file: "src/broker/replica-fetcher.ts",
        replace: "for (const { writesInFlight } of this.replicas.values()) if (writesInFlight > 0) return;",
        by: "",
      },
      {
        file: "src/broker/replica-fetcher.ts",
        replace: "fetchOffset: log.logEndOffset,\n        lastFetchedEpoch",
        by: "fetchOffset: log.nextOffset,\n        lastFetchedEpoch",
      },
      {
        file: "src/broker/replica-fetcher.ts",
        replace: "fetchOffset: log.logEndOffset });",
        by: "fetchOffset: log.nextOffset });",
      },
      {
        file: "src/replication/leader.ts",
        replace: 'if (fetchOffset > nextOffset) return refused("OFFSET_OUT_OF_RANGE");',
        by: "",
      },
      {
        file: "src/broker/followed-partitions.ts",
        replace: "if (log.nextOffset !== fetchOffset || replica.writesInFlight > 0) return true;",
        by: "if (log.nextOffset !== fetchOffset) return true;",
      },
    ],
  },
  bug("joins-before-epoch-start", "R8", "src/replication/leader.ts",
    "follower.fetchOffset >= this.#highWatermark &&\n      follower.fetchOffset >= this.epochStartOffset",
    "follower.fetchOffset >= 0"),
  bug("epoch-starts-at-watermark", "R3, R8", "src/replication/leader.ts",
    "this.epochStartOffset = leadership.logEndOffset;", "this.epochStartOffset = leadership.highWatermark;"),
  bug("takes-silence-for-refusal", "R9", "src/broker/isr-proposals.ts",
    "      () => this.#again(nowMs),\n    );",
    "      () => {\n" +
      "        this.#open = false;\n" +
      "        for (const { replica, proposal } of sent) {\n" +
      "          this.#proposed.delete(replica.key);\n" +
      '          if (replica.role.kind !== "leader") continue;\n' +
      '          replica.role.state.onProposalRefused("OPERATION_NOT_ATTEMPTED", proposal);\n' +
      "        }\n" +
      "      },\n" +
      "    );"),
  bug("tells-early-end", "R14, KIP-207", "src/broker/handlers/02-list-offsets.ts",
    'if (!state.hwMonotonicReady) return refuse(version < 5 ? "LEADER_NOT_AVAILABLE" : "OFFSET_NOT_AVAILABLE");', ""),
  bug("leads-while-writing", "roles", "src/broker/broker.ts",
    "      if (replica.writesInFlight > 0) {\n        this.#assumedFor", "      if (false) {\n        this.#assumedFor"),
  {
    ...bug("admits-undeleted", "R8", "src/replication/leader.ts", "follower.logStartOffset >= logStartOffset &&\n", ""),
    scripts: ["joins-after-deletion"],
  },
];
