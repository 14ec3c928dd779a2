import { count, perSecond } from "../../inspector/figures.ts";
import type { GroupView } from "../../inspector/group-view.ts";
import type { Figure } from "../../inspector/number-strip.ts";
import type { GroupHistory } from "./group-history.ts";

const RATE_OVER_MS = 3000;

interface Sample {
  readonly atMs: number;
  readonly head: number;
  readonly committed: number;
}

/** The numbers next to the picture of a group. */
export class GroupFigures {
  #samples: Sample[] = [];

  note(view: GroupView, nowMs: number): void {
    const sample = { atMs: nowMs, head: sumOf(view, "head"), committed: sumOf(view, "committed") };
    this.#samples = [...this.#samples.filter(({ atMs }) => atMs > nowMs - RATE_OVER_MS), sample];
  }

  list(view: GroupView, history: GroupHistory): readonly Figure[] {
    const lag = sumOf(view, "lag");
    const partitions = view.topics.flatMap((topic) => topic.partitions);
    const unread = partitions.filter(({ hold }) => hold !== "read").length;
    return [
      {
        name: "Lag",
        value: partitions.some((partition) => partition.lag !== undefined) ? count(lag) : "–",
        meaning: "Records written to the partitions and not yet committed by the group",
        testId: "total-lag",
      },
      {
        name: "Written/s",
        value: perSecond(this.#rate("head")),
        meaning: "Records per second that the partitions gained, by whomever",
        testId: "written-rate",
      },
      {
        name: "Committed/s",
        value: perSecond(this.#rate("committed")),
        meaning: "Records per second that the group has processed and committed",
      },
      {
        name: "Partitions read",
        value: partitions.length === 0 ? "–" : `${partitions.length - unread} of ${partitions.length}`,
        meaning: "Partitions that have a live reader now",
        testId: "partitions-read",
      },
      {
        name: "Readers",
        value: count(view.readers.length),
        meaning: "Members of the group, and readers of this page that are about to be",
        testId: "reader-count",
      },
      {
        name: "Rebalances",
        value: count(history.rebalanceCount),
        meaning: "Seen by this page; the newest are listed below",
        testId: "rebalance-count",
      },
    ];
  }

  #rate(of: "head" | "committed"): number {
    const [first, last] = [this.#samples[0], this.#samples.at(-1)];
    if (first === undefined || last === undefined || last.atMs - first.atMs < RATE_OVER_MS / 3) return 0;
    return Math.max(0, ((last[of] - first[of]) * 1000) / (last.atMs - first.atMs));
  }
}

function sumOf(view: GroupView, of: "head" | "committed" | "lag"): number {
  const partitions = view.topics.flatMap((topic) => topic.partitions);
  return partitions.reduce((sum, partition) => sum + Math.max(0, partition[of] ?? 0), 0);
}
