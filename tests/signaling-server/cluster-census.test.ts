import { expect, test } from "vitest";
import { takeCensus } from "../../signaling-server/cluster-census.ts";
import { ControllerDriver, newDirectory, TestBroker } from "../metadata/controller-driver.ts";

test("partitions are counted that lack replicas in sync, that refuse acks=all, and that nobody leads", () => {
  const driver = new ControllerDriver();
  const tabs = [1, 2, 3].map((number) => TestBroker.start(driver, newDirectory(number)));
  const brokerIds = [1, 2, 3];
  for (const [name, minIsr] of [["lenient", "1"], ["usual", "2"], ["strict", "3"]] as const) {
    const configs = [{ name: "min.insync.replicas", value: minIsr }];
    driver.createTopic(name, -1, { assignments: [{ partitionIndex: 0, brokerIds }], configs });
  }
  const counted = () => {
    const { underReplicatedPartitions, underMinIsrPartitions, offlinePartitions } = takeCensus([driver.image]);
    return { underReplicatedPartitions, underMinIsrPartitions, offlinePartitions };
  };
  expect(counted()).toEqual({ underReplicatedPartitions: 0, underMinIsrPartitions: 0, offlinePartitions: 0 });
  tabs[2]!.die();
  expect(counted()).toEqual({ underReplicatedPartitions: 3, underMinIsrPartitions: 1, offlinePartitions: 0 });
  tabs[1]!.die();
  expect(counted()).toEqual({ underReplicatedPartitions: 3, underMinIsrPartitions: 2, offlinePartitions: 0 });
  tabs[0]!.die();
  expect(counted().offlinePartitions).toBe(3);
});
