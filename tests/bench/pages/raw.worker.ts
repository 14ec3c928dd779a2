import { expose } from "comlink";
import { followChain, leadChain, sendAlongChain } from "./raw-chain.ts";
import type { ChainOptions } from "./raw-chain.ts";
import { openRows, settled, settledValue } from "./raw-rows.ts";

/**
 * What the browser does without us: bytes from worker to worker over bare data channels, sent on to others, echoed, and
 * written to IndexedDB. Times are milliseconds since 1970 or durations.
 */
export interface RawWorker {
  adopt(name: string, channel: RTCDataChannel): Promise<void>;
  /** Resolves with the time of the first message, once the last one is handed over. */
  send(name: string, totalBytes: number, messageBytes: number): Promise<number>;
  /** From now on, what `name` brings is counted and checked. */
  expect(name: string, totalBytes: number, messageBytes: number): void;
  /** Resolves with the time at which all that was expected had arrived; rejects if a message lacked or was damaged. */
  received(name: string): Promise<number>;
  /** From now on, what `from` brings is sent on to all of `to`. */
  forward(from: string, to: readonly string[]): void;
  /** From now on, what `name` brings is sent back. */
  echo(name: string): void;
  /** Milliseconds of each of so many messages of 1 KiB there and back, one after the other. */
  roundTrips(name: string, count: number): Promise<number[]>;
  /** From now on, what `from` brings goes the way of a replicated record; see `raw-chain.ts`. */
  lead(from: string, to: readonly string[]): void;
  follow(name: string): void;
  /** Milliseconds of each message from its sending until it is back. */
  chain(name: string, options: ChainOptions): Promise<number[]>;
  /** Milliseconds of each of so many IndexedDB transactions, one after the other. */
  commits(options: CommitOptions): Promise<number[]>;
}

export interface CommitOptions {
  readonly count: number;
  readonly rows: number;
  readonly rowBytes: number;
  readonly durability: "strict" | "relaxed";
}

/** Chromium takes up to 16 MiB, then `send` throws. */
const HIGH_WATER_BYTES = 1 << 20;
const ROUND_TRIP_BYTES = 1024;
/** Of a message that are compared; the index of the message is in the first four. */
const COMPARED_BYTES = 64;

const channels = new Map<string, RTCDataChannel>();
const expected = new Map<string, Promise<number>>();

const worker: RawWorker = {
  adopt: (name, channel) => {
    channel.binaryType = "arraybuffer";
    channel.bufferedAmountLowThreshold = HIGH_WATER_BYTES / 2;
    channels.set(name, channel);
    return new Promise((resolve) => channel.addEventListener("open", () => resolve(), { once: true }));
  },
  async send(name, totalBytes, messageBytes) {
    const channel = named(name);
    const message = randomMessage(messageBytes);
    const view = new DataView(message.buffer);
    const startMs = nowMs();
    for (let index = 0; index < totalBytes / messageBytes; index++) {
      if (channel.bufferedAmount >= HIGH_WATER_BYTES) await drained(channel);
      view.setUint32(0, index);
      channel.send(message);
    }
    return startMs;
  },
  expect(name, totalBytes, messageBytes) {
    const complete = new Promise<number>((resolve, reject) => {
      let count = 0;
      let first: Uint8Array | undefined;
      named(name).onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
        const bytes = new Uint8Array(data);
        first ??= bytes;
        if (!isMessage(count, bytes, first, messageBytes)) {
          reject(new Error(`message ${count} of ${name} is missing, out of turn or damaged`));
        }
        if (++count === totalBytes / messageBytes) resolve(nowMs());
      };
    });
    expected.set(name, complete);
  },
  received: async (name) => await (expected.get(name) ?? Promise.reject(new Error(`nothing is expected of ${name}`))),
  forward(from, to) {
    const targets = to.map((name) => outlet(named(name)));
    named(from).onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      for (const push of targets) push(data);
    };
  },
  echo(name) {
    const channel = named(name);
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => channel.send(data);
  },
  async roundTrips(name, count) {
    const channel = named(name);
    const message = randomMessage(ROUND_TRIP_BYTES);
    const took: number[] = [];
    for (let index = 0; index < count; index++) {
      const startMs = performance.now();
      const back = new Promise((resolve) => (channel.onmessage = resolve));
      channel.send(message);
      await back;
      took.push(performance.now() - startMs);
    }
    return took;
  },
  lead: (from, to) => leadChain(named(from), to.map(named)),
  follow: (name) => followChain(named(name)),
  chain: (name, options) => sendAlongChain(named(name), options),
  async commits({ count, rows, rowBytes, durability }) {
    const database = await openRows("raw-rows");
    const row = randomMessage(rowBytes);
    const took: number[] = [];
    for (let index = 0; index < count; index++) {
      const startMs = performance.now();
      const transaction = database.transaction("rows", "readwrite", { durability });
      const store = transaction.objectStore("rows");
      for (let at = 0; at < rows; at++) store.put(row, index * rows + at);
      transaction.commit();
      await settled(transaction, "complete");
      took.push(performance.now() - startMs);
    }
    const stored = await settledValue(database.transaction("rows").objectStore("rows").count());
    if (stored !== count * rows) throw new Error(`${stored} rows of ${count * rows} are stored`);
    database.close();
    await settled(indexedDB.deleteDatabase("raw-rows"), "success");
    return took;
  },
};

function named(name: string): RTCDataChannel {
  const channel = channels.get(name);
  if (channel === undefined) throw new Error(`there is no channel ${name}`);
  return channel;
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}

function randomMessage(bytes: number): Uint8Array<ArrayBuffer> {
  const message = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(message.subarray(at, at + 65_536));
  return message;
}

function isMessage(index: number, bytes: Uint8Array, first: Uint8Array, messageBytes: number): boolean {
  if (bytes.length !== messageBytes || new DataView(bytes.buffer).getUint32(0) !== index) return false;
  const from = messageBytes - COMPARED_BYTES;
  return bytes.subarray(from).every((byte, at) => byte === first[from + at]);
}

function drained(channel: RTCDataChannel): Promise<unknown> {
  return new Promise((resolve) => channel.addEventListener("bufferedamountlow", resolve, { once: true }));
}

/** Sends on as fast as flow control allows; what cannot leave waits here, for a receiver cannot hold a peer back. */
function outlet(channel: RTCDataChannel): (message: ArrayBuffer) => void {
  const queue: ArrayBuffer[] = [];
  const flush = () => {
    while (queue.length > 0 && channel.bufferedAmount < HIGH_WATER_BYTES) channel.send(queue.shift()!);
  };
  channel.addEventListener("bufferedamountlow", flush);
  return (message) => {
    queue.push(message);
    flush();
  };
}

expose(worker);
