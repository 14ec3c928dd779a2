import { describe, expect, test } from "vitest";

import { decodeMessage, encodeMessage } from "../../src/protocol/envelope.ts";
import {
  array,
  between,
  boolean,
  bytes,
  float64,
  int16,
  int32,
  int64,
  int8,
  message,
  nullableArray,
  nullableBytes,
  nullableSince,
  nullableString,
  nullableStruct,
  optional,
  since,
  string,
  struct,
  tagged,
  uint16,
  until,
  uuid,
} from "../../src/protocol/schema.ts";
import type { Decoded, Encodable, Fields } from "../../src/protocol/schema.ts";

const FIXED = Number.POSITIVE_INFINITY;
const UUID = "00112233-4455-6677-8899-aabbccddeeff";

/** A message of one version, in the old layout or in the flexible one. */
function plain<const F extends Fields>(fields: F, flexibleFrom = FIXED) {
  return message({ name: "Test", versions: [0, 9], flexibleFrom, fields });
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString("hex");
}

function fromHex(digits: string): Uint8Array {
  return Uint8Array.from(Buffer.from(digits.replaceAll(" ", ""), "hex"));
}

describe("fields in the old layout", () => {
  const cases = [
    ["int8", plain({ value: int8 }), -2, "fe"],
    ["int16", plain({ value: int16 }), -2, "fffe"],
    ["uint16", plain({ value: uint16 }), 65534, "fffe"],
    ["int32", plain({ value: int32 }), -2, "fffffffe"],
    ["int64", plain({ value: int64 }), -2, "fffffffffffffffe"],
    ["a large int64", plain({ value: int64 }), Number.MAX_SAFE_INTEGER, "001fffffffffffff"],
    ["a small int64", plain({ value: int64 }), Number.MIN_SAFE_INTEGER, "ffe0000000000001"],
    ["float64", plain({ value: float64 }), 1.5, "3ff8000000000000"],
    ["boolean", plain({ value: boolean }), true, "01"],
    ["uuid", plain({ value: uuid }), UUID, "00112233445566778899aabbccddeeff"],
    ["string", plain({ value: string }), "aé", "000361c3a9"],
    ["null string", plain({ value: nullableString }), null, "ffff"],
    ["bytes", plain({ value: bytes }), Uint8Array.of(7), "0000000107"],
    ["null bytes", plain({ value: nullableBytes }), null, "ffffffff"],
    ["array", plain({ value: array(int8) }), [1, 2], "000000020102"],
    ["null array", plain({ value: nullableArray(int8) }), null, "ffffffff"],
    ["struct", plain({ value: struct({ a: int8, b: int8 }) }), { a: 1, b: 2 }, "0102"],
    ["nullable struct", plain({ value: nullableStruct({ a: int8 }) }), { a: 1 }, "0101"],
    ["null struct", plain({ value: nullableStruct({ a: int8 }) }), null, "ff"],
  ] as const;

  test.each(cases)("%s", (_, schema, value, digits) => {
    expect(hex(encodeMessage(schema as never, 0, { value } as never))).toBe(digits);
    expect(decodeMessage(schema as never, 0, fromHex(digits))).toEqual({ value });
  });
});

describe("fields in the flexible layout", () => {
  const cases = [
    ["string", plain({ value: string }, 0), "a", "0261"],
    ["null string", plain({ value: nullableString }, 0), null, "00"],
    ["bytes", plain({ value: bytes }, 0), Uint8Array.of(7), "0207"],
    ["array of numbers", plain({ value: array(int8) }, 0), [1, 2], "030102"],
    ["array of structs, each with tags", plain({ value: array({ a: int8 }) }, 0), [{ a: 1 }, { a: 2 }], "0301000200"],
    ["null array", plain({ value: nullableArray(int8) }, 0), null, "00"],
    ["struct, with tags", plain({ value: struct({ a: int8 }) }, 0), { a: 1 }, "0100"],
    ["a string of 128 bytes", plain({ value: string }, 0), "x".repeat(128), `8101${"78".repeat(128)}`],
  ] as const;

  test.each(cases)("%s", (_, schema, value, digits) => {
    expect(hex(encodeMessage(schema as never, 0, { value } as never))).toBe(`${digits}00`);
    expect(decodeMessage(schema as never, 0, fromHex(`${digits}00`))).toEqual({ value });
  });
});

