/** The page of the bench that runs other systems. It is built apart, where those are installed. */
export interface PeersPage {
  /** Milliseconds to publish to a stream in a file and have each message acknowledged. */
  jetStream(options: StreamOptions): Promise<number>;
  /** The same with Durable Streams, of which `url` names the one to make. */
  durableStream(options: Omit<StreamOptions, "stream">): Promise<number>;
  /** Joins a database or document of that kind, and keeps it open. */
  join(kind: SharedKind, options: JoinOptions): Promise<void>;
  /** Adds the records from that index up to that one to what was joined. */
  write(from: number, to: number, recordBytes: number): Promise<void>;
  /**
   * Resolves when all records are here, or with those that are when time is up: the first ones, in order and as they
   * were sent, or it rejects.
   */
  receive(options: ReceiveOptions): Promise<Received>;
}

export type SharedKind = "rxdb" | "yjs" | "trystero";

export interface StreamOptions {
  readonly url: string;
  readonly stream: string;
  readonly records: number;
  readonly recordBytes: number;
}

export interface ReceiveOptions {
  readonly records: number;
  readonly recordBytes: number;
  readonly timeoutMs: number;
}

export interface Received {
  readonly records: number;
  /** When they were here, in milliseconds since 1970. */
  readonly atMs: number;
}

export interface JoinOptions {
  readonly name: string;
  /** Of the server that introduces the pages to each other. */
  readonly signalingUrl: string;
}

/** What is shared between two pages. */
export interface Shared {
  /** The first of the values is the record of index `from`. */
  write(values: readonly string[], from: number): Promise<void>;
  /** How many values are here. */
  count(): Promise<number>;
  /** All that are here, in their order. */
  values(): Promise<readonly string[]>;
}

declare global {
  interface Window {
    peers: PeersPage;
  }
}

const PAUSE_MS = 20;

let shared: Shared | undefined;

window.peers = {
  async jetStream(options) {
    const { publishAll } = await import("./jetstream.ts");
    return await publishAll(options);
  },
  async durableStream(options) {
    const { appendAll } = await import("./durable-streams.ts");
    return await appendAll(options);
  },
  async join(kind, options) {
    if (kind === "rxdb") shared = await (await import("./rxdb.ts")).joinDatabase(options);
    else if (kind === "yjs") shared = await (await import("./yjs.ts")).joinDocument(options);
    else shared = await (await import("./trystero.ts")).joinMessages(options);
  },
  async write(from, to, recordBytes) {
    const values = Array.from({ length: to - from }, (_, index) => valueOf(from + index, recordBytes));
    await shared?.write(values, from);
  },
  async receive({ records, recordBytes, timeoutMs }) {
    if (shared === undefined) throw new Error("nothing was joined");
    const deadlineMs = nowMs() + timeoutMs;
    let count = 0;
    while ((count = await shared.count()) < records && nowMs() < deadlineMs) await pause();
    const atMs = nowMs();
    const values = await shared.values();
    const wrong = values.findIndex((value, index) => value !== valueOf(index, recordBytes));
    if (wrong >= 0) throw new Error(`record ${wrong} is missing, out of turn or damaged`);
    return { records: count, atMs };
  },
};

function pause(): Promise<unknown> {
  return new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
}

/** Text that begins with its index, and that both sides can make. */
function valueOf(index: number, bytes: number): string {
  let state = index + 1;
  let text = `${String(index).padStart(8, "0")} `;
  while (text.length < bytes) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += state.toString(36);
  }
  return text.slice(0, bytes);
}

function nowMs(): number {
  return performance.timeOrigin + performance.now();
}
