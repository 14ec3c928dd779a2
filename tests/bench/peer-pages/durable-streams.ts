import { DurableStream, IdempotentProducer, stream } from "@durable-streams/client";
import type { StreamOptions } from "./peers.ts";

/** With its producer that makes batches, which its documentation recommends for writing fast. */
export async function appendAll({ url, records, recordBytes }: Omit<StreamOptions, "stream">): Promise<number> {
  const made = await DurableStream.create({ url, contentType: "application/octet-stream" });
  const failures: Error[] = [];
  const onError = (error: Error) => failures.push(error);
  const producer = new IdempotentProducer(made, "bench", { onError });
  const body = crypto.getRandomValues(new Uint8Array(recordBytes));
  const startMs = performance.now();
  for (let index = 0; index < records; index++) {
    const bytes = body.slice();
    new DataView(bytes.buffer).setUint32(0, index);
    producer.append(bytes);
  }
  await producer.flush();
  const elapsedMs = performance.now() - startMs;
  if (failures.length > 0) throw new Error(`${failures.length} batches failed: ${failures[0]!.message}`);
  // What it stores are bytes: where a record ends is known to those who wrote it.
  const stored: Uint8Array = await (await stream({ url, live: false })).body();
  if (stored.length !== records * recordBytes) throw new Error(`${stored.length} bytes are in the stream`);
  for (let index = 0; index < records; index++) {
    const bytes = stored.subarray(index * recordBytes, (index + 1) * recordBytes);
    const isInTurn = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0) === index;
    if (!isInTurn || !bytes.subarray(4).every((byte, at) => byte === body[at + 4])) {
      throw new Error(`record ${index} is missing, out of turn or damaged`);
    }
  }
  return elapsedMs;
}
