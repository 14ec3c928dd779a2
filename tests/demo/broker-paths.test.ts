import { expect, test } from "vitest";
import { pathsByBroker } from "../../src/demo/broker-paths.ts";
import { clusterView } from "./cluster-views.ts";

test("a direct link counts for more than a relayed one, and a stranger's for nothing", () => {
  const links = [
    { peer: "peer-1", path: "direct" as const, connections: 1 },
    { peer: "peer-1", path: "relay" as const, connections: 1 },
    { peer: "peer-3", path: "relay" as const, connections: 1 },
    { peer: "another", path: "direct" as const, connections: 1 },
  ];
  expect([...pathsByBroker(links, clusterView([]).brokers)]).toEqual([
    [1, "direct"],
    [3, "relay"],
  ]);
});
