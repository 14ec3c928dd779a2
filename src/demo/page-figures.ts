import { count, milliseconds, perSecond } from "../inspector/figures.ts";
import type { Figure } from "../inspector/number-strip.ts";
import type { Observations } from "./observations.ts";
import type { Session } from "./session.ts";

/** The numbers beside the picture of the cluster: what this page sent, and what became of it. */
export function pageFigures(session: Session, observations: Observations): readonly Figure[] {
  const { acknowledged, readBack, lost } = session.ledger.counts;
  return [
    {
      name: "Acknowledged",
      value: count(session.acknowledged),
      meaning: "Records of this page that the leader, or all in-sync copies, have acknowledged",
      testId: "acked-count",
    },
    {
      name: "and read back",
      value: count(readBack),
      meaning: `Of the ${count(acknowledged)} that all in-sync copies acknowledged: read at their offset, unchanged`,
      testId: "read-back-count",
    },
    {
      name: "and lost",
      value: count(lost),
      meaning: "Acknowledged by all in-sync copies, and not there when read back. Must stay 0",
      tone: lost === 0 ? "good" : "bad",
      testId: "lost-count",
    },
    {
      name: "Records/s here",
      value: perSecond(observations.rate),
      meaning: "Records per second written to this tab's copies",
      testId: "records-per-second",
    },
    {
      name: "Produce p50",
      value: milliseconds(session.latencies.percentile(0.5)),
      meaning: "Half of this page's newest 1,000 records were acknowledged within this time",
    },
    {
      name: "Produce p99",
      value: milliseconds(session.latencies.percentile(0.99)),
      meaning: "99 of 100 of this page's newest 1,000 records were acknowledged within this time",
    },
    {
      name: "Failover gap",
      value: milliseconds(session.failover.longestMs),
      meaning: "The longest time without an acknowledgement, while one was waited for, around a change of leaders",
      testId: "failover-gap",
    },
  ];
}
