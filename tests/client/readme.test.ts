import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Consumer } from "../../src/client/consumer.ts";
import type { KafkaClient } from "../../src/client/kafka.ts";
import { defaultCoordinatorConfig } from "../../src/coordinator/coordinator-config.ts";
import { LiveCluster } from "./live-cluster.ts";

/** Resolves with the consumer that the example makes. */
type Example = (kafka: KafkaClient, console: { log(line: string): void }) => Promise<Consumer>;
const AsyncFunction = (async () => {}).constructor as new (...code: string[]) => Example;

test("the README's group example runs as printed", { timeout: 20_000 }, async () => {
  const readme = readFileSync(new URL("../../README.md", import.meta.url), "utf8");
  const [example, ...others] = [...readme.matchAll(/```ts\n(.*?)```/gs)]
    .map(([, code]) => code!)
    .filter((code) => code.includes("groupId"));
  expect(others).toEqual([]);
  const coordinator = { ...defaultCoordinatorConfig, groupInitialRebalanceDelayMs: 0 };
  const cluster = new LiveCluster({ coordinator });
  await cluster.start(1);
  const kafka = cluster.kafka();
  const producer = kafka.producer();
  await producer.connect();
  const messages = ["two apples", "a pear"].map((value) => ({ key: "42", value, partition: 0 }));
  await producer.send({ topic: "orders", messages });

  const lines: string[] = [];
  const run = new AsyncFunction("kafka", "console", `${example}\nreturn member;`);
  const member = await run(kafka, { log: (line) => void lines.push(line) });
  await expect.poll(() => lines).toEqual(["0/0: two apples", "0/1: a pear"]);
  await Promise.all([member, producer].map((client) => client.disconnect()));
  await cluster.stop();
});
