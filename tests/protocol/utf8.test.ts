import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { decodeUtf8, encodeUtf8, utf8Length } from "../../src/protocol/utf8.ts";

const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

describe("UTF-8", () => {
  test("of any well-formed text is that of the platform", () => {
    const isScalar = (point: number) => point < 0xd800 || point > 0xdfff;
    const edges = fc.constantFrom(0, 0x7f, 0x80, 0x7ff, 0x800, 0xd7ff, 0xe000, 0xffff, 0x10000, 0x10ffff);
    const points = fc.array(fc.oneof(edges, fc.integer({ min: 0, max: 0x10ffff }).filter(isScalar)), { maxLength: 16 });
    const property = fc.property(points, (numbers) => {
      const text = String.fromCodePoint(...numbers);
      const bytes = encodeUtf8(text);
      expect(bytes).toEqual(new TextEncoder().encode(text));
      expect(utf8Length(text)).toBe(bytes.length);
      expect(decodeUtf8(bytes)).toBe(text);
    });
    fc.assert(property, { seed: 1, numRuns: 100 });
  });

  test("of any bytes reads as the platform reads them, malformed or not", () => {
    const likely = fc.constantFrom(0x61, 0x80, 0xbf, 0xc0, 0xc3, 0xe0, 0xed, 0xa0, 0xef, 0xf0, 0x90, 0xf4, 0x8f, 0xff);
    const property = fc.property(fc.array(fc.oneof(likely, fc.nat(255)), { maxLength: 12 }), (numbers) => {
      const bytes = Uint8Array.from(numbers);
      expect(decodeUtf8(bytes)).toBe(decoder.decode(bytes));
    });
    fc.assert(property, { seed: 2, numRuns: 1000 });
  });

  test("of a lone surrogate is a question mark, as in Java", () => {
    const cases = [
      ["x\ud800", "x?"],
      ["\udc00x", "?x"],
      ["\ud800\u{10000}", "?\u{10000}"],
    ] as const;
    for (const [text, decoded] of cases) {
      expect(utf8Length(text)).toBe(encodeUtf8(text).length);
      expect(decodeUtf8(encodeUtf8(text))).toBe(decoded);
    }
  });

  test("of text longer than the stack has room for is read in pieces", () => {
    for (const text of ["a".repeat(1_000_000), "é\u{1f30d}".repeat(200_000)]) {
      expect(decodeUtf8(encodeUtf8(text)) === text).toBe(true);
    }
  });

  test("is read between two positions", () => {
    expect(decodeUtf8(Uint8Array.of(0xc3, 0x61, 0x62, 0xc3), 1, 3)).toBe("ab");
  });
});
