import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";
import type { ReadingOrder } from "./reading-order.ts";

/**
 * For how long, at most, something newer than a consumer's last record had been known to exist when it asked. This is a
 * lower bound of how far consumers were behind, in milliseconds; undefined when the history has no such times.
 */
export function measureLag(
  history: InternedHistory,
  order: PartitionOrder,
  { previous, idles }: ReadingOrder,
  maxLagMs: number,
  findings: Findings,
): number | undefined {
  const { polls, partitions } = history;
  let knownSince: Float64Array | undefined;
  let worstMs: number | undefined;
  const measure = (lastPoll: number, invokedAtMs: number) => {
    // A record that others do not see has no place among theirs.
    if (history.isHidden[lastPoll] === 1) return;
    knownSince ??= newerKnownSince(history, order);
    const sinceMs = knownSince[order.placeOfPoll(lastPoll)]!;
    const lagMs = Math.max(0, invokedAtMs - sinceMs);
    worstMs = Math.max(worstMs ?? 0, lagMs);
    if (lagMs <= maxLagMs) return;
    const evidence = () =>
      `${history.reader(lastPoll)} asked at ${invokedAtMs} ms and was left at ${history.describePoll(lastPoll)}, ` +
      `though a newer record was known from ${sinceMs} ms on`;
    findings.add("realtime-lag", partitions.name(polls.partition[lastPoll]!), evidence);
  };
  for (const { lastPoll, invokedAtMs } of idles) measure(lastPoll, invokedAtMs);
  /** By poll, 1: another one of the same answer follows. */
  const isContinued = new Uint8Array(polls.count);
  for (let poll = polls.count - 1; poll >= 0; poll--) {
    const { invokedAtMs } = history.poll(poll);
    if (invokedAtMs === undefined) continue;
    const last = previous[poll]!;
    if (last !== -1 && history.poll(last).invokedAtMs === invokedAtMs) isContinued[last] = 1;
    if (isContinued[poll] === 0) measure(poll, invokedAtMs);
  }
  return worstMs;
}

/** By place: since when a record behind it was known, from an acknowledgement or a read; infinite if none was. */
function newerKnownSince(history: InternedHistory, order: PartitionOrder): Float64Array {
  const { sends, polls, partitions, events } = history;
  const knownAt = new Float64Array(order.valueAt.length).fill(Infinity);
  const learn = (value: number, timeMs: number | undefined) => {
    const place = order.place[value]!;
    if (place !== -1 && timeMs !== undefined) knownAt[place] = Math.min(knownAt[place]!, timeMs);
  };
  for (let value = 0; value < sends.count; value++) {
    const event = events[sends.completedAt[value]!];
    if (event?.f === "send") learn(value, event.timeMs);
  }
  for (let poll = 0; poll < polls.count; poll++) learn(polls.value[poll]!, history.poll(poll).timeMs);
  for (let partition = 0; partition < partitions.count; partition++) {
    let since = Infinity;
    for (let place = order.end(partition) - 1; place >= order.start(partition); place--) {
      const own = knownAt[place]!;
      knownAt[place] = since;
      since = Math.min(since, own);
    }
  }
  return knownAt;
}
