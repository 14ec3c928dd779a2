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
const LOOSE = FIRM | INTERLEAVED;

/** From the plainest cycles to those that need a clock; first without the order of what transactions wrote. */
const searches: readonly Search[] = [
  { name: "G1c", mask: READ, through: READ, needed: READ },
  { name: "G1c-process", mask: FIRM | PROCESS, through: PROCESS, needed: PROCESS | READ },
  { name: "G0-process", mask: WRITE | PROCESS, through: PROCESS, needed: PROCESS },
  { name: "G1c-realtime", mask: FIRM | PROCESS | REALTIME, through: REALTIME, needed: REALTIME | READ },
  { name: "G0-realtime", mask: WRITE | PROCESS | REALTIME, through: REALTIME, needed: REALTIME },
  { name: "G0", mask: WRITE | INTERLEAVED, through: INTERLEAVED, needed: INTERLEAVED },
  { name: "G1c", mask: LOOSE, through: INTERLEAVED, needed: INTERLEAVED | READ },
  { name: "G0-process", mask: WRITE | INTERLEAVED | PROCESS, through: PROCESS, needed: PROCESS | INTERLEAVED },
  { name: "G1c-process", mask: LOOSE | PROCESS, through: PROCESS, needed: PROCESS | INTERLEAVED | READ },
  {
    name: "G0-realtime",
    mask: WRITE | INTERLEAVED | PROCESS | REALTIME,
    through: REALTIME,
    needed: REALTIME | INTERLEAVED,
  },
  {
    name: "G1c-realtime",
    mask: LOOSE | PROCESS | REALTIME,
    through: REALTIME,
    needed: REALTIME | INTERLEAVED | READ,
  },
];

/** Nothing happened before itself. */
export function checkCycles(history: InternedHistory, order: PartitionOrder, findings: Findings): void {
  const dependencies = new Dependencies(history, order);
  const { graph } = dependencies;
  if (graph.components(LOOSE | PROCESS | REALTIME).length === 0) return;
  for (const { name, mask, through, needed } of searches) {
    for (const component of graph.components(mask)) {
      const cycle = graph.cycle(component, mask, through, needed);
      if (cycle === undefined) continue;
      const value = cycle.map((edge) => graph.via(edge)).find((via) => via !== -1);
      const partition = value === undefined ? "?" : history.sends.partitionName(value);
      const interleaving = (needed & INTERLEAVED) !== 0;
      findings.add(name, partition, () => describe(dependencies, cycle), { interleaving });
    }
  }
}

function describe(dependencies: Dependencies, cycle: readonly number[]): string {
  const { graph } = dependencies;
  const words: string[] = [];
  const first = cycle.map((edge) => dependencies.describe(graph.from(edge))).find((node) => node !== undefined);
  for (const edge of cycle) {
    const node = dependencies.describe(graph.from(edge));
    if (node !== undefined) words.push(`${node} ${arrow(graph.kind(edge))}`);
  }
  return `${words.join(" ")} ${first ?? "itself"}`;
}

function arrow(kind: number): string {
  if (kind === READ) return "was read in";
  if (kind === PROCESS) return "ended, in its process, before";
  if (kind === REALTIME) return "ended, by the clock, before";
  return "lies before";
}
