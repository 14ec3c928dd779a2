import { once } from "node:events";
import { createServer } from "node:http";
import type { Server } from "node:http";
import type { AddressInfo } from "node:net";

/** What a member notes. Times are milliseconds since 1970, of the clock that all processes of a machine share. */
export type JournalEntry = {
  readonly process: string;
  /** Whether the member keeps, through a rebalance, what it is assigned again. */
  readonly keeps: boolean;
  /** Its own entries, counted from 0. */
  readonly entry: number;
  readonly atMs: number;
} & (
  | { readonly type: "processed"; readonly partition: string; readonly records: readonly JournalRecord[] }
  | {
      readonly type: "assigned";
      readonly partitions: readonly string[];
      /** False for a member that was forgotten, and has joined anew. */
      readonly isSame: boolean;
    }
);

export interface JournalRecord {
  readonly offset: number;
  readonly value: string;
  readonly content: string;
}

/** Outlives the pages whose members write into it. */
export class GroupJournal {
  readonly #server: Server;
  readonly #entries: JournalEntry[] = [];

  private constructor() {
    this.#server = createServer((request, response) => {
      let body = "";
      request.setEncoding("utf8");
      request.on("data", (chunk: string) => void (body += chunk));
      request.on("end", () => {
        this.#entries.push(JSON.parse(body) as JournalEntry);
        response.writeHead(204).end();
      });
    });
  }

  static async start(): Promise<GroupJournal> {
    const journal = new GroupJournal();
    journal.#server.listen(0, "127.0.0.1");
    await once(journal.#server, "listening");
    return journal;
  }

  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}/`;
  }

  /** In the order of each member's own doing. */
  entries(): JournalEntry[] {
    return this.#entries.toSorted((a, b) => a.process.localeCompare(b.process) || a.entry - b.entry);
  }

  /** Which entries have not arrived although a later one of the same member has. */
  missing(): string[] {
    const entries = this.entries();
    return entries.flatMap(({ process, entry }, index) => {
      const previous = entries[index - 1];
      const due = previous?.process === process ? previous.entry + 1 : 0;
      return entry === due ? [] : [`${process} ${due} to ${entry - 1}`];
    });
  }

  /** How far the group has got: behind the last record of each partition that anybody processed. */
  processed(): Map<string, number> {
    const ends = new Map<string, number>();
    for (const entry of this.#entries) {
      if (entry.type !== "processed") continue;
      const end = (entry.records.at(-1)?.offset ?? -1) + 1;
      ends.set(entry.partition, Math.max(end, ends.get(entry.partition) ?? 0));
    }
    return ends;
  }

  /** When others than `process` first processed a record of the partition after `fromMs`; Infinity if nobody did. */
  firstOfOthers(partition: string, process: string, fromMs: number): number {
    const times = this.#entries
      .filter((entry) => entry.type === "processed" && entry.partition === partition)
      .filter((entry) => entry.process !== process && entry.atMs > fromMs)
      .map(({ atMs }) => atMs);
    return Math.min(...times);
  }

  close(): void {
    this.#server.closeAllConnections();
    this.#server.close();
  }
}
