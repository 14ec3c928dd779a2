import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { CorruptMessageError } from "../../src/protocol/errors.ts";
import { Reader } from "../../src/protocol/reader.ts";
import { sizeOfUnsignedVarint, sizeOfVarint, sizeOfVarlong } from "../../src/protocol/varint.ts";
import { Writer } from "../../src/protocol/writer.ts";

/** LEB128 of any length, made with bigints: an oracle for the three kinds of varint. */
function leb128(value: bigint): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.of(...bytes, Number(rest));
    bytes.push(Number(rest & 127n) | 128);
  }
}

function zigzag(value: number, bits: bigint): bigint {
  return BigInt.asUintN(Number(bits), (BigInt(value) << 1n) ^ (BigInt(value) >> (bits - 1n)));
}

const integers = fc.oneof(fc.integer(), fc.integer({ min: -300, max: 300 }));
const safeIntegers = fc.oneof(
  fc.maxSafeInteger(),
  integers,
  fc.constantFrom(Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 2 ** 31, -(2 ** 31), 2 ** 32, 2 ** 52),
);

describe("varints", () => {
  test("are LEB128, zigzag-mapped where they are signed", () => {
    const property = fc.property(fc.nat(), integers, safeIntegers, (natural, integer, safeInteger) => {
      const writer = new Writer();
      writer.unsignedVarint(natural);
      expect(writer.finish()).toEqual(leb128(BigInt(natural)));
      expect(sizeOfUnsignedVarint(natural)).toBe(writer.length);

      const signed = new Writer();
      signed.varint(integer);
      expect(signed.finish()).toEqual(leb128(zigzag(integer, 32n)));
      expect(sizeOfVarint(integer)).toBe(signed.length);

      const long = new Writer();
      long.varlong(safeInteger);
      expect(long.finish()).toEqual(leb128(zigzag(safeInteger, 64n)));
      expect(sizeOfVarlong(safeInteger)).toBe(long.length);

      const reader = new Reader(Uint8Array.of(...writer.finish(), ...signed.finish(), ...long.finish()));
      expect([reader.unsignedVarint(), reader.varint(), reader.varlong()]).toEqual([natural, integer, safeInteger]);
      reader.expectEnd();
    });
    fc.assert(property, { seed: 3, numRuns: 1000 });
  });

  test("of more bytes than needed are read, as Kafka does", () => {
    expect(new Reader(Uint8Array.of(0x81, 0x80, 0x80, 0x80, 0x00)).unsignedVarint()).toBe(1);
    expect(new Reader(Uint8Array.of(0x82, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00)).varlong()).toBe(1);
  });

  test.each([
    ["eleven bytes", Uint8Array.of(...new Uint8Array(10).fill(0x80), 0x01)],
    ["no end", new Uint8Array(20).fill(0xff)],
    ["a message that ends", Uint8Array.of(0x80, 0x80)],
  ])("of %s are refused", (_, bytes) => {
    expect(() => new Reader(bytes).unsignedVarint()).toThrow(CorruptMessageError);
    expect(() => new Reader(bytes).varint()).toThrow(CorruptMessageError);
    expect(() => new Reader(bytes).varlong()).toThrow(CorruptMessageError);
  });

  test("beyond their type are refused", () => {
    expect(() => new Reader(leb128(1n << 32n)).unsignedVarint()).toThrow("exceeds 32 bits");
    expect(() => new Reader(leb128(1n << 54n)).varlong()).toThrow("beyond 2^53");
    expect(() => new Reader(leb128((1n << 64n) - 1n)).varlong()).toThrow("beyond 2^53");
  });
});

describe("a reader", () => {
  test("never reads past its end, even where the array goes on", () => {
    const bytes = new Uint8Array(16);
    const reads: ((reader: Reader) => unknown)[] = [
      (reader) => reader.int8(),
      (reader) => reader.int16(),
      (reader) => reader.uint16(),
      (reader) => reader.int32(),
      (reader) => reader.uint32(),
      (reader) => reader.int64(),
      (reader) => reader.float64(),
      (reader) => reader.uuid(),
      (reader) => reader.unsignedVarint(),
      (reader) => reader.bytes(1),
      (reader) => reader.string(1),
      (reader) => reader.skip(1),
    ];
    for (const read of reads) expect(() => read(new Reader(bytes, 4, 4))).toThrow("of which 0 exist");
  });

  test("refuses negative lengths", () => {
    expect(() => new Reader(new Uint8Array(4)).bytes(-1)).toThrow(CorruptMessageError);
    expect(() => new Reader(new Uint8Array(4), 2).skip(-2)).toThrow(CorruptMessageError);
  });

  test("tells how many bytes it has left", () => {
    const reader = new Reader(new Uint8Array(10), 2, 8);
    reader.int32();
    expect([reader.position, reader.remaining]).toEqual([6, 2]);
    expect(() => reader.expectEnd()).toThrow("2 bytes follow");
  });
});

describe("a writer", () => {
  test("keeps what it wrote as it grows", () => {
    const writer = new Writer(1);
    for (let index = 0; index < 1000; index++) writer.int32(index);
    const reader = new Reader(writer.finish());
    for (let index = 0; index < 1000; index++) expect(reader.int32()).toBe(index);
  });

  test("grows right before every type", () => {
    const writes: ((writer: Writer) => void)[] = [
      (writer) => writer.int8(1),
      (writer) => writer.uint8(1),
      (writer) => writer.int16(1),
      (writer) => writer.uint16(1),
      (writer) => writer.int32(1),
      (writer) => writer.uint32(1),
      (writer) => writer.int64(1),
      (writer) => writer.float64(1),
      (writer) => writer.uuid("00000000-0000-0000-0000-000000000001"),
      (writer) => writer.unsignedVarint(1),
      (writer) => writer.varlong(1),
      (writer) => writer.bytes(Uint8Array.of(1)),
      (writer) => writer.utf8("a"),
    ];
    for (const write of writes) {
      const small = new Writer(0);
      const large = new Writer(64);
      write(small);
      write(large);
      expect(small.finish()).toEqual(large.finish());
      expect(small.finish().some((byte) => byte !== 0)).toBe(true);
    }
  });

  test("refuses values that do not fit", () => {
    const writer = new Writer();
    expect(() => writer.int8(128)).toThrow("128 is no 8-bit integer");
    expect(() => writer.int16(-32_769)).toThrow("no 16-bit integer");
    expect(() => writer.uint16(-1)).toThrow("no unsigned 16-bit integer");
    expect(() => writer.int32(2 ** 31)).toThrow("no 32-bit integer");
    expect(() => writer.int32(1.5)).toThrow("no 32-bit integer");
    expect(() => writer.uint32(-1)).toThrow("no unsigned 32-bit integer");
    expect(() => writer.int64(Number.NaN)).toThrow("no integer below 2^53");
    expect(() => writer.uuid("0A000000-0000-0000-0000-000000000000")).toThrow("lower-case");
  });
});
