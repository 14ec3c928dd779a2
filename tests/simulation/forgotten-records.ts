import type { HistoryEvent } from "../history/history.ts";

/**
 * The history without records that a producer sent again after retention had removed the first copy. A replica that
 * started anew behind that copy cannot know it (R16), and takes the second one for new, as Kafka's would: retention that
 * is shorter than a producer's patience gives up its promise to store each record once.
 */
export function withoutForgotten(history: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (!history.some(({ f }) => f === "trim")) return history;
  const trimmedTo = new Map<string, number>();
  const firstOffsets = new Map<string, number>();
  const forgotten = new Set<string>();
  for (const event of history) {
    if (event.f === "trim") trimmedTo.set(event.partition, event.offset);
    if ((event.f !== "poll" && event.f !== "send") || event.offset === undefined) continue;
    const { value, offset, partition } = event;
    const first = Math.min(offset, firstOffsets.get(value) ?? offset);
    const last = Math.max(offset, firstOffsets.get(value) ?? offset);
    firstOffsets.set(value, first);
    if (first < last && first < (trimmedTo.get(partition) ?? 0)) forgotten.add(value);
  }
  if (forgotten.size === 0) return history;
  return history.filter((event) => !("value" in event) || !forgotten.has(event.value));
}
