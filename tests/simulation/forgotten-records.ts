import type { HistoryEvent } from "../history/history.ts";

/**
 * The history without records that a producer sent again after retention had removed the first copy. A replica that
 * started anew behind that copy cannot know it (R16), and takes the second one for new, as Kafka's would: retention that
 * is shorter than a producer's patience gives up its promise to store each record once.
 */
export function withoutForgotten(
  history: readonly HistoryEvent[],
  trimmedTo: (partition: string) => number,
): readonly HistoryEvent[] {
  const lowest = new Map<string, number>();
  const highest = new Map<string, number>();
  const partitions = new Map<string, string>();
  for (const event of history) {
    if ((event.f !== "poll" && event.f !== "send") || event.offset === undefined) continue;
    const { value, offset, partition } = event;
    partitions.set(value, partition);
    lowest.set(value, Math.min(offset, lowest.get(value) ?? offset));
    highest.set(value, Math.max(offset, highest.get(value) ?? offset));
  }
  const forgotten = new Set<string>();
  for (const [value, partition] of partitions) {
    const start = trimmedTo(partition);
    if (lowest.get(value)! < start && highest.get(value)! >= start) forgotten.add(value);
  }
  if (forgotten.size === 0) return history;
  return history.filter((event) => !("value" in event) || !forgotten.has(event.value));
}