describe("versions", () => {
  const schema = plain({
    early: until(1, int8, -1),
    late: since(2, int8, -2),
    middle: between(1, 2, int8, -3),
    always: optional(int8, 9),
    name: nullableSince(2, string),
  });

  test.each([
    [0, "01 09 0001 78", { early: 1, late: -2, middle: -3, always: 9, name: "x" }],
    [1, "01 03 09 0001 78", { early: 1, late: -2, middle: 3, always: 9, name: "x" }],
    [2, "02 03 09 0001 78", { early: -1, late: 2, middle: 3, always: 9, name: "x" }],
    [3, "02 09 0001 78", { early: -1, late: 2, middle: -3, always: 9, name: "x" }],
  ])("v%i has its own fields, and the fallbacks of the others", (version, digits, decoded) => {
    const written = encodeMessage(schema, version, { early: 1, late: 2, middle: 3, name: "x" });
    expect(hex(written)).toBe(digits.replaceAll(" ", ""));
    expect(decodeMessage(schema, version, written)).toEqual(decoded);
  });

  test("null is refused, in both directions, before the version that allows it", () => {
    expect(() => encodeMessage(schema, 1, { name: null })).toThrow("cannot be null");
    expect(() => decodeMessage(schema, 1, fromHex("01 03 09 ffff"))).toThrow("a length of -1");
    expect(decodeMessage(schema, 2, fromHex("02 03 09 ffff")).name).toBeNull();
  });

  test("outside the range are refused by name", () => {
    for (const version of [-1, 10, 1.5]) {
      expect(() => encodeMessage(schema, version, { name: "x" })).toThrow(`Test version ${version} is outside`);
    }
  });

  test("a field without a fallback must be given, which the types say too", () => {
    const required: Encodable<typeof schema> = { name: "x" };
    const { early, name }: Decoded<typeof schema> = decodeMessage(schema, 3, encodeMessage(schema, 3, required));
    expect(early satisfies number).toBe(-1);
    expect(name satisfies string | null).toBe("x");
    // @ts-expect-error `name` is missing.
    expect(() => encodeMessage(schema, 3, {})).toThrow("the field name is missing");
  });
});

describe("tagged fields", () => {
  const schema = plain(
    {
      plain: int8,
      second: tagged(2, struct({ a: int8 }), null, 2),
      first: tagged(0, string, "none"),
      list: tagged(5, array(int8), []),
    },
    1,
  );

  test("are written in the order of their tags, unless they equal their fallback", () => {
    const all = { plain: 1, second: { a: 7 }, first: "x", list: [3] };
    expect(hex(encodeMessage(schema, 2, all))).toBe("01 03 00020278 02020700 05020203".replaceAll(" ", ""));
    expect(hex(encodeMessage(schema, 2, { plain: 1, second: null, first: "none", list: [] }))).toBe("0100");
    expect(hex(encodeMessage(schema, 2, { plain: 1 }))).toBe("0100");
  });

  test("do not exist in versions that are not flexible, nor before their own", () => {
    expect(hex(encodeMessage(schema, 0, { plain: 1, first: "x" }))).toBe("01");
    expect(hex(encodeMessage(schema, 1, { plain: 1, second: { a: 7 } }))).toBe("0100");
  });

  test("that are unknown are skipped", () => {
    const bytes = fromHex("01 04 00020278 0101ff 02020700 63 03 aabbcc");
    expect(decodeMessage(schema, 2, bytes)).toEqual({ plain: 1, second: { a: 7 }, first: "x", list: [] });
  });

  test.each([
    ["twice", "01 02 00020278 00020278", "tag 0 follows tag 0"],
    ["out of order", "01 02 02020700 00020278", "tag 0 follows tag 2"],
    ["longer than the message", "01 01 00 7f 0278", "tag 0 announces 127 bytes"],
    ["shorter than their size", "01 01 00 03 027800", "tag 0 does not fill its 3 bytes"],
    ["too many to be true", "01 8120", "4097 tagged fields exceed 1024"],
    ["2^32 - 1 of them", "01 ffffffff0f", "4294967295 tagged fields exceed 1024"],
  ])("that are %s are refused", (_, digits, message) => {
    expect(() => decodeMessage(schema, 2, fromHex(digits))).toThrow(message);
  });
});

