import { beforeEach, describe, expect, test } from "vitest";
import { electLeaders } from "../../src/protocol/apis/43-elect-leaders.ts";
import { incrementalAlterConfigs } from "../../src/protocol/apis/44-incremental-alter-configs.ts";
import { errorName } from "../../src/protocol/error-codes.ts";
import { TOPIC_RESOURCE } from "../../src/metadata/image.ts";
import { ControllerDriver, newDirectory, TestBroker } from "./controller-driver.ts";

const PREFERRED = 0;
const UNCLEAN = 1;

describe("ElectLeaders", () => {
  let driver: ControllerDriver;
  let tabs: Map<number, TestBroker>;

  beforeEach(() => {
    driver = new ControllerDriver({ leaderSettleMs: 3_600_000 });
    tabs = new Map([1, 2].map((number) => [number, TestBroker.start(driver, newDirectory(number))]));
    driver.createTopic("quakes", -1, { assignments: [{ partitionIndex: 0, brokerIds: [1, 2] }] });
    driver.createTopic("waves", -1, { assignments: [{ partitionIndex: 0, brokerIds: [2, 1] }] });
  });

  const elect = (electionType: number, topic: string | null, partition = 0) => {
    const response = driver.ask(driver.open(), electLeaders, 2, {
      electionType,
      topicPartitions: topic === null ? null : [{ topic, partitions: [partition] }],
    });
    return response.replicaElectionResults.map(({ topic: name, partitionResult }) => [
      name,
      ...partitionResult.map(({ errorCode }) => errorName(errorCode)),
    ]);
  };

  /** The preferred leader of quakes goes and comes back, so that the other one leads. */
  const moveAway = () => {
    tabs.get(1)!.die();
    expect(driver.partition("quakes").leader).toBe(2);
    tabs.get(1)!.restart();
    tabs.get(2)!.proposeIsr(driver.partition("quakes"), [2, 1]);
    expect(driver.partition("quakes")).toMatchObject({ leader: 2, isr: [2, 1] });
  };

  test("brings the preferred leader back", () => {
    moveAway();
    const { leaderEpoch } = driver.partition("quakes");
    expect(elect(PREFERRED, "quakes")).toEqual([["quakes", "NONE"]]);
    expect(driver.partition("quakes")).toMatchObject({ leader: 1, leaderEpoch: leaderEpoch + 1, isr: [2, 1] });
  });

  test("of all partitions tells of those that had need of it", () => {
    expect(elect(PREFERRED, null)).toEqual([]);
    moveAway();
    expect(elect(PREFERRED, null)).toEqual([["quakes", "NONE"]]);
    expect(elect(PREFERRED, null)).toEqual([]);
  });

  test("version 0 elects preferred leaders", () => {
    moveAway();
    driver.ask(driver.open(), electLeaders, 0, { topicPartitions: null });
    expect(driver.partition("quakes").leader).toBe(1);
  });

  test("refuses what it cannot or need not do, and changes nothing", () => {
    const before = driver.image.endOffset;
    expect(elect(PREFERRED, "quakes")).toEqual([["quakes", "ELECTION_NOT_NEEDED"]]);
    expect(elect(UNCLEAN, "quakes")).toEqual([["quakes", "ELECTION_NOT_NEEDED"]]);
    expect(elect(PREFERRED, "no such topic")).toEqual([["no such topic", "UNKNOWN_TOPIC_OR_PARTITION"]]);
    expect(elect(PREFERRED, "quakes", 7)).toEqual([["quakes", "UNKNOWN_TOPIC_OR_PARTITION"]]);
    const { errorCode } = driver.ask(driver.open(), electLeaders, 2, { electionType: 9, topicPartitions: null });
    expect(errorName(errorCode)).toBe("INVALID_REQUEST");
    expect(driver.image.endOffset).toBe(before);
    tabs.get(1)!.die();
    expect(elect(PREFERRED, "quakes")).toEqual([["quakes", "PREFERRED_LEADER_NOT_AVAILABLE"]]);
  });

  test("[R13] elects an incomplete copy only for those who ask for it, and notes that", () => {
    const configs = [{ name: "min.insync.replicas", configOperation: 0, value: "1" }];
    driver.ask(driver.open(), incrementalAlterConfigs, 1, {
      resources: [{ resourceType: TOPIC_RESOURCE, resourceName: "quakes", configs }],
      validateOnly: false,
    });
    tabs.get(1)!.die();
    tabs.get(2)!.die();
    expect(elect(UNCLEAN, "quakes")).toEqual([["quakes", "ELIGIBLE_LEADERS_NOT_AVAILABLE"]]);
    tabs.get(1)!.restart();
    expect(driver.partition("quakes")).toMatchObject({ leader: -1, isr: [2] });
    expect(elect(PREFERRED, "quakes")).toEqual([["quakes", "PREFERRED_LEADER_NOT_AVAILABLE"]]);
    expect(driver.partition("quakes").leader).toBe(-1);
    expect(elect(UNCLEAN, "quakes")).toEqual([["quakes", "NONE"]]);
    expect(driver.partition("quakes")).toMatchObject({ leader: 1, isr: [1], eligibleLeaderReplicas: [] });
    expect(driver.logged.at(-1)).toContain("may lack acknowledged records");
  });
});
