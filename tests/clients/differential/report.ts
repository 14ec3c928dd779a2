import { defaultCoordinatorConfig } from "../../../src/coordinator/coordinator-config.ts";
import { ListeningCores } from "../listening-cores.ts";
import { compareBrokers } from "./differential.ts";
import { judge } from "./intended-differences.ts";

/** Compares a broker of ours with the Kafka at that address, prints what differs, and tells how much should not. */
export async function showDifferential(kafka: string): Promise<number> {
  const coordinator = { ...defaultCoordinatorConfig, groupInitialRebalanceDelayMs: 0 };
  // A machine that is busy is not what this is about.
  const cores = await ListeningCores.start(1, { coordinator, timeGapMs: 60_000 });
  try {
    const { conversations, exchanges, differences, beyond } = await compareBrokers(cores.bootstrap, kafka);
    const { unintended, unused } = judge(differences);
    const intended = differences.length - unintended.length;
    console.log(`\n${conversations} conversations with Apache Kafka, ${exchanges} answers compared:`);
    console.log(`${intended} fields differ as intended, ${unintended.length} otherwise`);
    for (const { where, tabstream, kafka: theirs } of unintended) {
      console.log(`  ${where}\n    Tabstream: ${shown(tabstream)}\n    Kafka:     ${shown(theirs)}`);
    }
    for (const { where } of unused) console.log(`  intended, but not found: ${where.source}`);
    for (const api of beyond) console.log(`  offered here and not by Kafka: ${api}`);
    return unintended.length + unused.length + beyond.length;
  } finally {
    await cores.close();
  }
}

function shown(value: unknown): string {
  return (JSON.stringify(value) ?? "nothing").slice(0, 500);
}