describe("announced counts", () => {
  const numbers = plain({ value: array(int32) });
  const compact = plain({ value: array({ a: int64, b: string }) }, 0);

  test.each([
    ["-2", "fffffffe"],
    ["-1, where null is no value", "ffffffff"],
    ["2^31 - 1", "7fffffff"],
    ["one more than there are", "00000002 00000001"],
  ])("of %s are refused before anything is allocated", (_, digits) => {
    expect(() => decodeMessage(numbers, 0, fromHex(digits))).toThrow(/length of|announces/);
  });

  test("are held against the least size of an element", () => {
    // Nine elements of at least ten bytes do not fit into the 89 that follow.
    const bytes = Uint8Array.of(10, ...new Uint8Array(89));
    expect(() => decodeMessage(compact, 0, bytes)).toThrow("announces 9 elements, but 89 bytes follow");
  });

  test("of empty structs that cost nothing on the wire are bounded by the budget", () => {
    const schema = plain({ value: array({}) });
    expect(() => decodeMessage(schema, 0, fromHex("7fffffff"))).toThrow("more elements than a reader accepts");
  });

  test("of nested arrays share one budget", () => {
    const schema = plain({ value: array({ inner: array({ a: optional(int8, 0), b: tagged(0, int8, 0) }) }) }, 0);
    const inner = [...compactLength(1000), ...new Uint8Array(2000)];
    const element = [...inner, 0];
    const bytes = Uint8Array.from([...compactLength(500), ...Array.from({ length: 500 }, () => element).flat(), 0]);
    expect(() => decodeMessage(schema, 0, bytes)).toThrow("more elements than a reader accepts");
  });

  function compactLength(count: number): number[] {
    return [((count + 1) & 0x7f) | 0x80, (count + 1) >> 7];
  }
});

describe("numbers beyond 2^53", () => {
  const schema = plain({ value: int64 });

  test("are refused in both directions", () => {
    for (const digits of ["0020000000000000", "7fffffffffffffff", "8000000000000000"]) {
      expect(() => decodeMessage(schema, 0, fromHex(digits))).toThrow("beyond 2^53");
    }
    expect(() => encodeMessage(schema, 0, { value: 2 ** 53 })).toThrow("no integer below 2^53");
  });
});

test("a struct's marker is 1 or -1", () => {
  const schema = plain({ value: nullableStruct({ a: int8 }) });
  expect(() => decodeMessage(schema, 0, fromHex("0201"))).toThrow("marked 2");
});

test("bytes are views of the message", () => {
  const schema = plain({ value: bytes });
  const input = fromHex("00000002 0102");
  const { value } = decodeMessage(schema, 0, input);
  expect(value.buffer).toBe(input.buffer);
});

test("a string is at most 32767 bytes in both directions", () => {
  const schema = plain({ value: string }, 0);
  expect(() => encodeMessage(schema, 0, { value: "é".repeat(16_384) })).toThrow("at most 32767 bytes");
  const long = Uint8Array.of(0x81, 0x80, 0x02, ...new Uint8Array(32_769));
  expect(() => decodeMessage(schema, 0, long)).toThrow("a string of 32768 bytes");
});

test("a string that is read can be written again, though malformed bytes become longer characters", () => {
  const schema = plain({ value: string });
  const malformed = (length: number) => {
    const bytes = new Uint8Array(2 + length).fill(0xff);
    new DataView(bytes.buffer).setInt16(0, length);
    return bytes;
  };
  const { value } = decodeMessage(schema, 0, malformed(10_922));
  expect(encodeMessage(schema, 0, { value })).toHaveLength(2 + 3 * 10_922);
  expect(() => decodeMessage(schema, 0, malformed(10_923))).toThrow("no UTF-8");
});
