import type { HistoryEvent } from "../history/history.ts";
import type { JournalEntry } from "./group-journal.ts";

/** What one member processed of one partition, from being given it to losing it. */
interface Stint {
  readonly process: string;
  readonly firstMs: number;
  lastMs: number;
  readonly offsets: number[];
}

export interface Expected {
  /** The end of each partition: everything below has to be processed. */
  readonly ends: ReadonlyMap<string, number>;
  /** Whether what the member processed may be processed again by the next: it had no chance to commit. */
  readonly mayRepeat: (process: string) => boolean;
}

/**
 * What is wrong with the work of a group: every record is processed, in order, by one member at a time, and once, but
 * for what a member did that could not commit it.
 */
export function judgeGroup(entries: readonly JournalEntry[], { ends, mayRepeat }: Expected): string[] {
  const problems: string[] = [];
  const stints = stintsOf(entries);
  for (const [partition, end] of ends) {
    let next = 0;
    let previous: Stint | undefined;
    for (const stint of (stints.get(partition) ?? []).toSorted((a, b) => a.firstMs - b.firstMs)) {
      const { process, offsets } = stint;
      const first = offsets[0] ?? next;
      const who = `${process}, after ${previous?.process ?? "nobody"},`;
      if (first > next) problems.push(`${partition}: ${who} began at ${first} instead of ${next}`);
      if (first < next && previous !== undefined && !mayRepeat(previous.process)) {
        problems.push(`${partition}: ${who} processed ${first} to ${next - 1} again`);
      }
      if (previous !== undefined && stint.firstMs < previous.lastMs) {
        problems.push(`${partition}: ${who} read while ${previous.process} still did`);
      }
      offsets.forEach((offset, index) => {
        if (offset !== first + index) problems.push(`${partition}: ${process} took ${offset} for ${first + index}`);
      });
      next = Math.max(next, (offsets.at(-1) ?? -1) + 1);
      if (previous === undefined || stint.lastMs >= previous.lastMs) previous = stint;
    }
    if (next < end) problems.push(`${partition}: nobody processed ${next} to ${end - 1}`);
  }
  return problems;
}

/** The members' part of a history. */
export function historyOf(entries: readonly JournalEntry[]): HistoryEvent[] {
  const history: HistoryEvent[] = [];
  const owned = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const { process } = entry;
    const before = owned.get(process);
    if (before === undefined) history.push({ f: "subscribe", type: "ok", process });
    owned.set(process, before ?? []);
    if (entry.type === "assigned") {
      history.push({ f: "rebalance", type: "ok", process, partitions: changed(entry, before ?? []) });
      owned.set(process, entry.partitions);
    } else {
      const { partition, atMs: timeMs } = entry;
      const poll = { f: "poll", type: "ok", process, partition, timeMs } as const;
      for (const record of entry.records) history.push({ ...poll, ...record });
    }
  }
  return history;
}

function stintsOf(entries: readonly JournalEntry[]): Map<string, Stint[]> {
  const all = new Map<string, Stint[]>();
  const open = new Map<string, Stint>();
  const owned = new Map<string, readonly string[]>();
  for (const entry of entries) {
    const { process, atMs } = entry;
    if (entry.type === "assigned") {
      for (const partition of changed(entry, owned.get(process) ?? [])) open.delete(`${process}/${partition}`);
      owned.set(process, entry.partitions);
      continue;
    }
    const { partition, records } = entry;
    const name = `${process}/${partition}`;
    let stint = open.get(name);
    if (stint === undefined) {
      stint = { process, firstMs: atMs, lastMs: atMs, offsets: [] };
      open.set(name, stint);
      all.set(partition, [...(all.get(partition) ?? []), stint]);
    }
    stint.lastMs = atMs;
    stint.offsets.push(...records.map(({ offset }) => offset));
  }
  return all;
}

/** Partitions that an assignment gives or takes away, or gives anew. */
function changed(entry: JournalEntry & { type: "assigned" }, before: readonly string[]): string[] {
  const { isSame, keeps, partitions } = entry;
  const all = [...new Set([...before, ...partitions])];
  if (!keeps || !isSame) return all;
  return all.filter((partition) => before.includes(partition) !== partitions.includes(partition));
}
