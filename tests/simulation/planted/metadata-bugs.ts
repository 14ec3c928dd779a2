import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** What the controller decides, stores and tells: src/metadata. */
export const metadataBugs: readonly PlantedBug[] = [
  bug("tells-before-durable", "R1", "src/metadata/controller.ts",
    "const durable = this.#log.durableEndOffset;", "const durable = this.#log.endOffset;"),
  {
    name: "serves-undurable-metadata",
    breaks: "R1",
    edits: [
      {
        file: "src/metadata/metadata-log.ts",
        replace: "if (fromOffset < 0 || fromOffset > this.#durableEndOffset)",
        by: "if (fromOffset < 0 || fromOffset > this.#endOffset)",
      },
      {
        file: "src/metadata/metadata-log.ts",
        replace: "if (endOffset > this.#durableEndOffset || (parts",
        by: "if ((parts",
      },
      {
        file: "src/metadata/fetch-metadata.ts",
        replace: "highWatermark: log.durableEndOffset,",
        by: "highWatermark: log.endOffset,",
      },
    ],
  },
  bug("raises-epoch-only-with-isr", "R1", "src/metadata/partition-records.ts",
    "leaderEpoch: before.leaderEpoch + (isElection ? 1 : 0),",
    "leaderEpoch: before.leaderEpoch + (isElection && record.isr !== null ? 1 : 0),"),
  bug("rejoins-at-unfence", "R8", "src/metadata/fencing.ts",
    "(partition) => (waits(partition) ? {} : undefined),",
    "(partition) => {\n" +
      "        if (waits(partition)) return {};\n" +
      "        const { isr, replicas } = partition;\n" +
      "        return replicas.includes(brokerId) ? { isr: [...new Set([...isr, brokerId])] } : undefined;\n" +
      "      },"),
  bug("joins-without-broker-epoch", "R8, KIP-903", "src/metadata/alter-partition.ts",
    "return image.brokers.get(member.brokerId)?.brokerEpoch === member.brokerEpoch;", "return true;"),
  bug("alters-without-compare", "R9", "src/metadata/alter-partition.ts",
    'if (partitionEpoch < partition.partitionEpoch) return "INVALID_UPDATE_VERSION";', ""),
  bug("alters-for-old-leader", "R9", "src/metadata/alter-partition.ts",
    'if (leaderEpoch < partition.leaderEpoch) return "FENCED_LEADER_EPOCH";', ""),
  bug("keeps-elr", "R10", "src/metadata/partition-change.ts",
    "const eligibleLeaderReplicas = isComplete || inSync.isUncleanElection ? [] : left.filter(isClean);",
    "const eligibleLeaderReplicas = inSync.isUncleanElection ? [] : left.filter(isClean);"),
  bug("admits-restored-storage", "R11", "src/metadata/registration.ts",
    "const isAsLeft = generation === directory.generation && nonce === directory.nonce;", "const isAsLeft = true;"),
  bug("trusts-relaxed-storage", "R11", "src/metadata/registration.ts",
    "...disqualifyBroker(image, brokerId, mayHaveLost),", ""),
  bug("snapshot-forgets-storage", "R11", "src/metadata/image.ts",
    'for (const directory of this.directories.values()) records.push({ type: "StorageIdentityRecord", ...directory });\n', ""),
  bug("grants-epoch-without-fencing", "R12", "src/metadata/controller-apis.ts",
    'fence(state, previous, "it registers anew");', ""),
  bug("elects-anybody", "R13", "src/metadata/partition-change.ts",
    "const anyActive = rules.uncleanLeaderElection ?", "const anyActive = rules !== undefined ?"),
  bug("keeps-fenced-leader", "R13", "src/metadata/partition-change.ts",
    "if (mayLead(before.leader)) return before.leader;", "if (isr.includes(before.leader)) return before.leader;"),
  bug("finishes-moves-early", "R13", "src/metadata/partition-change.ts",
    "(node) => isr.includes(node) && rules.isActive(node));", "(node) => rules.isActive(node));"),
  bug("snapshot-forgets-producer-ids", "R16", "src/metadata/image.ts",
    'records.push({ type: "ProducerIdsRecord", brokerId: -1, nextProducerId: this.nextProducerId });', ""),
];
