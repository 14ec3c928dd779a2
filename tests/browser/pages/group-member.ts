import { PartitionAssigners } from "../../../src/index.ts";
import type { EachBatchPayload, Kafka } from "../../../src/index.ts";
import type { JournalEntry } from "../group-journal.ts";
import { contentOf, nameOf } from "./record-content.ts";

export interface MemberOptions {
  /** Names the member in the history. A page that comes back under a new name is a new member. */
  readonly process: string;
  readonly groupId: string;
  readonly topic: string;
  /** An assignor of the classic protocol, or `consumer`, with which the coordinator assigns (KIP-848). */
  readonly sharing: "roundRobin" | "cooperativeSticky" | "consumer";
  /** Of a classic member. */
  readonly sessionTimeoutMs: number;
  /** How often to commit what was processed; without it, after each batch. */
  readonly commitIntervalMs?: number;
  /** Where to note what was processed; without one only {@link MemberState} tells. */
  readonly journal?: string;
}

export interface MemberState {
  readonly process: string;
  readonly memberId: string;
  /** What it was assigned last. */
  readonly partitions: readonly number[];
  /** When it was, in milliseconds since 1970; undefined while it is joining. */
  readonly assignedAtMs: number | undefined;
  readonly errors: readonly string[];
}

/**
 * A member of a group. Processing a record is noting it in the journal, which takes no time: a fetch with `keepalive`
 * is on its way when the call returns, whatever becomes of the page.
 */
export class GroupMember {
  readonly #options: MemberOptions;
  readonly #consumer: ReturnType<Kafka["consumer"]>;
  readonly #errors: string[] = [];
  readonly #readAtMs: Record<number, number[]> = {};
  #memberId = "";
  #partitions: readonly number[] = [];
  #assignedAtMs: number | undefined;
  #entries = 0;
  #delayMs = 0;

  constructor(kafka: Kafka, options: MemberOptions) {
    const { groupId, sessionTimeoutMs: sessionTimeout, topic, sharing } = options;
    this.#options = options;
    this.#consumer = kafka.consumer(
      sharing === "consumer"
        ? { groupId, groupProtocol: sharing }
        : { groupId, sessionTimeout, partitionAssigners: [PartitionAssigners[sharing]] },
    );
    const { GROUP_JOIN, REBALANCING, CRASH } = this.#consumer.events;
    this.#consumer.on<GroupJoin>(GROUP_JOIN, ({ payload }) =>
      this.#onAssigned(payload.memberId, payload.memberAssignment[topic] ?? []),
    );
    this.#consumer.on(REBALANCING, () => (this.#assignedAtMs = undefined));
    this.#consumer.on<{ error: Error }>(CRASH, ({ payload }) => void this.#errors.push(String(payload.error)));
  }

  async start(): Promise<void> {
    const { commitIntervalMs = null, topic } = this.#options;
    await this.#consumer.connect();
    await this.#consumer.subscribe({ topics: [topic], fromBeginning: true });
    const running = this.#consumer.run({
      partitionsConsumedConcurrently: 3,
      eachBatchAutoResolve: false,
      autoCommitInterval: commitIntervalMs,
      eachBatch: (payload) => this.#process(payload),
    });
    running.catch((error: unknown) => void this.#errors.push(String(error)));
  }

  async stop(): Promise<void> {
    await this.#consumer.disconnect();
    this.#partitions = [];
  }

  /** When each record was processed, by partition. */
  get readAtMs(): Readonly<Record<number, readonly number[]>> {
    return this.#readAtMs;
  }

  /** Has the next batch take so long after its records were processed. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  state(): MemberState {
    return {
      process: this.#options.process,
      memberId: this.#memberId,
      partitions: this.#partitions,
      assignedAtMs: this.#assignedAtMs,
      errors: this.#errors,
    };
  }

  async #process({ batch, resolveOffset, isStale }: EachBatchPayload): Promise<void> {
    if (isStale()) return;
    const { topic, partition } = batch;
    const atMs = Date.now();
    const times = (this.#readAtMs[partition] ??= []);
    const records = batch.messages.map(({ key, value, headers, offset }) => {
      const nonce = headers?.["nonce"] instanceof Uint8Array ? headers["nonce"] : null;
      const record = { key, value, nonce };
      times.push(atMs);
      resolveOffset(offset);
      return { offset: Number(offset), value: nameOf(record), content: contentOf(record) };
    });
    if (records.length > 0) this.#note({ type: "processed", partition: `${topic}-${partition}`, records, atMs });
    const delayMs = this.#delayMs;
    this.#delayMs = 0;
    if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
  }

  #onAssigned(memberId: string, partitions: readonly number[]): void {
    const { topic } = this.#options;
    const isSame = this.#memberId === memberId;
    this.#memberId = memberId;
    this.#partitions = partitions;
    this.#assignedAtMs = Date.now();
    const names = partitions.map((partition) => `${topic}-${partition}`);
    this.#note({ type: "assigned", partitions: names, isSame, atMs: this.#assignedAtMs });
  }

  #note(what: Noted): void {
    const { process, journal, sharing } = this.#options;
    if (journal === undefined) return;
    const keeps = sharing !== "roundRobin";
    const entry: JournalEntry = { process, keeps, entry: this.#entries++, ...what };
    const body = JSON.stringify(entry);
    const post = (keepalive: boolean) => fetch(journal, { method: "POST", mode: "no-cors", keepalive, body });
    // The browser takes 64 KiB at a time of what may outlive its page.
    post(true).catch(() => post(false)).catch((error: unknown) => void this.#errors.push(String(error)));
  }
}

interface GroupJoin {
  readonly memberId: string;
  readonly memberAssignment: Readonly<Record<string, readonly number[]>>;
}

type Noted = JournalEntry extends infer Entry
  ? Entry extends JournalEntry
    ? Omit<Entry, "process" | "keeps" | "entry">
    : never
  : never;
