import { beforeEach, describe, expect, it } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import { createTopic, leaderOf, produced } from "./core-requests.ts";

const TOPIC = "quakes";

describe("a fetch that asks for some bytes at least", () => {
  let cluster: CoreCluster;
  let tab: CoreBroker;

  beforeEach(() => {
    cluster = new CoreCluster();
    [tab] = cluster.startRunning("a") as [CoreBroker];
    createTopic(cluster, TOPIC, { partitions: 2 });
    leaderOf(cluster, TOPIC, 1);
  });

  const write = (bytes: number, partition = 0) =>
    produced(cluster, tab.connect(), TOPIC, ["x".repeat(bytes)], { partition });

  /** How many records bytes there are for each partition, once there is an answer. */
  const send = (minBytes: number, more: { maxBytes?: number; partitionMaxBytes?: number; maxWaitMs?: number } = {}) => {
    const { partitionMaxBytes = 1_000_000, ...limits } = more;
    const partitions = [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes }));
    const topics = [{ topic: TOPIC, partitions }];
    const answer = tab.connect().send(fetch, 12, { maxWaitMs: 60_000, ...limits, minBytes, topics });
    cluster.settle();
    return () => answer()?.responses[0]!.partitions.map(({ records }) => records!.length);
  };

  it("waits until all its partitions together have so much", () => {
    const sizes = send(2_000);
    write(900);
    write(900);
    expect(sizes()).toBeUndefined();
    write(900, 1);
    expect(sizes()).toMatchObject([expect.any(Number), expect.any(Number)]);
    expect(sizes()!.reduce((sum, size) => sum + size)).toBeGreaterThan(2_700);
  });

  it("waits for nothing where it names no partition", () => {
    const answers = [[], [{ topic: TOPIC, partitions: [] }]].map((topics) =>
      tab.connect().send(fetch, 12, { maxWaitMs: 60_000, minBytes: 1, topics }),
    );
    cluster.settle();
    expect(answers.map((answer) => answer()?.responses.length)).toEqual([0, 1]);
  });

  it("takes what there is when its time is up", () => {
    const sizes = send(2_000, { maxWaitMs: 100 });
    write(900);
    expect(sizes()).toBeUndefined();
    cluster.advance(100);
    expect(sizes()![0]).toBeGreaterThan(900);
  });

  it("does not wait for more than it would take", () => {
    const sizes = send(1_000_000, { maxBytes: 1_000 });
    write(1_500);
    expect(sizes()![0]).toBeGreaterThan(1_500);
  });

  it("counts no more of a partition than it takes of one", () => {
    const sizes = send(1_000, { partitionMaxBytes: 600 });
    write(1_500);
    expect(sizes()).toBeUndefined();
    write(1_500, 1);
    expect(sizes()).toHaveLength(2);
  });
});
