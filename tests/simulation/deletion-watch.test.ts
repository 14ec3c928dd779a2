import { beforeEach, describe, expect, test } from "vitest";
import type { Replica } from "../../src/broker/replica.ts";
import type { SimulatedTab } from "../../src/platform/simulated/simulated-tab.ts";
import { deleteRecords } from "../../src/protocol/apis/21-delete-records.ts";
import { encodeRequest, encodeResponse } from "../../src/protocol/envelope.ts";
import type { ControllerWatch } from "./controller-watch.ts";
import { DeletionWatch } from "./deletion-watch.ts";
import type { OracleContext } from "./oracle-context.ts";
import { ViolationFound } from "./recorder.ts";

const KEY = "topic-id/0";

interface State {
  readonly isr: readonly number[];
  readonly elr?: readonly number[];
}

/** Broker 1 leads from 50 on, and somebody is told that what lies below is deleted. */
describe("deleted records stay deleted, says the oracle", () => {
  let states: { isr: readonly number[]; eligibleLeaderReplicas: readonly number[]; leaderEpoch: number }[];
  let marks: string[];
  let watch: DeletionWatch;

  const decide = ({ isr, elr = [] }: State) => states.push({ isr, eligibleLeaderReplicas: elr, leaderEpoch: 7 });

  const tabOf = (nodeId: number, logStartOffset: number) => {
    const log = { logStartOffset };
    const replica = { key: KEY, log, role: { kind: "leader", state: { leaderEpoch: 7 } } } as unknown as Replica;
    const core = { nodeId, image: { topicNamed: () => ({ topicId: "topic-id" }) }, replica: () => replica };
    return { tab: { name: `tab-${nodeId}`, core } as unknown as SimulatedTab, replica };
  };

  const leads = (nodeId: number, logStartOffset: number) => () => {
    const { tab, replica } = tabOf(nodeId, logStartOffset);
    watch.beginsToLead(tab, replica);
  };

  const deletedIn = (state: State) => {
    decide(state);
    const partitions = [{ partitionIndex: 0, offset: 50 }];
    const asked = encodeRequest(
      deleteRecords,
      2,
      { correlationId: 1, clientId: "admin" },
      { topics: [{ name: "t", partitions }], timeoutMs: 1_000 },
    );
    const answered = encodeResponse(deleteRecords, 2, 1, {
      topics: [{ name: "t", partitions: [{ partitionIndex: 0, lowWatermark: 50, errorCode: 0 }] }],
    });
    watch.asked(tabOf(1, 50).tab, asked)!(answered);
  };

  test("a request excuses the removal of what it names, and of no more", () => {
    deletedIn({ isr: [1] });
    expect([0, 50, 51].map((offset) => watch.wasAsked(KEY, offset))).toEqual([true, true, false]);
    expect(watch.wasAsked("topic-id/1", 1)).toBe(false);
  });

  beforeEach(() => {
    states = [];
    marks = [];
    const controller = {
      partition: () => ({ ...states.at(-1), partitionEpoch: states.length - 1 }),
      statesSince: (_: string, partitionEpoch: number) => states.slice(partitionEpoch),
    } as unknown as ControllerWatch;
    watch = new DeletionWatch({ mark: (name: string) => marks.push(name) } as unknown as OracleContext, controller);
  });

  test("of everybody that was in sync, the one that told it included", () => {
    deletedIn({ isr: [1, 2] });
    expect(leads(2, 50)).not.toThrow();
    expect(leads(2, 49)).toThrow(ViolationFound);
    expect(leads(1, 49)).toThrow(ViolationFound);
  });

  test("of a leader that was alone in sync, and of whoever was in neither the ISR nor the ELR", () => {
    deletedIn({ isr: [1], elr: [2] });
    expect(leads(1, 0)).toThrow(ViolationFound);
    decide({ isr: [3] });
    expect(leads(3, 0)).toThrow(ViolationFound);
  });

  test("not of a copy of the ELR that is elected from there, and then not of those who copy from it", () => {
    deletedIn({ isr: [1], elr: [2] });
    decide({ isr: [2], elr: [1] });
    expect(leads(2, 0)).not.toThrow();
    expect(marks).toContain("deletion undone by ELR election");
    decide({ isr: [2, 3] });
    decide({ isr: [3] });
    expect(leads(3, 0)).not.toThrow();
  });

  test("of a copy of the ELR that has been in sync with others since", () => {
    deletedIn({ isr: [1], elr: [2] });
    decide({ isr: [1, 2] });
    decide({ isr: [2] });
    expect(leads(2, 0)).toThrow(ViolationFound);
  });

  test("of a copy that is in the ELR no more", () => {
    deletedIn({ isr: [1], elr: [3] });
    decide({ isr: [1, 2] });
    decide({ isr: [3] });
    expect(leads(3, 0)).toThrow(ViolationFound);
  });
});
