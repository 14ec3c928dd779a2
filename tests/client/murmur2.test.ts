import { createRequire } from "node:module";
import fc from "fast-check";
import { expect, test } from "vitest";
import { murmur2 } from "../../src/client/murmur2.ts";

const theirs = createRequire(import.meta.url)("kafkajs/src/producer/partitioners/default/murmur2.js") as (
  key: Buffer,
) => number;

test("the vectors of Kafka's own tests", () => {
  const hash = (text: string) => murmur2(new TextEncoder().encode(text));
  expect(hash("21")).toBe(-973932308);
  expect(hash("foobar")).toBe(-790332482);
  expect(hash("a-little-bit-long-string")).toBe(-985981536);
  expect(hash("a-little-bit-longer-string")).toBe(-1486304829);
  expect(hash("lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8")).toBe(-58897971);
  expect(hash("abc")).toBe(479470107);
});

test("any key hashes as in KafkaJS", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (key) => {
      expect(murmur2(key)).toBe(theirs(Buffer.from(key)));
    }),
  );
});
