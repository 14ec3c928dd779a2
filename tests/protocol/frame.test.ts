import fc from "fast-check";
import { describe, expect, test } from "vitest";

import { FrameDecoder, frameHeader } from "../../src/protocol/frame.ts";
import { encodeFrame } from "./encode-frame.ts";

const payloads = fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 6 });

function concat(parts: readonly Uint8Array[]): Uint8Array {
  return Uint8Array.from(Buffer.concat(parts));
}

describe("frames", () => {
  test("come out whole, however the stream is cut", () => {
    const cuts = fc.infiniteStream(fc.integer({ min: 1, max: 200 }));
    const property = fc.property(payloads, cuts, (frames, sizes) => {
      const stream = concat(frames.map(encodeFrame));
      const decoder = new FrameDecoder(1000);
      const decoded: Uint8Array[] = [];
      for (let position = 0; position < stream.length; ) {
        const size = sizes.next().value as number;
        decoded.push(...decoder.push(stream.slice(position, position + size)));
        position += size;
      }
      expect(decoded).toEqual(frames);
    });
    fc.assert(property, { seed: 4, numRuns: 200 });
  });

  test("come out byte by byte, and several of one chunk", () => {
    const expected = [Uint8Array.of(1, 2), new Uint8Array(0), Uint8Array.of(3)];
    const stream = concat(expected.map(encodeFrame));
    const drip = new FrameDecoder();
    const dripped = [...stream].flatMap((byte) => drip.push(Uint8Array.of(byte)));
    expect(dripped).toEqual(expected);
    expect(new FrameDecoder().push(stream)).toEqual(expected);
    expect(new FrameDecoder().push(new Uint8Array(0))).toEqual([]);
  });

  test("within one chunk are views of it", () => {
    const chunk = encodeFrame(Uint8Array.of(1, 2, 3));
    expect(new FrameDecoder().push(chunk)[0]?.buffer).toBe(chunk.buffer);
  });

  test.each([
    ["negative", [0xff, 0xff, 0xff, 0xff], "announces -1 bytes"],
    ["2^31 - 1", [0x7f, 0xff, 0xff, 0xff], "a frame of 2147483647 bytes exceeds the limit of 104857600"],
    ["one above the limit", [0x06, 0x40, 0x00, 0x01], "a frame of 104857601 bytes exceeds"],
  ])("with a length that is %s are refused once the prefix is there", (_, prefix, message) => {
    const decoder = new FrameDecoder();
    expect(decoder.push(Uint8Array.from(prefix.slice(0, 3)))).toEqual([]);
    expect(() => decoder.push(Uint8Array.from(prefix.slice(3)))).toThrow(message);
  });

  test("at the limit pass", () => {
    expect(new FrameDecoder(3).push(encodeFrame(new Uint8Array(3)))).toHaveLength(1);
    expect(() => new FrameDecoder(3).push(encodeFrame(new Uint8Array(4)))).toThrow("exceeds the limit of 3");
  });

  test("take memory for what arrived, not for what was announced", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 100 }, () => new FrameDecoder());
    for (const decoder of decoders) decoder.push(Uint8Array.of(...frameHeader(100 * 1024 * 1024), 1));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 1024 * 1024);
    expect(decoders[0]?.push(new Uint8Array(10))).toEqual([]);
  });
});
