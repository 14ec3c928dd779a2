import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";
import type { ReadingOrder } from "./reading-order.ts";

/** A consumer reads each partition without a gap and without a step back, within an operation and beyond. */
export function checkPollOrder(
  history: InternedHistory,
  order: PartitionOrder,
  { previous, isInternal, trimmedTo }: ReadingOrder,
  findings: Findings,
): void {
  const { polls, partitions, isHidden } = history;
  for (let poll = 0; poll < polls.count; poll++) {
    const last = previous[poll]!;
    if (last === -1) continue;
    const partition = polls.partition[poll]!;
    const isForward = polls.offset[poll]! > polls.offset[last]!;
    let from = order.placeOfPoll(last) + (isHidden[last] === 1 ? 0 : 1);
    const trim = trimmedTo?.[poll] ?? 0;
    if (trim > 0) from = Math.max(from, order.placeFrom(partition, trim));
    const passed = order.placeOfPoll(poll) - from;
    if (isForward && passed <= 0) continue;
    const kind = isInternal[poll] === 1 ? "int-" : "";
    const circumstances = polls.isSubscribed[poll] === 1 ? ({ consumers: "subscribe" } as const) : {};
    const evidence = () => {
      const after = history.describePoll(last);
      const step = `${history.reader(poll)} read ${history.describePoll(poll)} next after ${after}`;
      return isForward ? `${step}, passing over ${passed}, first ${describePlace(history, order, from)}` : step;
    };
    const anomaly = isForward ? (`${kind}poll-skip` as const) : (`${kind}nonmonotonic-poll` as const);
    findings.add(anomaly, partitions.name(partition), evidence, circumstances);
  }
}

function describePlace({ sends }: InternedHistory, order: PartitionOrder, place: number): string {
  return `${sends.name(order.valueAt[place]!)} at offset ${order.offsetAt(place)}`;
}
