import { expect, it } from "vitest";
import { alterPartitionReassignments } from "../../src/protocol/apis/45-alter-partition-reassignments.ts";
import { CoreCluster } from "./core-cluster.ts";
import type { CoreBroker } from "./core-cluster.ts";
import {
  consumed,
  createTopic,
  deleteRecordsBefore,
  leaderOf,
  produced,
  sendProduce,
  threeTabs,
  untilInSync,
} from "./core-requests.ts";

const TOPIC = "quakes";

it("[R4] [R16] a leader that started anew, and has not one epoch, vouches for nothing below its start", () => {
  const { cluster, tabs } = threeTabs(TOPIC);
  const [anew] = cluster.startRunning("d") as [CoreBroker];
  const leader = () => leaderOf(cluster, TOPIC);
  const write = (value: string, init = {}) => produced(cluster, leader().connect(), TOPIC, [value], init);
  for (const value of ["0", "1", "2"]) write(value);
  cluster.advance(100);

  // The leader dies with a record that nobody else has, and that was not acknowledged.
  const stale = leader();
  const [first, second] = tabs.filter((tab) => tab !== stale) as [CoreBroker, CoreBroker];
  const unanswered = { producerId: 4_000, producerEpoch: 0, baseSequence: 0 };
  first.kill();
  cluster.advance(50);
  second.freeze();
  sendProduce(stale.connect(), TOPIC, ["unanswered"], unanswered);
  cluster.advance(20);
  expect(stale.core.status().partitions[0]!.logEndOffset).toBe(4);
  second.kill();
  cluster.advance(20);
  stale.kill();

  // Another record gets its offset, and all of it is deleted.
  second.start();
  first.start();
  cluster.until(() => leader() === second, "the next leader");
  untilInSync(cluster, TOPIC, 2);
  expect(write("other")).toEqual({ error: "NONE", baseOffset: 3 });
  deleteRecordsBefore(leader().connect(), TOPIC, -1);

  // A copy that was told of no record, and so of no epoch, is to lead.
  const replicas = [second.nodeId, stale.nodeId, anew.nodeId];
  cluster.askController(alterPartitionReassignments, 1, {
    topics: [{ name: TOPIC, partitions: [{ partitionIndex: 0, replicas }] }],
  });
  untilInSync(cluster, TOPIC, 3);
  first.kill();
  cluster.advance(50);
  second.kill();
  cluster.advance(50);
  expect(leader()).toBe(anew);

  stale.start();
  untilInSync(cluster, TOPIC, 2);
  cluster.advance(100);
  anew.kill();
  cluster.until(() => leader() === stale, "the lead of whoever was away");
  second.start();
  first.start();
  untilInSync(cluster, TOPIC, 3);
  expect(write("unanswered", unanswered)).toEqual({ error: "NONE", baseOffset: 4 });
  expect(consumed(leader().connect(), TOPIC, 4).values).toEqual(["unanswered"]);
});

it("[R4] [R8] a copy that parts from its leader below its own start copies what the leader has from before", () => {
  const cluster = new CoreCluster();
  const tabs = cluster.startRunning("a", "b");
  const configs = { "min.insync.replicas": "1", "unclean.leader.election.enable": "true" };
  createTopic(cluster, TOPIC, { replicationFactor: 2, configs });
  untilInSync(cluster, TOPIC, 2);
  const values = ["0", "1", "2", "3", "4"];
  for (const value of values) produced(cluster, leaderOf(cluster, TOPIC).connect(), TOPIC, [value]);
  cluster.advance(100);
  const trimmed = leaderOf(cluster, TOPIC);
  const whole = tabs.find((tab) => tab !== trimmed)!;
  whole.kill();
  cluster.advance(50);
  for (const value of ["5", "6"]) produced(cluster, trimmed.connect(), TOPIC, [value]);
  deleteRecordsBefore(trimmed.connect(), TOPIC, -1);
  trimmed.kill();

  whole.start();
  cluster.until(() => leaderOf(cluster, TOPIC) === whole, "an unclean election");
  trimmed.start();
  untilInSync(cluster, TOPIC, 2);
  cluster.advance(100);
  expect(consumed(whole.connect(), TOPIC)).toMatchObject({ error: "NONE", values });
  whole.kill();
  cluster.until(() => leaderOf(cluster, TOPIC) === trimmed, "a clean election");
  expect(consumed(trimmed.connect(), TOPIC)).toMatchObject({ error: "NONE", values });
});
