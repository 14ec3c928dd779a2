import { consoleTools, installJava, javaClients } from "./java.ts";
import { matrixRow, showMatrix } from "./client-matrix.ts";
import type { Row } from "./client-matrix.ts";
import { MissingToolchain } from "./client-program.ts";
import type { ClientProgram, Command } from "./client-program.ts";
import { showDifferential } from "./differential/report.ts";
import { showFigures } from "./figures.ts";
import { franzGo } from "./franz-go.ts";
import { kafkajs } from "./kafkajs.ts";
import { kcat } from "./kcat.ts";
import { mirrorThereAndBack } from "./mirror.ts";
import { platformatic } from "./platformatic.ts";
import { confluentKafka, kafkaPython } from "./python.ts";
import { RealKafka } from "./real-kafka.ts";
import { TabCluster } from "./tab-cluster.ts";

/**
 * `npm run clients`: every kind of Kafka client at work with broker tabs, a comparison with Apache Kafka request by
 * request, a mirror to it and back, and figures beside its own. `--only matrix|differential|mirror|figures` runs one.
 */

const clients = [
  kcat, kafkajs, platformatic, javaClients, consoleTools, confluentKafka, kafkaPython, franzGo,
] as const;

const parts = ["matrix", "differential", "mirror", "figures"] as const;
type Part = (typeof parts)[number];

async function main(): Promise<void> {
  const wanted = chosenParts();
  let failures = 0;
  const java = await orSkip("everything with Java", installJava);
  const cluster = wanted.some((part) => part !== "differential") ? await TabCluster.start(3) : undefined;
  const kafka = java && wanted.some((part) => part !== "matrix") ? await RealKafka.start(java) : undefined;
  try {
    if (cluster !== undefined && wanted.includes("matrix")) failures += await runMatrix(cluster);
    if (java !== undefined && kafka !== undefined) {
      if (wanted.includes("differential")) failures += await showDifferential(kafka.bootstrap);
      if (wanted.includes("mirror")) failures += await runMirror(java, cluster!.bootstrap, kafka.bootstrap);
      if (wanted.includes("figures")) await showFigures(java, cluster!.bootstrap, kafka.bootstrap);
    }
  } finally {
    await Promise.all([cluster?.close(), kafka?.close()]);
  }
  console.log(failures === 0 ? "\nno failures" : `\n${failures} failures`);
  process.exitCode = failures === 0 ? 0 : 1;
}

function chosenParts(): readonly Part[] {
  const [flag, value] = process.argv.slice(2);
  if (flag === undefined) return parts;
  const part = parts.find((one) => one === value);
  if (flag === "--only" && part !== undefined) return [part];
  console.error(`usage: npm run clients -- [--only ${parts.join("|")}]`);
  process.exit(2);
}

/** Undefined, said loudly, where the toolchain is missing. */
async function orSkip<T>(what: string, make: () => Promise<T>): Promise<T | undefined> {
  try {
    return await make();
  } catch (error) {
    if (!(error instanceof MissingToolchain)) throw error;
    console.log(`SKIPPED: ${what}: ${error.message}`);
    return undefined;
  }
}

async function runMatrix(cluster: TabCluster): Promise<number> {
  const rows = new Map<string, Row | string>();
  let failures = 0;
  for (const client of clients) {
    const installed = await orSkip(client.name, async () => {
      await client.install();
      return true;
    });
    if (installed === undefined) {
      rows.set(client.name, "its toolchain is missing");
      continue;
    }
    const row = await matrixRow(cluster, client);
    rows.set(client.name, row);
    failures += reportRow(client, row);
  }
  console.log(`\n${showMatrix(rows)}`);
  return failures;
}

function reportRow(client: ClientProgram, row: Row): number {
  const failed = [...row].filter(([, outcome]) => outcome instanceof Error);
  console.log(`${client.name}: ${failed.length === 0 ? "all it can do works" : `${failed.length} failures`}`);
  for (const [ability, outcome] of failed) console.log(`  ${ability}: ${(outcome as Error).message}`);
  return failed.length;
}

async function runMirror(java: Command, tabs: string, kafka: string): Promise<number> {
  try {
    console.log(`\n${await mirrorThereAndBack(java, tabs, kafka)}`);
    return 0;
  } catch (error) {
    console.log(`\nMirrorMaker 2: ${String(error)}`);
    return 1;
  }
}

main().catch((error: unknown) => {
  console.error(error);
  process.exitCode = 1;
});
