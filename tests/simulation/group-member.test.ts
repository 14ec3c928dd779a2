import { expect, test } from "vitest";
import { offsetCommit } from "../../src/protocol/apis/08-offset-commit.ts";
import { COORDINATOR, plainSchedule } from "./schedule.ts";
import { Simulation } from "./simulate.ts";

test("a member's commits go one after another, however long the coordinator takes", { timeout: 60_000 }, async () => {
  const schedule = {
    ...plainSchedule,
    partitions: 4,
    eagerMembers: 1,
    consumerMembers: 1,
    faults: [
      { atMs: 3_000, on: "time", kind: "freeze-tab", aim: COORDINATOR, target: 0, other: 0, durationMs: 2_500 },
      { atMs: 3_000, on: "time", kind: "freeze-tab", aim: COORDINATOR, target: 1, other: 0, durationMs: 2_500 },
    ] as const,
  };
  const simulation = new Simulation(1, { seconds: 6, schedule });
  const { network } = simulation.cluster;
  // By member, the commits that are not answered, as `link/correlation id`.
  const open = new Map<string, Set<string>>();
  let [commits, mostOpen] = [0, 0];
  network.sent = ({ node, other }, frame) => {
    const correlationId = (at: number) => new DataView(frame.buffer, frame.byteOffset).getInt32(at);
    if (!node.includes("member")) return void open.get(other.node)?.delete(`${node}/${correlationId(0)}`);
    if (frame[0] !== 0 || frame[1] !== offsetCommit.key) return;
    const ofMember = open.get(node) ?? new Set();
    open.set(node, ofMember.add(`${other.node}/${correlationId(4)}`));
    commits++;
    mostOpen = Math.max(mostOpen, ofMember.size);
  };
  await simulation.finish();
  expect(simulation.result.violation).toBeUndefined();
  expect(commits).toBeGreaterThan(5);
  expect(mostOpen).toBe(1);
});
