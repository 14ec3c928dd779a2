/**
 * A change to the source that breaks one rule. The text must stand in the file exactly once, so that a source that has
 * moved on is noticed.
 */
export interface PlantedBug {
  readonly name: string;
  /** The rule of src/replication/SPEC.md, or what else is broken. */
  readonly breaks: string;
  readonly edits: readonly { readonly file: string; readonly replace: string; readonly by: string }[];
}

export const plantedBugs: readonly PlantedBug[] = [
  bug("tells-before-durable", "R1", "src/metadata/controller.ts",
    "const durable = this.#log.durableEndOffset;", "const durable = this.#log.endOffset;"),
  bug("ignores-leader-epoch", "R2", "src/replication/fetch-fencing.ts",
    "if (requestedEpoch === -1 || requestedEpoch === currentEpoch) return undefined;",
    "if (currentEpoch >= -1) return undefined;"),
  bug("never-diverges", "R4", "src/replication/fetch-fencing.ts",
    "if (lastFetchedEpoch < 0) return undefined;", "if (lastFetchedEpoch < 1e9) return undefined;"),
  bug("forgets-proposed-isr", "R6", "src/replication/leader.ts",
    "const maximalIsr = this.maximalIsr;", "const maximalIsr = this.#isr;"),
  bug("commits-below-min-isr", "R6", "src/replication/leader.ts",
    "if (this.#isr.length < this.effectiveMinIsr) return false;", ""),
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
  bug("joins-without-broker-epoch", "R8, KIP-903", "src/metadata/alter-partition.ts",
    "return image.brokers.get(member.brokerId)?.brokerEpoch === member.brokerEpoch;", "return true;"),
  bug("alters-without-compare", "R9", "src/metadata/alter-partition.ts",
    'if (partitionEpoch < partition.partitionEpoch) return "INVALID_UPDATE_VERSION";', ""),
  bug("alters-for-old-leader", "R9", "src/metadata/alter-partition.ts",
    'if (leaderEpoch < partition.leaderEpoch) return "FENCED_LEADER_EPOCH";', ""),
  bug("admits-restored-storage", "R11", "src/metadata/registration.ts",
    "const isAsLeft = generation === directory.generation && nonce === directory.nonce;", "const isAsLeft = true;"),
  bug("elects-anybody", "R13", "src/metadata/partition-change.ts",
    "const anyActive = rules.uncleanLeaderElection ?", "const anyActive = rules !== undefined ?"),
  bug("acknowledges-own-copy", "R15", "src/broker/handlers/00-produce.ts",
    'if (role.state.highWatermark > lastOffset) return "NONE";',
    'if (replica.log.logEndOffset > lastOffset) return "NONE";'),
  bug("serves-uncommitted", "reads", "src/broker/handlers/01-fetch.ts",
    "return { endOffset: this.#replicaId >= 0 ? logEndOffset : role.state.highWatermark };",
    "return { endOffset: logEndOffset };"),
  bug("appends-duplicates", "R16", "src/log/producer-state.ts",
    "return batch.baseSequence === sequenceAfter(latest.lastSequence, 1) ? { kind: \"ok\" } : outOfOrder;\n",
    "return { kind: \"ok\" };\n"),
  bug("misses-duplicates", "R16", "src/log/producer-state.ts",
    "if (original !== undefined) {", "if (original !== undefined && original.offset < 0) {"),
  bug("forgets-producers-at-failover", "R16", "src/log/partition-log.ts",
    "this.#producers.append(header, this.#highWatermark, nowMs);",
    "if (chunks.length === 1) this.#producers.append(header, this.#highWatermark, nowMs);"),
  bug("leads-while-writing", "roles", "src/broker/broker.ts",
    "      if (replica.writesInFlight > 0) {\n        this.#assumedFor", "      if (false) {\n        this.#assumedFor"),
  bug("ignores-failed-storage", "R20", "src/broker/broker.ts",
    'case "storage-failed":\n        return this.fail(event.reason);', 'case "storage-failed":\n        return;'),
];

function bug(name: string, breaks: string, file: string, replace: string, by: string): PlantedBug {
  return { name, breaks, edits: [{ file, replace, by }] };
}
