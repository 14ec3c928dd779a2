import type { HistoryEvent, PollEvent } from "./history.ts";

/** Uniform integers in [0, limit), the same ones for the same seed (mulberry32). */
export function randomIntegers(seed: number): (limit: number) => number {
  let state = seed >>> 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % limit;
  };
}

/** Two of everything is the least that lets them be confused. */
const PARTITIONS = ["t-0", "t-1"];
const CONSUMERS = ["c", "d"];
const PRODUCERS = ["a", "b"];

/**
 * A legal history of a tiny correct cluster: producers whose sends are acknowledged late, lost, or fail; consumers that
 * read on, or seek to the beginning; offsets with holes; and a final reader that reads everything.
 */
export function randomHistory(seed: number, steps: number): HistoryEvent[] {
  const random = randomIntegers(seed);
  const history: HistoryEvent[] = [];
  const logs = new Map(PARTITIONS.map((partition) => [partition, [] as PollEvent[]]));
  const positions = new Map<string, number>();
  const late: HistoryEvent[] = [];

  const sendOne = (step: number) => {
    const process = PRODUCERS[random(PRODUCERS.length)] as string;
    const partition = PARTITIONS[random(PARTITIONS.length)] as string;
    const log = logs.get(partition) as PollEvent[];
    const value = `${process}${step}`;
    const content = `bytes of ${value}`;
    const send = { f: "send", process, partition, value } as const;
    history.push({ ...send, type: "invoke", content });
    const fate = random(10);
    if (fate === 0) return void history.push({ ...send, type: "fail" });
    if (fate === 1) return void history.push({ ...send, type: "info" });
    const offset = (log.at(-1)?.offset ?? -1) + 1 + (random(8) === 0 ? 1 : 0);
    log.push({ f: "poll", type: "ok", process: "", partition, offset, value, content });
    if (fate === 2) late.push({ ...send, type: "info" });
    else if (fate < 6) late.push({ ...send, type: "ok", offset });
    else history.push({ ...send, type: "ok", offset });
  };
  const pollOne = (process: string, partition: string) => {
    const key = `${process} ${partition}`;
    const position = positions.get(key) ?? 0;
    const record = logs.get(partition)?.[position];
    if (record === undefined) return false;
    positions.set(key, position + 1);
    history.push({ ...record, process });
    return true;
  };
  const seekToBeginning = (process: string) => {
    history.push({ f: "assign", type: "ok", process });
    for (const partition of PARTITIONS) positions.delete(`${process} ${partition}`);
  };

  for (let step = 0; step < steps; step++) {
    const choice = random(20);
    const consumer = CONSUMERS[random(CONSUMERS.length)] as string;
    if (choice < 8) sendOne(step);
    else if (choice < 16) pollOne(consumer, PARTITIONS[random(PARTITIONS.length)] as string);
    else if (choice < 17) seekToBeginning(consumer);
    else history.push(...late.splice(0, 1));
  }
  history.push(...late);
  for (const partition of PARTITIONS) while (pollOne("final", partition));
  return history;
}
