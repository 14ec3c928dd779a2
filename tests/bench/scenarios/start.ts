import { BrowserProfile } from "../../cluster/browser-profile.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { BenchCluster } from "../bench-cluster.ts";
import type { Recorder, ScenarioOptions } from "../figure.ts";

/**
 * From the navigation to the acknowledgement of a first record, on profiles that have never seen the page: of a client,
 * whose record three brokers store, and of a new tab that is broker and client in one and stores the record itself.
 */
export async function start(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  const clients: number[] = [];
  await withBenchCluster(3, async (cluster) => {
    await cluster.withTopic({ partitions: 1, replicationFactor: 3 }, async ({ topic }) => {
      for (let round = 0; round < roundCount; round++) {
        clients.push(await firstAcknowledgement(cluster, "tab.html", topic));
      }
    });
  });
  const brokers: number[] = [];
  for (let round = 0; round < roundCount; round++) {
    brokers.push(await withBenchCluster(0, (cluster) => firstAcknowledgement(cluster, "tab.html?broker")));
  }
  const figure = { unit: "ms", better: "lower" } as const;
  const every = { ...figure, durability: "RF 3, acks=all, strict" };
  recorder.figure({ ...every, name: "cold client's first acknowledgement", rounds: clients });
  const alone = { ...figure, durability: "RF 1, acks=all, strict" };
  recorder.figure({ ...alone, name: "cold broker tab's first acknowledgement, alone", rounds: brokers });
}

async function firstAcknowledgement(cluster: BenchCluster, path: string, topic = "first"): Promise<number> {
  const profile = await BrowserProfile.launch();
  try {
    const page = cluster.tabs.watch("cold tab", await profile.newPage());
    await page.goto(`${cluster.tabs.server.url}/${path}`, { waitUntil: "commit" });
    await page.waitForFunction(() => "bench" in window);
    return await page.evaluate((name) => window.bench.firstAcknowledgement(name), topic);
  } finally {
    await profile.close();
  }
}
