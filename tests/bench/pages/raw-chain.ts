import { openRows, settled } from "./raw-rows.ts";

export interface ChainOptions {
  readonly count: number;
  readonly messageBytes: number;
  readonly everyMs: number;
}

/**
 * The way of a replicated record with nothing of Kafka on it: a message goes to a leader, which stores it and sends it on
 * at once; followers store it and say so; once all have, the leader sends it back. The first four bytes count.
 */
export async function sendAlongChain(channel: RTCDataChannel, options: ChainOptions): Promise<number[]> {
  const { count, messageBytes, everyMs } = options;
  const message = new DataView(crypto.getRandomValues(new Uint8Array(messageBytes)).buffer);
  const sentAtMs: number[] = [];
  const took: number[] = [];
  return await new Promise((resolve, reject) => {
    channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
      const isNext = indexOf(data) === took.length && data.byteLength === messageBytes;
      if (!isNext) return reject(new Error(`message ${took.length} came back damaged or out of turn`));
      took.push(performance.now() - sentAtMs[took.length]!);
      if (took.length === count) resolve(took);
    };
    const startMs = performance.now();
    const sendDue = () => {
      while (sentAtMs.length < count && performance.now() - startMs >= sentAtMs.length * everyMs) {
        message.setUint32(0, sentAtMs.length);
        sentAtMs.push(performance.now());
        channel.send(message);
      }
      if (sentAtMs.length < count) setTimeout(sendDue, 1);
    };
    sendDue();
  });
}

/** What `client` sends is stored, sent on, and sent back once it is stored here and with all followers. */
export function leadChain(client: RTCDataChannel, followers: readonly RTCDataChannel[]): void {
  const storedBy = new Map<RTCDataChannel | "here", number>([["here", -1]]);
  const waiting: ArrayBuffer[] = [];
  const stored = (where: RTCDataChannel | "here", index: number) => {
    storedBy.set(where, index);
    const everywhere = Math.min(...storedBy.values());
    while (waiting[0] !== undefined && indexOf(waiting[0]) <= everywhere) client.send(waiting.shift()!);
  };
  const rows = new GroupedRows((index) => stored("here", index));
  for (const follower of followers) {
    storedBy.set(follower, -1);
    follower.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => stored(follower, indexOf(data));
  }
  client.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    waiting.push(data);
    for (const follower of followers) follower.send(data);
    rows.add(data);
  };
}

/** What `leader` sends is stored, and the number of the last one sent back. */
export function followChain(leader: RTCDataChannel): void {
  const answer = new DataView(new ArrayBuffer(4));
  const rows = new GroupedRows((index) => {
    answer.setUint32(0, index);
    leader.send(answer);
  });
  leader.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => rows.add(data);
}

/** Group commits: one strict transaction at a time, and what comes meanwhile is one row of the next. */
class GroupedRows {
  readonly #database = openRows("chain-rows");
  readonly #stored: (lastIndex: number) => void;
  #waiting: ArrayBuffer[] = [];
  #writing = false;

  /** `stored` hears of the last message of each transaction. */
  constructor(stored: (lastIndex: number) => void) {
    this.#stored = stored;
  }

  add(message: ArrayBuffer): void {
    this.#waiting.push(message);
    if (!this.#writing) void this.#write();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    const database = await this.#database;
    while (this.#waiting.length > 0) {
      const messages = this.#waiting;
      this.#waiting = [];
      const lastIndex = indexOf(messages.at(-1)!);
      const transaction = database.transaction("rows", "readwrite", { durability: "strict" });
      transaction.objectStore("rows").put(joined(messages), lastIndex);
      transaction.commit();
      await settled(transaction, "complete");
      this.#stored(lastIndex);
    }
    this.#writing = false;
  }
}

function joined(messages: readonly ArrayBuffer[]): Uint8Array {
  const row = new Uint8Array(messages.reduce((bytes, { byteLength }) => bytes + byteLength, 0));
  let at = 0;
  for (const message of messages) {
    row.set(new Uint8Array(message), at);
    at += message.byteLength;
  }
  return row;
}

function indexOf(message: ArrayBuffer): number {
  return new DataView(message).getUint32(0);
}
