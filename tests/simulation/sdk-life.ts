import type { Admin } from "../../src/client/admin.ts";
import { SdkConsumer } from "./sdk-consumer.ts";
import { SdkProducer } from "./sdk-producer.ts";
import type { SimulatedCluster } from "./simulated-cluster.ts";
import { partitionLabel, TOPIC } from "./topics.ts";
import { until } from "./wait.ts";
import type { Life } from "./wait.ts";

/** Waits for what has to come within the time that a healed cluster has; what does not ends the run. */
export type Expect = (rule: string, condition: () => boolean, evidence: () => string) => Life<void>;

export function hasSdkClients({ schedule }: SimulatedCluster): boolean {
  return schedule.sdkProducers + schedule.sdkConsumers > 0;
}

/** Makes a topic of three copies through the SDK's admin; gives whether it is there. */
export function* createTopicBySdk(
  cluster: SimulatedCluster,
  topic: string,
  numPartitions: number,
  configs: Readonly<Record<string, string>>,
): Life<boolean> {
  const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
  const isDone = withAdmin(cluster, async (admin) => {
    await admin.createTopics({ topics: [{ topic, numPartitions, replicationFactor: 3, configEntries }] });
  });
  return yield* until(cluster, isDone, 10_000);
}

/** In a healed cluster a producer of the SDK must not only have its answers: what it sends next has to be written. */
export function* getThrough(cluster: SimulatedCluster, expect: Expect): Life<void> {
  for (const producer of cluster.producers) {
    if (!(producer instanceof SdkProducer) || producer.isOver) continue;
    const { client, process } = producer;
    yield* expect("a producer of the SDK connects", () => producer.isConnected, () => process);
    // What a dead connection swallows is rightly given up, if the page hears of its end after the deliveryTimeout.
    const isHeard = () => [...cluster.network.ends()].every(({ node, isDead }) => node !== client.node || !isDead);
    yield* expect("a producer of the SDK hears which connections are dead", isHeard, () => process);
    const due = producer.acknowledged + cluster.schedule.partitions;
    for (let partition = 0; partition < cluster.schedule.partitions; partition++) producer.send(partition);
    const evidence = () => `${process} has ${due - producer.acknowledged} messages that were not acknowledged`;
    const isThrough = () => producer.isIdle && producer.acknowledged >= due;
    yield* expect("a producer of the SDK gets through", isThrough, evidence);
  }
}

/** The SDK's admin has to see what was committed, and every client of the SDK has to end when it is asked to. */
export function* closeAll(cluster: SimulatedCluster, expect: Expect): Life<void> {
  if (!hasSdkClients(cluster)) return;
  const { recorder, truth } = cluster;
  const isDone = withAdmin(cluster, async (admin) => {
    for (const { partition, high } of await admin.fetchTopicOffsets(TOPIC)) {
      const endOffset = truth.endOffset(partitionLabel(TOPIC, partition));
      if (Number(high) === endOffset) continue;
      recorder.violation("admin", `partition ${partition} ends at ${high} instead of ${endOffset}`);
    }
  });
  yield* expect("the SDK's admin has its answers", isDone, () => "it still waits");
  for (const one of [...cluster.producers, ...cluster.consumers]) {
    if (!(one instanceof SdkProducer || one instanceof SdkConsumer) || one.isOver) continue;
    one.client.act(() => one.close());
    yield* expect("a client of the SDK closes", () => one.isOver, () => one.process);
  }
}

function withAdmin(cluster: SimulatedCluster, use: (admin: Admin) => Promise<void>): () => boolean {
  const client = cluster.newSdkClient("admin");
  let isDone = false;
  client.act(async () => {
    const admin = client.kafka.admin();
    await client.connect(admin);
    await use(admin);
    await admin.disconnect();
    isDone = true;
  });
  return () => isDone;
}
