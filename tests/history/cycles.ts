import type { AnomalyClass } from "./anomaly.ts";
import { Dependencies, INTERLEAVED, PROCESS, READ, REALTIME, WRITE } from "./dependencies.ts";
import type { Findings } from "./findings.ts";
import type { InternedHistory } from "./interned-history.ts";
import type { PartitionOrder } from "./partition-order.ts";

interface Search {
  readonly name: AnomalyClass;
  /** The kinds of edges that a cycle may have, the one looked for first, and those that it must have. */
  readonly mask: number;
  readonly through: number;
  readonly needed: number;
}

const FIRM = READ | WRITE;
const WRITES = WRITE | INTERLEAVED;
const TIME = PROCESS | REALTIME;

/** From the plainest cycles to those that need a clock. Here the writes of transactions have no order. */
const firm: readonly Search[] = [
  { name: "G1c", mask: READ, through: READ, needed: READ },
  { name: "G1c-process", mask: FIRM | PROCESS, through: PROCESS, needed: PROCESS | READ },
  { name: "G0-process", mask: WRITE | PROCESS, through: PROCESS, needed: PROCESS },
  { name: "G1c-realtime", mask: FIRM | TIME, through: REALTIME, needed: REALTIME | READ },
  { name: "G0-realtime", mask: WRITE | TIME, through: REALTIME, needed: REALTIME },
];

/** Cycles that exist only by the order in which the writes of transactions lie. */
const loose: readonly Search[] = [
  { name: "G0", mask: WRITES, through: INTERLEAVED, needed: INTERLEAVED },
  { name: "G1c", mask: WRITES | READ, through: INTERLEAVED, needed: INTERLEAVED | READ },
  { name: "G0-process", mask: WRITES | PROCESS, through: PROCESS, needed: PROCESS | INTERLEAVED },
  { name: "G1c-process", mask: WRITES | READ | PROCESS, through: PROCESS, needed: PROCESS | INTERLEAVED | READ },
  { name: "G0-realtime", mask: WRITES | TIME, through: REALTIME, needed: REALTIME | INTERLEAVED },
  { name: "G1c-realtime", mask: WRITES | READ | TIME, through: REALTIME, needed: REALTIME | INTERLEAVED | READ },
];

/** Nothing happened before itself. */
export function checkCycles(history: InternedHistory, order: PartitionOrder, findings: Findings): void {
  const dependencies = new Dependencies(history, order);
  const { graph } = dependencies;
  const search = (mask: number, searches: readonly Search[], interleaving: boolean) => {
    if (graph.components(mask).length === 0) return;
    for (const one of searches) {
      for (const component of graph.components(one.mask)) {
        const cycle = graph.cycle(component, one.mask, one.through, one.needed);
        if (cycle === undefined) continue;
        const value = cycle.map((edge) => graph.via(edge)).find((via) => via !== -1);
        const partition = value === undefined ? "?" : history.sends.partitionName(value);
        findings.add(one.name, partition, () => describe(dependencies, cycle), { interleaving });
      }
    }
  };
  search(FIRM | TIME, firm, false);
  if (history.transactions.count > 0) search(WRITES | READ | TIME, loose, true);
}

function describe(dependencies: Dependencies, cycle: readonly number[]): string {
  const { graph } = dependencies;
  const words: string[] = [];
  const first = cycle.map((edge) => dependencies.describe(graph.from(edge))).find((node) => node !== undefined);
  for (const edge of cycle) {
    const node = dependencies.describe(graph.from(edge));
    if (node === undefined) continue;
    const kind = graph.kind(edge);
    words.push(`${node} ${arrow(kind)}`);
    // Which of a transaction's records it was.
    if (kind === INTERLEAVED || kind === READ) words.push(`(${dependencies.describeValue(graph.via(edge))})`);
  }
  return `${words.join(" ")} ${first ?? "itself"}`;
}

function arrow(kind: number): string {
  if (kind === READ) return "was read in";
  if (kind === PROCESS) return "ended, in its process, before";
  if (kind === REALTIME) return "ended, by the clock, before";
  return "lies before";
}
