import { expect, test } from "vitest";
import { partitionKey } from "../../src/log/stored-log.ts";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { CoreCluster } from "./core-cluster.ts";
import { createTopic, leaderOf, produced, valuesOf } from "./core-requests.ts";

/** A fetch of two partitions, of which the record of the first lies on disk only, and that of the second in memory too. */
function restarted() {
  const cluster = new CoreCluster();
  const [tab] = cluster.startRunning("alone");
  createTopic(cluster, "quakes", { partitions: 2, replicationFactor: 1 });
  for (const partition of [0, 1]) {
    produced(cluster, leaderOf(cluster, "quakes", partition).connect(), "quakes", [`of ${partition}`], { partition });
  }
  tab!.kill();
  // A start reads nothing below the snapshot of the producers.
  const { metadata } = tab!.disk.load().find((log) => log.metadata.partitionIndex === 0)!;
  const producerSnapshot = { offset: 1, producers: [] };
  const key = partitionKey(metadata.topicId, 0);
  tab!.disk = tab!.disk.apply([{ type: "put-metadata", key, metadata: { ...metadata, producerSnapshot } }]);
  tab!.start();
  for (const partition of [0, 1]) leaderOf(cluster, "quakes", partition);
  const asked = [0, 1].map((partition) => ({ partition, fetchOffset: 0, partitionMaxBytes: 1 }));
  const answer = tab!.connect().send(fetch, 12, { maxWaitMs: 0, minBytes: 1, topics: [{ topic: "quakes", partitions: asked }] });
  const answered = () => {
    cluster.until(() => answer() !== undefined, "an answer");
    return answer()!.responses[0]!.partitions.map(({ errorCode, highWatermark, records }) => ({
      error: errorName(errorCode),
      highWatermark,
      values: valuesOf(records ?? new Uint8Array(0)),
    }));
  };
  return { cluster, tab: tab!, answered };
}

test("what lies on disk is answered together with what is in memory", () => {
  const { answered } = restarted();
  expect(answered()).toEqual([
    { error: "NONE", highWatermark: 1, values: ["of 0"] },
    { error: "NONE", highWatermark: 1, values: ["of 1"] },
  ]);
});

test("[R2] a broker that ceased to lead while the disk was read answers nothing as a leader", () => {
  const { cluster, tab, answered } = restarted();
  cluster.enqueue(() => (cluster.nowMs += tab.core.config.timeGapMs));
  const refused = { error: "NOT_LEADER_OR_FOLLOWER", highWatermark: -1, values: [] };
  expect(answered()).toEqual([refused, refused]);
});
