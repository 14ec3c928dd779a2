import type { Findings } from "./findings.ts";
import { Grouped } from "./grouped.ts";
import type { InternedHistory } from "./interned-history.ts";
import { FAILED } from "./outcome.ts";
import type { PartitionOrder } from "./partition-order.ts";
import type { ReadingOrder } from "./reading-order.ts";

/** What a consumer went through without being told to be elsewhere: every place from `low` to `high` was before it. */
interface Stretch {
  readonly partition: number;
  readonly low: number;
  readonly high: number;
  readonly lastPoll: number;
}

/** Whoever reads a part of a transaction and passes by the place of another part reads that one too. */
export function checkTorn(
  history: InternedHistory,
  order: PartitionOrder,
  { previous }: ReadingOrder,
  findings: Findings,
): void {
  const { transactions, sends, polls, processes, fate, trimmedTo } = history;
  if (transactions.count === 0) return;
  const partsOf = new Grouped(sends.operation, sends.count, transactions.operations.count);
  const pollsOf = new Grouped(polls.process, polls.count, processes.count);
  const lows = new Int32Array(polls.count);
  const highs = new Int32Array(polls.count);
  const isFollowed = new Uint8Array(polls.count);
  /** By value and by operation: the process, counted from 1, that read it or was asked about it last. */
  const readBy = new Int32Array(sends.count);
  const askedFor = new Int32Array(transactions.operations.count);

  const stretchesOf = (mine: Int32Array): Stretch[] => {
    for (const poll of mine) {
      const last = previous[poll]!;
      const place = order.placeOfPoll(poll);
      lows[poll] = last === -1 ? place : lows[last]!;
      highs[poll] = last === -1 ? place : Math.max(place, highs[last]!);
      if (last !== -1) isFollowed[last] = 1;
    }
    const ends = mine.filter((poll) => isFollowed[poll] === 0 && polls.isUncommitted[poll] === 0);
    return [...ends].map((poll) => {
      return { partition: polls.partition[poll]!, low: lows[poll]!, high: highs[poll]!, lastPoll: poll };
    });
  };
  const checkParts = (process: number, operation: number, poll: number, stretches: readonly Stretch[]) => {
    for (const part of partsOf.of(operation)) {
      const place = order.place[part]!;
      const partition = sends.partition[part]!;
      if (place === -1 || readBy[part] === process + 1 || fate[part] === FAILED) continue;
      if (order.offset[part]! < trimmedTo[partition]!) continue;
      const stretch = stretches.find((one) => one.partition === partition && one.low <= place && place <= one.high);
      if (stretch === undefined) continue;
      const evidence = () =>
        `${history.reader(poll)} read ${history.describePoll(poll)} of transaction ` +
        `${transactions.operations.name(operation)}, but not ${sends.name(part)} at offset ${order.offset[part]} of ` +
        `${sends.partitionName(part)}, which it passed on its way to ${history.describePoll(stretch.lastPoll)}`;
      const isSubscribed = polls.isSubscribed[stretch.lastPoll] === 1;
      findings.add("torn", sends.partitionName(part), evidence, { consumers: isSubscribed ? "subscribe" : "assign" });
    }
  };
  for (let process = 0; process < processes.count; process++) {
    const mine = pollsOf.of(process);
    if (mine.length === 0) continue;
    for (const poll of mine) readBy[polls.value[poll]!] = process + 1;
    const stretches = stretchesOf(mine);
    for (const poll of mine) {
      const operation = sends.operation[polls.value[poll]!]!;
      if (operation === -1 || !transactions.isTransaction(operation)) continue;
      if (polls.isUncommitted[poll] === 1 || askedFor[operation] === process + 1) continue;
      askedFor[operation] = process + 1;
      checkParts(process, operation, poll, stretches);
    }
  }
}
