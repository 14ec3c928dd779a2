import { requireChromium } from "./chromium.ts";
import { parseClusterArguments, USAGE, UsageError } from "./cluster-arguments.ts";
import type { ClusterArguments } from "./cluster-arguments.ts";
import { startCluster } from "./run-cluster.ts";

/** `npm run cluster`: a server and broker tabs in headless Chromium, until SIGINT or SIGTERM. */
async function main(): Promise<void> {
  const { tabs, port, kafkaPort, oneProfile, dataDir } = readArguments();
  const stopped = new Promise<void>((resolve) => {
    process.once("SIGINT", resolve);
    process.once("SIGTERM", resolve);
  });
  requireChromium();
  const cluster = await startCluster({ tabs, port, kafkaPort, oneProfile, dataDir });
  const kafka = kafkaPort === undefined ? "off" : `127.0.0.1:${kafkaPort}`;
  console.log(`cluster ready: brokers=${tabs} kafka=${kafka} http=127.0.0.1:${cluster.server.port}`);
  await stopped;
  await cluster.close();
}

function readArguments(): ClusterArguments {
  try {
    return parseClusterArguments(process.argv.slice(2));
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    console.error(`${error.message}\n${USAGE}`);
    process.exit(2);
  }
}

main().catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = 1;
});
