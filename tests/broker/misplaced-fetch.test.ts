import { expect, it } from "vitest";
import { fetch } from "../../src/protocol/apis/01-fetch.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { ZERO_UUID } from "../../src/protocol/uuid.ts";
import { CoreCluster } from "./core-cluster.ts";
import { createTopic, leaderOf } from "./core-requests.ts";

it.each([12, 16])("a fetch in version %i that comes to a tab without a copy is told who leads (KIP-951)", (version) => {
  const cluster = new CoreCluster();
  const tabs = cluster.startRunning("a", "b");
  createTopic(cluster, "quakes", { replicationFactor: 1 });
  const leader = leaderOf(cluster, "quakes");
  const other = tabs.find((tab) => tab !== leader)!;
  cluster.advance(100);
  const { topicId } = cluster.controller.image.topicNamed("quakes")!;
  const name = version < 13 ? { topic: "quakes", topicId: ZERO_UUID } : { topic: "", topicId };
  const partitions = [{ partition: 0, fetchOffset: 0, partitionMaxBytes: 1_000 }];
  const { responses, nodeEndpoints } = other
    .connect()
    .ask(fetch, version, { maxWaitMs: 0, minBytes: 1, topics: [{ ...name, partitions }] });
  const answer = responses[0]!.partitions[0]!;
  expect(errorName(answer.errorCode)).toBe("NOT_LEADER_OR_FOLLOWER");
  expect(answer.currentLeader).toMatchObject({ leaderId: leader.nodeId });
  if (version >= 16) expect(nodeEndpoints).toMatchObject([{ nodeId: leader.nodeId, host: leader.peer }]);
});
