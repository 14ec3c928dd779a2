import { bug } from "./planted-bug.ts";
import type { PlantedBug } from "./planted-bug.ts";

/** Acknowledgements, reads, registration and failures as the broker sees them: src/broker. */
export const brokerBugs: readonly PlantedBug[] = [
  bug("acknowledges-own-copy", "R15", "src/broker/handlers/00-produce.ts",
    'if (role.state.highWatermark > lastOffset) return "NONE";',
    'if (replica.log.logEndOffset > lastOffset) return "NONE";'),
  bug("acknowledges-unstored", "acks=1", "src/broker/handlers/00-produce.ts",
    "return replica.log.logEndOffset > lastOffset", "return replica.log.nextOffset > lastOffset"),
  bug("acknowledges-at-timeout", "R15", "src/broker/handlers/00-produce.ts",
    'settled(outcome, acks) ?? "REQUEST_TIMED_OUT"', 'settled(outcome, acks) ?? "NONE"'),
  bug("acknowledges-duplicate-early", "R15, R16", "src/broker/handlers/00-produce.ts",
    "return appendedAs(name, index, { replica, leaderEpoch, baseOffset, lastOffset, logAppendTimeMs: -1 });",
    "return appendedAs(name, index, { replica, leaderEpoch, baseOffset, lastOffset: -1, logAppendTimeMs: -1 });"),
  {
    name: "acknowledges-with-the-first",
    breaks: "R15",
    edits: [
      {
        file: "src/broker/handlers/00-produce.ts",
        replace: "if (results.includes(undefined)) return false;",
        by: "if (results.every((result) => result === undefined)) return false;",
      },
      {
        file: "src/broker/handlers/00-produce.ts",
        replace: "partitionResponse(broker, outcome, errors[at]!)",
        by: 'partitionResponse(broker, outcome, errors[at] ?? "NONE")',
      },
    ],
  },
  bug("serves-uncommitted", "reads", "src/broker/handlers/01-fetch.ts",
    "return { endOffset: this.#replicaId >= 0 ? logEndOffset : role.state.highWatermark };",
    "return { endOffset: logEndOffset };"),
  bug("serves-uncommitted-from-disk", "reads", "src/broker/handlers/01-fetch.ts",
    "const end = Math.min(endOffset, checked.endOffset);", "const end = replica.log.logEndOffset;"),
  bug("serves-after-gap", "B6", "src/broker/broker.ts",
    "if (gapMs >= this.config.timeGapMs) this.#onGap(gapMs, nowMs);", ""),
  bug("registers-before-stored", "identity, step 2", "src/broker/registration.ts",
    "this.#save({ ...this.#identity, pendingNonce, ...this.#newestSeen() });",
    "this.#save({ ...this.#identity, pendingNonce, ...this.#newestSeen() });\n" +
      "    this.#register(nowMs);"),
  bug("forgets-pending-nonce", "identity, step 2", "src/broker/registration.ts",
    "const pendingNonce = this.#identity.pendingNonce ?? this.#context.uuid();",
    "const pendingNonce = this.#context.uuid();"),
  bug("confirms-before-stored", "identity, step 5", "src/broker/registration.ts",
    'this.#state = { kind: "storing", brokerEpoch: response.brokerEpoch };',
    'this.#state = { kind: "confirming", brokerEpoch: response.brokerEpoch };'),
  bug("hands-out-id-twice", "R16", "src/broker/producer-ids.ts",
    "receiver(this.#next++);", "receiver(this.#next);"),
  bug("deletes-what-is-not-mentioned", "R18", "src/broker/broker.ts",
    "    this.#deleteRemovedTopics();\n",
    "    this.#deleteRemovedTopics();\n" +
      "    for (const replica of [...this.#replicas.values()]) {\n" +
      "      if (this.image.topics.has(replica.log.topicId)) continue;\n" +
      '      this.#become(replica, { kind: "offline" });\n' +
      "      this.#replicas.delete(replica.key);\n" +
      '      this.write(replica, [{ type: "delete-log", key: replica.key }], () => {});\n' +
      "    }\n"),
  bug("deletes-strays-while-others-lag", "R18", "src/broker/stray-copies.ts",
    "const isComplete = replicas.every((node) => isr.includes(node)) && eligibleLeaderReplicas.length === 0;",
    "const isComplete = true;"),
  bug("deletes-strays-that-are-wanted", "R18", "src/broker/stray-copies.ts",
    "if (!isHeldByOthers) this.#heldByOthersSinceMs.delete(replica);\n    else if (", "if (isHeldByOthers && "),
  bug("deletes-records-alone", "KIP-107", "src/broker/handlers/21-delete-records.ts",
    'durable && lowWatermark(replica) >= offset ? "NONE"', 'durable ? "NONE"'),
  bug("ignores-failed-storage", "R20", "src/broker/broker.ts",
    'case "storage-failed":\n        return this.fail(event.reason);', 'case "storage-failed":\n        return;'),
];
