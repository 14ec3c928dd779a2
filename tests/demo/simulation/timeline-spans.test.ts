import { expect, test } from "vitest";
import { faultArea } from "../../../src/demo/simulation/fault-look.ts";
import { offsetWindow } from "../../../src/demo/simulation/offset-window.ts";
import { epochSpans } from "../../../src/demo/simulation/partition-view.ts";
import type { ReplicaView } from "../../../src/demo/simulation/partition-view.ts";
import type { SeenFault } from "../../../src/demo/simulation/run-history.ts";
import { lanesOf, spansOf, ticksOf } from "../../../src/demo/simulation/timeline-spans.ts";
import { adminFaultKinds, faultKinds, memberFaultKinds } from "../../simulation/schedule.ts";
import type { Fault } from "../../simulation/schedule.ts";

function seen(startUs: number, endUs: number): SeenFault {
  const fault: Fault = {
    atMs: 0, kind: "cut", on: "time", aim: "any", target: 0, other: 0, durationMs: (endUs - startUs) / 1000,
  };
  return { fault, state: "due", startUs, endUs, target: undefined };
}

test("faults that overlap lie in lanes of their own, and what has no lane is left out", () => {
  const faults = [seen(0, 100), seen(10, 20), seen(15, 30), seen(60, 70), seen(200, 210)];
  expect(lanesOf(faults, (timeUs) => timeUs, 2)).toEqual({ lanes: [0, 1, undefined, 1, 0], laneCount: 2 });
});

test("leaderships shorter than a pixel make room for the last of them", () => {
  const leaderships = [0, 10, 10.2, 10.4, 40].map((fromUs, leaderEpoch) => {
    return { fromUs, leader: 1, leaderEpoch, inSync: 3 };
  });
  const spans = spansOf(leaderships, 50, (timeUs) => timeUs);
  expect(spans.map(({ from, to, leadership }) => [from, to, leadership.leaderEpoch])).toEqual([
    [0, 10, 0], [10, 10.4, 2], [10.4, 40, 3], [40, 50, 4],
  ]);
});

test.each([[40_000_000, 10, 5_000_000], [3_000_000, 10, 500_000], [3_600_000_000, 4, 1_000_000_000]])(
  "an axis of %i µs with about %i ticks has one every %i µs",
  (total, wanted, step) => {
    const ticks = ticksOf(total, wanted);
    expect(ticks[1]).toBe(step);
    expect(ticks.at(-1)).toBeLessThanOrEqual(total);
  },
);

test("the epochs of a log cover it from its start to its end", () => {
  const entries = [{ epoch: 0, startOffset: 0 }, { epoch: 2, startOffset: 10 }, { epoch: 3, startOffset: 25 }];
  expect(epochSpans(entries, 4, 20)).toEqual([{ epoch: 0, from: 4, to: 10 }, { epoch: 2, from: 10, to: 20 }]);
  expect(epochSpans(entries, 12, 30)).toEqual([{ epoch: 2, from: 12, to: 25 }, { epoch: 3, from: 25, to: 30 }]);
  expect(epochSpans([], 0, 0)).toEqual([]);
});

test("a strip shows the end of every copy, unless one is far behind", () => {
  const at = (logEndOffset: number) => ({ logEndOffset, nextOffset: logEndOffset }) as ReplicaView;
  const near = offsetWindow({ replicas: [at(1_000), at(970)], committed: 980 });
  expect(near.from).toBeLessThan(970);
  expect(near.to).toBeGreaterThan(1_000);
  expect(near.to - near.from).toBe(40);
  const far = offsetWindow({ replicas: [at(9_000), at(3)], committed: 9_000 });
  expect(far.to - far.from).toBe(640);
  expect(far.to).toBeGreaterThan(9_000);
  expect(offsetWindow({ replicas: [], committed: 0 })).toEqual({ from: 0, to: 40 });
});

test("every kind of fault has a colour", () => {
  const kinds = [...faultKinds, ...memberFaultKinds, ...adminFaultKinds];
  const areas = Object.fromEntries(kinds.map((kind) => [kind, faultArea(kind)]));
  expect(areas).toMatchObject({
    "kill-tab": "tab", "freeze-tab": "tab", "sleep-profile": "tab", "lose-power": "disk", "stall-storage": "disk",
    "cut-one-way": "network", "isolate-from-server": "network", "mute-to-server": "network", "slow-link": "network",
    "kill-server": "server", "pause-server": "server", "slow-server-disk": "server", "crash-consumer": "client",
    "freeze-client": "client", "isolate-client": "client", "break-client-links": "client", "duplicate-tab": "tab",
    "reassign-partition": "topic", "delete-records": "topic",
  });
  expect(memberFaultKinds.map((kind) => areas[kind])).toEqual(memberFaultKinds.map(() => "client"));
});
