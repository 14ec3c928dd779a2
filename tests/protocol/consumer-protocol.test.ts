import { describe, expect, test } from "vitest";

import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
} from "../../src/protocol/consumer-protocol.ts";
import { CorruptMessageError } from "../../src/protocol/errors.ts";

function bytesOf(hex: string): Uint8Array {
  return Uint8Array.from(Buffer.from(hex.replaceAll(" ", ""), "hex"));
}

const subscription = {
  topics: ["a", "b"],
  userData: null,
  ownedPartitions: [{ topic: "a", partitions: [0, 2] }],
  generationId: 7,
  rackId: "r",
};
const HEX_V0 = "00000002 000161 000162 ffffffff";
const HEX_V1 = `${HEX_V0} 00000001 000161 00000002 00000000 00000002`;
const HEX_V2 = `${HEX_V1} 00000007`;
const HEX_V3 = `${HEX_V2} 000172`;

describe("a subscription", () => {
  test.each([
    [0, `0000 ${HEX_V0}`, { ownedPartitions: [], generationId: -1, rackId: null }],
    [1, `0001 ${HEX_V1}`, { generationId: -1, rackId: null }],
    [2, `0002 ${HEX_V2}`, { rackId: null }],
    [3, `0003 ${HEX_V3}`, {}],
  ])("of version %i has Kafka's bytes", (version, hex, fallbacks) => {
    expect(encodeSubscription(subscription, version)).toEqual(bytesOf(hex));
    expect(decodeSubscription(bytesOf(hex))).toEqual({ version, ...subscription, ...fallbacks });
  });

  test("of a newer version is read as the newest that is known", () => {
    expect(decodeSubscription(bytesOf(`0009 ${HEX_V3} abcdef`))).toEqual({ version: 9, ...subscription });
  });

  test("may be followed by more in any version", () => {
    expect(decodeSubscription(bytesOf(`0000 ${HEX_V0} abcdef`)).topics).toEqual(["a", "b"]);
  });

  const malformed = ["", "00", "ffff 00000000 ffffffff", "0000 7fffffff", "0001 00000000 ffffffff"];

  test.each(malformed)("«%s» is refused", (hex) => {
    expect(() => decodeSubscription(bytesOf(hex))).toThrow(CorruptMessageError);
  });
});

describe("an assignment", () => {
  const assignment = { assignedPartitions: [{ topic: "a", partitions: [0, 2] }], userData: Uint8Array.of(9) };
  const HEX = "00000001 000161 00000002 00000000 00000002 00000001 09";

  test.each([0, 1, 2, 3])("of version %i has Kafka's bytes", (version) => {
    const bytes = bytesOf(`000${version} ${HEX}`);
    expect(encodeAssignment(assignment, version)).toEqual(bytes);
    expect(decodeAssignment(bytes)).toEqual({ version, ...assignment });
  });

  test("of a newer version is read as the newest that is known", () => {
    expect(decodeAssignment(bytesOf(`0004 ${HEX} ab`))).toEqual({ version: 4, ...assignment });
  });

  test.each(["", "0000", "8000 00000000 ffffffff", "0000 00000001 000161 7fffffff"])("«%s» is refused", (hex) => {
    expect(() => decodeAssignment(bytesOf(hex))).toThrow(CorruptMessageError);
  });
});
