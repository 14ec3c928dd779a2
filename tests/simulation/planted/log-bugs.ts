import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** What a log holds, knows of its producers, and gives back: src/log. */
export const logBugs: readonly PlantedBug[] = [
  bug("notes-epochs-late", "R3", "src/log/partition-log.ts",
    "const operations: StoreOperation[] = startsEpoch ? [this.metadataOperation()] : [];",
    "const operations: StoreOperation[] = [];"),
  bug("keeps-truncated-epochs", "R3, R4", "src/log/partition-log.ts",
    "const epochsChanged = this.epochs.truncateFromEnd(offset);", "const epochsChanged = false;"),
  bug("appends-duplicates", "R16", "src/log/producer-state.ts",
    "return batch.baseSequence === sequenceAfter(latest.lastSequence, 1) ? { kind: \"ok\" } : outOfOrder;\n",
    "return { kind: \"ok\" };\n"),
  bug("misses-duplicates", "R16", "src/log/producer-state.ts",
    "if (original !== undefined) {", "if (original !== undefined && original.offset < 0) {"),
  bug("window-of-one", "R16", "src/log/producer-state.ts",
    "export const DUPLICATE_WINDOW = 5;", "export const DUPLICATE_WINDOW = 1;"),
  bug("never-wraps-sequences", "R16", "src/log/producer-state.ts",
    "return (sequence + count) % SEQUENCES;", "return sequence + count;"),
  bug("accepts-old-producer-epoch", "R16, KIP-360", "src/log/producer-state.ts",
    'if (batch.producerEpoch < latest.producerEpoch) return { kind: "error", error: "INVALID_PRODUCER_EPOCH" };', ""),
  bug("forgets-producers-at-failover", "R16", "src/log/partition-log.ts",
    "this.#producers.append(header, this.#highWatermark);",
    "if (chunks.length === 1) this.#producers.append(header, this.#highWatermark);"),
  bug("forgets-producers-at-restart", "R16", "src/log/restored-log.ts",
    "const producers = new ProducerState(metadata.producerSnapshot);", "const producers = new ProducerState();"),
  bug("remembers-truncated-producers", "R16", "src/log/partition-log.ts",
    "    this.#producers.truncateTo(offset);\n", ""),
  bug("forgets-producers-at-truncation", "R16", "src/log/partition-log.ts",
    "this.#producers.truncateTo(offset);", "this.#producers = new ProducerState({ offset, producers: [] });"),
  {
    ...bug("starts-anew-without-producers", "R16", "src/broker/followed-partitions.ts",
      "offset === answer.logStartOffset ? answer.earlierProducers : []", "[]"),
    scripts: ["starts-anew"],
  },
  bug("serves-truncated-from-cache", "R4, reads", "src/log/partition-log.ts",
    "    this.#tail.truncateFrom(offset);\n", ""),
  bug("skips-last-of-batch", "reads", "src/log/batch-slice.ts",
    "if (span.lastOffset < offset) continue;", "if (span.lastOffset <= offset) continue;"),
  {
    name: "retention-passes-watermark",
    breaks: "R18",
    edits: [
      {
        file: "src/log/partition-log.ts",
        replace: "if (lastOffset >= this.#highWatermark || !(isTooOld || isTooMuch)) break;",
        by: "if (!(isTooOld || isTooMuch)) break;",
      },
      {
        file: "src/log/partition-log.ts",
        replace: "const startOffset = Math.min(offset, this.#highWatermark);",
        by: "const startOffset = offset;",
      },
    ],
  },
  bug("skips-checksums", "R20", "src/log/batch-span.ts",
    'if (!verifyCrc(bytes, position)) throw corrupt(source, nextOffset, "fails its checksum");',
    ""),
];
