import { jetstream, jetstreamManager } from "@nats-io/jetstream";
import { wsconnect } from "@nats-io/nats-core";
import type { StreamOptions } from "./peers.ts";

/** Publishes that are not acknowledged yet; more of them made it no faster. */
const WINDOW = 1_000;

export async function publishAll({ url, stream, records, recordBytes }: StreamOptions): Promise<number> {
  const connection = await wsconnect({ servers: url });
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: stream, subjects: [stream], storage: "file", num_replicas: 1 });
  const publisher = jetstream(connection);
  const body = crypto.getRandomValues(new Uint8Array(recordBytes));
  const value = (index: number) => {
    const bytes = body.slice();
    new DataView(bytes.buffer).setUint32(0, index);
    return bytes;
  };
  let next = 0;
  const startMs = performance.now();
  const publishInTurn = async () => {
    while (next < records) await publisher.publish(stream, value(next++));
  };
  await Promise.all(Array.from({ length: WINDOW }, publishInTurn));
  const elapsedMs = performance.now() - startMs;
  const { state } = await manager.streams.info(stream);
  if (state.messages !== records) throw new Error(`${state.messages} of ${records} messages are in the stream`);
  const consumer = await publisher.consumers.get(stream);
  let read = 0;
  for await (const message of await consumer.consume()) {
    const bytes: Uint8Array = message.data;
    const index = new DataView(bytes.buffer, bytes.byteOffset).getUint32(0);
    const isWhole = bytes.length === recordBytes && bytes.subarray(4).every((byte, at) => byte === body[at + 4]);
    if (index !== read || !isWhole) throw new Error(`message ${read} is missing, out of turn or damaged`);
    if (++read === records) break;
  }
  await manager.streams.delete(stream);
  await connection.close();
  return elapsedMs;
}
