import { setTimeout as sleep } from "node:timers/promises";
import type { CodecName } from "../../src/protocol/record-batch.ts";
import type { ClientProgram, Start } from "./client-program.ts";
import type { KafkaCluster } from "./kafka-cluster.ts";
import { RunningProgram, run } from "./running-program.ts";
import { describeTopic, readTopic } from "./stored-log.ts";

export const abilities = [
  "create", "none", "gzip", "snappy", "lz4", "zstd", "beginning", "timestamp", "group", "resume", "tab dies",
] as const;
export type Ability = (typeof abilities)[number];

/** Whether a client can do a thing here, or why it failed; undefined for what the client does not offer. */
export type Outcome = "yes" | Error | undefined;
export type Row = ReadonlyMap<Ability, Outcome>;

const RECORDS = 24;
const KEYS = 6;
const TIMEOUT_MS = 40_000;
/** For records that should not come. */
const QUIET_MS = 300;

/** Has a client do everything it can with a topic of its own, which ends with the death of the tab that leads it. */
export async function matrixRow(cluster: KafkaCluster, client: ClientProgram): Promise<Row> {
  const row = new Map<Ability, Outcome>();
  const trial = new ClientTrial(cluster, client);
  const attempt = async (ability: Ability, does: (() => Promise<void>) | undefined) => {
    try {
      await does?.();
      row.set(ability, does && "yes");
    } catch (error) {
      row.set(ability, error as Error);
    }
  };
  await attempt("create", client.createTopic && (() => trial.createTopic()));
  for (const codec of ["none", "gzip", "snappy", "lz4", "zstd"] as const) {
    await attempt(codec, client.codecs.includes(codec) ? () => trial.produceWith(codec) : undefined);
  }
  await attempt("beginning", () => trial.readsAll({ from: "beginning" }));
  const byTime = client.consume("", "", { from: "timestamp", timestamp: 0 }) !== undefined;
  await attempt("timestamp", byTime ? () => trial.readsFromTimestamp() : undefined);
  await attempt("group", () => trial.readsAll({ from: "group", group: trial.group }));
  await attempt("resume", () => trial.resumes());
  await attempt("tab dies", () => trial.outlivesTab());
  return row;
}

class ClientTrial {
  readonly topic: string;
  readonly group: string;
  readonly #cluster: KafkaCluster;
  readonly #client: ClientProgram;
  /** The lines that the topic should hold. */
  readonly #produced: string[] = [];

  constructor(cluster: KafkaCluster, client: ClientProgram) {
    const name = client.name.toLowerCase().replace(/[^a-z0-9]+/g, "-");
    this.topic = `matrix-${name}`;
    this.group = `group-${name}`;
    this.#cluster = cluster;
    this.#client = client;
  }

