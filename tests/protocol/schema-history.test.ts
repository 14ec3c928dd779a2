import { createHash } from "node:crypto";
import { expect, test } from "vitest";

import { apis } from "../../src/protocol/apis/registry.ts";
import { metadataRecordSchemas } from "../../src/protocol/metadata-records/registry.ts";
import { allMessages } from "./all-messages.ts";

/**
 * A change of any schema is a change of the protocol. Whoever makes one adds a line here, with the hash that the
 * failing test prints.
 */
const history: readonly (readonly [hash: string, change: string])[] = [
  ["3bad2a8d15bbae83", "13 client APIs, 5 controller APIs, 14 kinds of metadata records"],
  ["278218f475c5a206", "13 APIs of consumer groups, 9 kinds of group records, the consumer protocol"],
  ["8d9fc43a2b24f469", "brokers offer the APIs of consumer groups"],
  ["69d61829424dca4b", "9 APIs of administration"],
  ["72358bc0096be331", "brokers offer the APIs of administration; partitions know of reassignments"],
  ["f1815cdf53ebcc3a", "leaders tell followers what producers wrote below the start of the log"],
  ["d6514663adb8a626", "the controller tells brokers the time of day with the answer to a heartbeat"],
  ["25720cc0a7244272", "a registration tells which metadata the storage has seen"],
];

test("the schemas are those of the last line of their history", () => {
  const messages = allMessages.map(({ name, versions, flexibleFrom, shape }) => [name, versions, flexibleFrom, shape]);
  const offered = [...apis.values()].map(({ key, advertised }) => [key, advertised]);
  const recordKeys = [...metadataRecordSchemas.values()].map(({ key, name }) => [key, name]);
  const text = JSON.stringify([messages, offered, recordKeys]);
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 16);
  expect(hash).toBe(history.at(-1)?.[0]);
});
