import { expect, test } from "vitest";
import { assembleBatch, readBatchHeader, recordsSection } from "../../src/protocol/record-batch.ts";
import { loadCodec } from "../../src/protocol/compression/codecs.ts";
import { recompress } from "../../src/runtime/recompressed-batches.ts";

const MIB = 1024 * 1024;

/** A batch of one record with as many zeros, which is small. */
async function swellingBatch(bytes: number): Promise<Uint8Array> {
  const { compress } = await loadCodec("zstd");
  const varint = (value: number) => {
    const out: number[] = [];
    for (let rest = value * 2; ; rest = Math.floor(rest / 128)) {
      if (rest < 128) return [...out, rest];
      out.push((rest % 128) + 128);
    }
  };
  const before = [0, 0, 0, 1, ...varint(bytes)];
  const section = Uint8Array.from([...varint(before.length + bytes + 1), ...before]);
  const whole = new Uint8Array(section.length + bytes + 1);
  whole.set(section);
  const told = { lastOffsetDelta: 0, baseTimestamp: 0, maxTimestamp: 0, recordCount: 1 };
  return assembleBatch(told, await compress(whole), "zstd");
}

test("opens no more of one request than memory has room for", async () => {
  const bomb = await swellingBatch(30 * MIB);
  expect(bomb.length).toBeLessThan(16 * 1024);
  const codec = "snappy";
  const wanted = new Map(Array.from({ length: 7 }, () => [bomb.slice(), { codec, opened: false }] as const));
  const found = [...(await recompress(wanted)).values()];
  const errors = found.map((outcome) => ("error" in outcome ? outcome.error : "NONE"));
  expect(errors).toEqual([...Array(5).fill("NONE"), "MESSAGE_TOO_LARGE", "MESSAGE_TOO_LARGE"]);
});

test("lets others have a turn before each batch", async () => {
  const batch = await swellingBatch(10);
  const turns: number[] = [];
  let open = 0;
  const breathe = () => new Promise<void>((resolve) => setTimeout(() => (turns.push(++open), resolve())));
  const wanted = new Map([1, 2, 3].map(() => [batch.slice(), { codec: "gzip", opened: false }] as const));
  const found = await recompress(wanted, { breathe });
  expect(turns).toEqual([1, 2, 3]);
  expect([...found.values()].every((outcome) => "batch" in outcome)).toBe(true);
});

test.each(["zstd", "gzip", "none"] as const)("tells what a batch holds if asked to, with %s", async (codec) => {
  const sent = await swellingBatch(10);
  const plain = new Uint8Array([32, 0, 0, 0, 1, 20, ...Array(11).fill(0)]);
  for (const opened of [true, false]) {
    const [found] = (await recompress(new Map([[sent, { codec, opened }]]))).values();
    if (found === undefined || "error" in found) throw new Error("there is no batch");
    const { decompress } = await loadCodec(readBatchHeader(found.batch).attributes.codec);
    expect(new Uint8Array(await decompress(recordsSection(found.batch), 100))).toEqual(plain);
    expect(found.section).toEqual(opened && codec !== "none" ? plain : undefined);
    // The frame that it came in is gone when it is stored.
    if (codec === "zstd") expect([found.batch, found.batch.buffer === sent.buffer]).toEqual([sent, false]);
  }
});

test("tells producers to try again while a codec cannot be had", async () => {
  const wanted = new Map([[await swellingBatch(10), { codec: "gzip", opened: false } as const]]);
  const loadCodec = async () => Promise.reject(new Error("the server cannot be reached"));
  const [found] = (await recompress(wanted, { loadCodec })).values();
  expect(found).toMatchObject({ error: "KAFKA_STORAGE_ERROR", message: expect.stringContaining("cannot be reached") });
});