  async createTopic(): Promise<void> {
    const { createTopic, env = {} } = this.#client;
    await run(createTopic!(this.#cluster.bootstrap, this.topic), { env });
    await this.#untilInSync();
  }

  async produceWith(codec: CodecName): Promise<void> {
    const lines = keyedLines(codec, RECORDS);
    await this.#produce(lines, codec);
    const stored = await readTopic(this.#cluster.bootstrap, this.topic);
    expectSame(stored.map(({ line }) => line), this.#produced, "the topic holds");
    const wrong = stored.find((record) => record.line.includes(`${codec}-`) && record.codec !== codec);
    if (wrong !== undefined) throw new Error(`a record sent with ${codec} is stored with ${wrong.codec}`);
    const partitions = new Map(stored.map(({ line, partition }) => [line, partition]));
    for (const [first, second] of lines.map((line, index) => [line, lines[index + KEYS]] as const)) {
      if (second !== undefined && partitions.get(first) !== partitions.get(second)) {
        throw new Error(`records of one key are in partitions ${partitions.get(first)} and ${partitions.get(second)}`);
      }
    }
  }

  async readsAll(start: Start): Promise<void> {
    await this.#reads(start, this.#produced);
  }

  async readsFromTimestamp(): Promise<void> {
    await sleep(50);
    const timestamp = Date.now();
    await sleep(50);
    const late = keyedLines("late", RECORDS);
    await this.#produce(late);
    await this.#reads({ from: "timestamp", timestamp }, late);
  }

  async resumes(): Promise<void> {
    const later = keyedLines("later", RECORDS);
    await this.#produce(later);
    await this.#reads({ from: "group", group: this.group }, later);
  }

  /** A producer and a consumer are at work while the leader dies. */
  async outlivesTab(): Promise<void> {
    const { bootstrap } = this.#cluster;
    const already = this.#produced.length;
    const consumer = this.#consume({ from: "group", group: `${this.group}-2` });
    const producer = this.#start(this.#client.produce(bootstrap, this.topic, "none"));
    try {
      const early = keyedLines("early", RECORDS);
      producer.write(early);
      // kcat takes what comes in by the kilobyte, so that it sits on the last lines for a while.
      await consumer.untilLines(already + early.length / 2, TIMEOUT_MS);
      const { partitions } = await describeTopic(bootstrap, this.topic);
      await this.#cluster.kill(partitions[0]!.leaderId);
      const last = keyedLines("last", RECORDS);
      producer.write(last);
      this.#produced.push(...early, ...last);
      await producer.finish(TIMEOUT_MS);
      const missing = () => this.#produced.filter((line) => !consumer.lines.includes(line));
      for (const endMs = Date.now() + TIMEOUT_MS; missing().length > 0; await sleep(50)) {
        consumer.expectRunning();
        if (Date.now() > endMs) throw new Error(`the consumer never saw ${brief(missing())}`);
      }
      await consumer.stop();
    } finally {
      await Promise.all([producer.kill(), consumer.kill(), this.#cluster.revive()]);
      await this.#untilInSync();
    }
    const stored = (await readTopic(bootstrap, this.topic)).map(({ line }) => line);
    if (this.#client.idempotent) expectSame(stored, this.#produced, "the topic holds");
    else expectSame([...new Set(stored)], this.#produced, "but for repetitions the topic holds");
  }

  async #produce(lines: readonly string[], codec: CodecName = "none"): Promise<void> {
    const producer = this.#start(this.#client.produce(this.#cluster.bootstrap, this.topic, codec));
    producer.write(lines);
    await producer.finish(TIMEOUT_MS);
    this.#produced.push(...lines);
  }

  /** A consumer that begins there prints these lines and no others, those of a key in their order. */
  async #reads(start: Start, expected: readonly string[]): Promise<void> {
    if (expected.length === 0) throw new Error("nothing was produced that could be read");
    const consumer = this.#consume(start);
    try {
      await consumer.untilLines(expected.length, TIMEOUT_MS);
      await sleep(QUIET_MS);
      await consumer.stop();
    } finally {
      await consumer.kill();
    }
    expectSame(consumer.lines, expected, "the consumer printed");
  }

  #consume(start: Start): RunningProgram {
    return this.#start(this.#client.consume(this.#cluster.bootstrap, this.topic, start)!);
  }

  #start(command: readonly string[]): RunningProgram {
    return new RunningProgram(command, this.#client.env);
  }

  /** Waits until each partition has as many replicas in sync as it shall have. */
  async #untilInSync(): Promise<void> {
    for (const endMs = Date.now() + TIMEOUT_MS; ; await sleep(50)) {
      const { partitions } = await describeTopic(this.#cluster.bootstrap, this.topic);
      const isHealthy = partitions.every(({ leaderId, isrNodes, replicaNodes }) =>
        leaderId >= 0 && isrNodes.length === 3 && replicaNodes.length === 3);
      if (partitions.length > 0 && isHealthy) return;
      if (Date.now() > endMs) throw new Error(`${this.topic} is not in sync: ${JSON.stringify(partitions)}`);
    }
  }
}

function keyedLines(word: string, count: number): string[] {
  const filler = "lorem ipsum ".repeat(20);
  return Array.from({ length: count }, (_, index) => `key-${index % KEYS}\t${word}-${index} ${filler}`);
}

/** The same lines, and those of each key in the same order. */
function expectSame(actual: readonly string[], expected: readonly string[], what: string): void {
  const byKey = (lines: readonly string[]) =>
    Array.from({ length: KEYS }, (_, key) => lines.filter((line) => line.startsWith(`key-${key}\t`)));
  if (actual.length === expected.length) {
    if (JSON.stringify(byKey(actual)) === JSON.stringify(byKey(expected))) return;
  }
  throw new Error(`${what} ${brief(actual)}; expected were ${brief(expected)}`);
}

function brief(lines: readonly string[]): string {
  return `${lines.length} lines: ${lines.map((line) => line.slice(0, 16)).join(", ")}`;
}

/** Rows of clients, columns of abilities, as text. */
export function showMatrix(rows: ReadonlyMap<string, Row | string>): string {
  const width = Math.max(...[...rows.keys()].map((name) => name.length));
  const cell = (outcome: Outcome) => (outcome === undefined ? "–" : outcome === "yes" ? "yes" : "NO");
  const lines = [...rows].map(([name, row]) => {
    const cells = typeof row === "string"
      ? [`skipped: ${row}`]
      : abilities.map((ability) => cell(row.get(ability)).padStart(ability.length));
    return `${name.padEnd(width)}  ${cells.join("  ")}`;
  });
  return [`${"".padEnd(width)}  ${abilities.join("  ")}`, ...lines].join("\n");
}
