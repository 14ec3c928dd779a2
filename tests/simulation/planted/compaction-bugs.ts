import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** What compaction has to leave: src/log/compaction-pass.ts and what it asks. Groups lie in compacted logs, too. */
export const compactionBugs: readonly PlantedBug[] = [
  bug("compacts-newest-away", "compaction", "src/log/offset-map.ts",
    "return (this.#offsets.get(key) ?? -1) > offset;", "return (this.#offsets.get(key) ?? -1) >= offset;"),
  bug("takes-prefix-for-key", "compaction", "src/log/offset-map.ts",
    "if (key.length <= PIECE_BYTES) return String.fromCharCode.apply(null, key as unknown as number[]);",
    "if (key.length <= PIECE_BYTES) return String.fromCharCode.apply(null, key.subarray(0, 4) as unknown as number[]);"),
  {
    name: "compacts-past-watermark",
    breaks: "compaction, R5",
    edits: [
      {
        file: "src/log/compaction.ts",
        replace: "if (chunk.lastOffset >= highWatermark || isActive || isYoung(chunk)) break;",
        by: "if (isActive || isYoung(chunk)) break;",
      },
      {
        file: "src/log/compaction-pass.ts",
        replace: "return this.#log.cuts !== this.#cuts || this.#log.highWatermark < this.#endOffset;",
        by: "return this.#log.cuts !== this.#cuts;",
      },
      {
        file: "src/log/partition-log.ts",
        replace: 'assert(lastOffset < this.#highWatermark, "only what is committed is compacted, or joined");',
        by: "",
      },
    ],
  },
  bug("lets-old-copy-go-on", "R21", "src/broker/handlers/01-fetch.ts",
    "if (this.#replicaId < 0 || state.maximalIsr.includes(this.#replicaId)) return false;",
    "if (state.leaderEpoch >= 0) return false;"),
];
