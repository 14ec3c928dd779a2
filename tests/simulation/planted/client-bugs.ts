import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** What the SDK's producer and consumer promise: src/client. */
export const clientBugs: readonly PlantedBug[] = [
  bug("renumbers-retries", "SDK: sequences", "src/client/partition-queue.ts",
    "      if (this.#needsSequence(batch)) this.#number(batch);\n    }\n",
    "    }\n    if (this.#needsSequence(batch)) this.#number(batch);\n"),
  bug("keeps-too-many-in-flight", "SDK: sequences", "src/client/partition-queue.ts",
    "const REMEMBERED_BATCHES = 5;", "const REMEMBERED_BATCHES = 50;"),
  bug("renumbers-doubtful", "SDK: order after errors", "src/client/partition-queue.ts",
    "return first === undefined || (first.afterGap && !first.maybeWritten);",
    "return first === undefined || first.afterGap;"),
  bug("sends-on-before-first-answer", "SDK: order after errors", "src/client/partition-queue.ts",
    "this.#gap = false;\n    this.#established = false;", "this.#gap = false;\n    this.#established = true;"),
  bug("tells-batch-offset", "SDK: offsets", "src/client/delivery.ts",
    "result.baseOffset + firstIndex)", "result.baseOffset)"),
  bug("reads-last-record-again", "SDK: offsets", "src/client/fetch-position.ts",
    "position: { offset: lastOffset + 1, lastFetchedEpoch: partitionLeaderEpoch },",
    "position: { offset: lastOffset, lastFetchedEpoch: partitionLeaderEpoch },"),
];
