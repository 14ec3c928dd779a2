import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeMessage, encodeMessage } from "../../src/protocol/envelope.ts";
import { CorruptMessageError } from "../../src/protocol/errors.ts";
import type { Message } from "../../src/protocol/schema.ts";
import { allVersions } from "./all-messages.ts";
import { arbitraryMessage } from "./arbitrary-message.ts";

const SEED = 20260801;

describe.each(allVersions)("$title", ({ message, version }) => {
  const value = arbitraryMessage(message, version);

  test("decodes to what was encoded", () => {
    const property = fc.property(value, (body) => {
      expect(decodeMessage(message, version, encodeMessage(message, version, body))).toEqual(body);
    });
    fc.assert(property, { seed: SEED, numRuns: 25 });
  });

  test("is refused when it is cut short at any byte, or goes on", () => {
    const property = fc.property(value, (body) => {
      const bytes = encodeMessage(message, version, body);
      for (let length = 0; length < bytes.length; length++) {
        expect(() => decodeMessage(message, version, bytes.subarray(0, length))).toThrow(CorruptMessageError);
      }
      const longer = Uint8Array.of(...bytes, 0);
      expect(() => decodeMessage(message, version, longer)).toThrow(CorruptMessageError);
    });
    fc.assert(property, { seed: SEED, numRuns: 3 });
  });

  test("with a changed byte decodes or is refused, and nothing worse", () => {
    const property = fc.property(value, fc.nat(), fc.integer({ min: 1, max: 255 }), (body, place, change) => {
      const bytes = encodeMessage(message, version, body);
      if (bytes.length === 0) return;
      bytes[place % bytes.length]! ^= change;
      expect(refusalOf(message, version, bytes)).toBeOneOf([undefined, "CorruptMessageError"]);
    });
    fc.assert(property, { seed: SEED, numRuns: 50 });
  });
});

function refusalOf(message: Message, version: number, bytes: Uint8Array): string | undefined {
  try {
    decodeMessage(message, version, bytes);
    return undefined;
  } catch (error) {
    return (error as Error).name;
  }
}
