import { describe, expect, test } from "vitest";
import { plainSchedule } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import { simulate } from "./simulate.ts";

/** A run that failed once, shrunk, with its schedule written out, for how schedules are drawn will change. */
interface Regression {
  readonly name: string;
  readonly seed: number;
  readonly seconds: number;
  readonly schedule: Schedule;
  /** A mark without which the run would not be about this any more. */
  readonly reaches?: string;
}

const regressions: readonly Regression[] = [
  {
    name: "a broker that is gone for good is replaced, though its delay ends at a fraction of a millisecond",
    seed: 2010,
    seconds: 30,
    schedule: {
      ...plainSchedule,
      tabs: 5,
      profiles: 5,
      partitions: 3,
      producers: 1,
      consumers: 2,
      recordsPerSecond: 20,
      faults: [
        { atMs: 4_616, on: "time", kind: "restore-storage", aim: "any", target: 39, other: 17, durationMs: 11_719 },
        { atMs: 13_224, on: "time", kind: "kill-server", aim: "any", target: 17, other: 37, durationMs: 13_434 },
        { atMs: 18_641, on: "time", kind: "kill-server", aim: "any", target: 48, other: 50, durationMs: 197 },
        { atMs: 21_305, on: "time", kind: "fill-server-disk", aim: "any", target: 37, other: 46, durationMs: 6_366 },
      ],
    },
  },
  {
    name: "[R16] a producer is known after a restart, though the leader's clock is a day ahead of its records",
    seed: 3,
    seconds: 9,
    schedule: {
      ...plainSchedule,
      partitions: 1,
      producers: 1,
      faults: [
        { atMs: 3_000, on: "time", kind: "kill-tab", aim: "follower", target: 0, other: 0, durationMs: 5_000 },
        { atMs: 3_000, on: "time", kind: "kill-tab", aim: "follower", target: 0, other: 1, durationMs: 5_000 },
        { atMs: 3_500, on: "time", kind: "reload-tab", aim: "leader", target: 0, other: 0, durationMs: 5_000 },
      ],
    },
  },
  {
    name: "[R9] a leader that is granted a smaller ISR does not commit by a minimum that was raised before",
    seed: 1,
    seconds: 8,
    schedule: {
      ...plainSchedule,
      partitions: 1,
      minInsyncReplicas: 1,
      passingPartitions: 1,
      replicaLagMs: 1_000,
      faults: [
        { atMs: 3_000, on: "time", kind: "cut", aim: "leader", target: 0, other: 1, durationMs: 4_000 },
        { atMs: 3_010, on: "time", kind: "cut", aim: "leader", target: 0, other: 2, durationMs: 4_000 },
        { atMs: 3_100, on: "time", kind: "slow-from-server", aim: "leader", target: 0, other: 39, durationMs: 3_500 },
        { atMs: 4_000, on: "time", kind: "remake-topic", aim: "any", target: 0, other: 0, durationMs: 4_000 },
        { atMs: 4_050, on: "time", kind: "alter-min-isr", aim: "any", target: 0, other: 1, durationMs: 4_000 },
        { atMs: 7_100, on: "time", kind: "kill-tab", aim: "leader", target: 0, other: 0, durationMs: 4_000 },
      ],
    },
  },
  {
    name: "a message that waited for room in the buffer fails within its deliveryTimeout, not within two of them",
    seed: 415,
    seconds: 26,
    schedule: {
      ...plainSchedule,
      tabs: 4,
      profiles: 4,
      producers: 1,
      sdkProducers: 1,
      recordsPerSecond: 10,
      latencyMs: 2,
      retentionBytes: 20_000,
      replicaLagMs: 3_000,
      snapshotRecords: 40,
      faults: [
        { atMs: 10_891, on: "time", kind: "isolate-client", aim: "any", target: 40, other: 41, durationMs: 11_587 },
        { atMs: 23_866, on: "time", kind: "isolate-client", aim: "any", target: 54, other: 26, durationMs: 11_260 },
      ],
    },
  },
  {
    name: "a client that has connected knows the present leaders, not those of a snapshot",
    seed: 1201,
    seconds: 118,
    schedule: {
      ...plainSchedule,
      tabs: 4,
      profiles: 4,
      consumers: 3,
      sdkProducers: 1,
      recordsPerSecond: 10,
      retentionBytes: 20_000,
      replicaLagMs: 3_000,
      lingerMs: 10,
      relaxedTabs: 1,
      snapshotRecords: 40,
      faults: [
        { atMs: 3_181, on: "time", kind: "isolate-tab", aim: "any", target: 2, other: 0, durationMs: 8_028 },
        { atMs: 4_509, on: "time", kind: "sleep-tab", aim: "any", target: 3, other: 0, durationMs: 4_910 },
        { atMs: 25_550, on: "time", kind: "fill-server-disk", aim: "any", target: 52, other: 4, durationMs: 9_937 },
        { atMs: 51_333, on: "time", kind: "isolate-from-tabs", aim: "any", target: 16, other: 0, durationMs: 2_480 },
        { atMs: 53_009, on: "time", kind: "isolate-from-tabs", aim: "any", target: 17, other: 0, durationMs: 937 },
        { atMs: 70_883, on: "time", kind: "deaf-to-tab", aim: "leader", target: 24, other: 20, durationMs: 12_711 },
        { atMs: 107_471, on: "time", kind: "kill-profile", aim: "any", target: 59, other: 25, durationMs: 14_428 },
        { atMs: 109_163, on: "time", kind: "fill-server-disk", aim: "any", target: 51, other: 19, durationMs: 6_891 },
        { atMs: 116_147, on: "decision", kind: "flap-link", aim: "any", target: 13, other: 54, durationMs: 9_773 },
      ],
    },
  },
  {
    name: "[R4, R16] a follower keeps nothing that its leader has trimmed, and remembers no batch of it",
    seed: 2336,
    seconds: 116,
    schedule: {
      ...plainSchedule,
      partitions: 4,
      consumers: 2,
      retentionBytes: 2_000,
      lingerMs: 10,
      faults: [
        { atMs: 14_613, on: "time", kind: "sleep-profile", aim: "any", target: 15, other: 16, durationMs: 1_492 },
        { atMs: 46_865, on: "election", kind: "slow-from-server", aim: "any", target: 2, other: 32, durationMs: 1_417 },
        { atMs: 48_346, on: "time", kind: "alter-retention", aim: "any", target: 53, other: 59, durationMs: 1_431 },
        { atMs: 59_127, on: "time", kind: "damage-storage", aim: "leader", target: 31, other: 51, durationMs: 5_672 },
        { atMs: 63_350, on: "time", kind: "slow-link", aim: "any", target: 40, other: 2, durationMs: 11_903 },
        { atMs: 67_283, on: "time", kind: "cut-one-way", aim: "any", target: 48, other: 42, durationMs: 1_485 },
        { atMs: 82_963, on: "time", kind: "lose-power", aim: "any", target: 56, other: 48, durationMs: 179 },
        { atMs: 85_360, on: "time", kind: "reload-storm", aim: "follower", target: 6, other: 55, durationMs: 969 },
        { atMs: 100_448, on: "time", kind: "isolate-tab", aim: "any", target: 24, other: 0, durationMs: 2_549 },
        { atMs: 100_677, on: "time", kind: "isolate-from-server", aim: "any", target: 25, other: 0, durationMs: 1_632 },
        { atMs: 102_243, on: "time", kind: "isolate-from-server", aim: "any", target: 26, other: 0, durationMs: 8_690 },
        { atMs: 108_998, on: "time", kind: "isolate-from-tabs", aim: "any", target: 47, other: 0, durationMs: 5_786 },
        { atMs: 109_144, on: "time", kind: "isolate-from-server", aim: "any", target: 48, other: 0, durationMs: 7_006 },
      ],
    },
  },
  {
    name: "a commit that a member asks for again takes back none that came after it",
    seed: 470,
    seconds: 20,
    schedule: {
      ...plainSchedule,
      tabs: 4,
      profiles: 4,
      partitions: 1,
      producers: 4,
      consumers: 2,
      recordsPerSecond: 2,
      latencyMs: 40,
      passingPartitions: 2,
      compactedPartitions: 1,
      eagerMembers: 2,
      cooperativeMembers: 4,
      replicaLagMs: 1_000,
      batchesPerEpoch: 13,
      relayedTabs: 2,
      faults: [
        { atMs: 2_000, on: "time", kind: "join-member", aim: "any", target: 15, other: 41, durationMs: 56 },
        { atMs: 2_671, on: "broker-change", kind: "reload-storm", aim: "any", target: 53, other: 45, durationMs: 1_653 },
        { atMs: 3_408, on: "time", kind: "slow-storage", aim: "any", target: 49, other: 48, durationMs: 520 },
        { atMs: 10_809, on: "time", kind: "isolate-from-tabs", aim: "any", target: 42, other: 0, durationMs: 6_591 },
        { atMs: 12_738, on: "time", kind: "sleep-tab", aim: "any", target: 43, other: 0, durationMs: 5_819 },
        { atMs: 12_783, on: "time", kind: "sleep-tab", aim: "any", target: 44, other: 0, durationMs: 3_194 },
        { atMs: 14_579, on: "time", kind: "freeze-tab", aim: "any", target: 45, other: 0, durationMs: 1_563 },
        { atMs: 16_153, on: "time", kind: "sleep-tab", aim: "follower", target: 18, other: 0, durationMs: 3_620 },
        { atMs: 17_946, on: "time", kind: "close-member", aim: "any", target: 59, other: 59, durationMs: 8_967 },
        { atMs: 17_988, on: "time", kind: "server-clock-stop", aim: "any", target: 26, other: 19, durationMs: 11_742 },
      ],
    },
  },
  {
    name: "[R18] whoever copies from a leader of the ELR, which undid a deletion, may lead with what that one brought back",
    seed: 126,
    seconds: 16,
    reaches: "deletion undone by ELR election",
    schedule: {
      ...plainSchedule,
      partitions: 1,
      producers: 1,
      faults: [
        { atMs: 3_000, on: "time", kind: "kill-tab", aim: "follower", target: 0, other: 0, durationMs: 6_000 },
        { atMs: 4_000, on: "time", kind: "kill-tab", aim: "follower", target: 0, other: 1, durationMs: 3_000 },
        { atMs: 5_000, on: "time", kind: "delete-records", aim: "any", target: 0, other: 0, durationMs: 0 },
        { atMs: 6_000, on: "time", kind: "kill-tab", aim: "leader", target: 0, other: 0, durationMs: 15_000 },
        { atMs: 13_000, on: "time", kind: "kill-tab", aim: "leader", target: 0, other: 0, durationMs: 3_000 },
      ],
    },
  },
  {
    name: "a consumer that is disconnected while it connects does not join its group after all",
    seed: 718,
    seconds: 18,
    schedule: {
      ...plainSchedule,
      producers: 1,
      recordsPerSecond: 5,
      minInsyncReplicas: 3,
      sdkMembers: 1,
      replicaLagMs: 1_000,
      lingerMs: 50,
      firstSequence: 2_147_483_610,
      batchesPerEpoch: 47,
      relaxedTabs: 1,
      faults: [
        { atMs: 10_348, on: "time", kind: "pause-server", aim: "any", target: 7, other: 16, durationMs: 8_052 },
        { atMs: 11_062, on: "time", kind: "join-member", aim: "any", target: 38, other: 5, durationMs: 114 },
      ],
    },
  },
  {
    name: "a member that joins too late is forgotten, though its commits are taken meanwhile",
    seed: 288,
    seconds: 29,
    schedule: {
      ...plainSchedule,
      partitions: 4,
      producers: 1,
      sdkConsumers: 1,
      recordsPerSecond: 10,
      latencyMs: 40,
      eagerMembers: 2,
      consumerMembers: 1,
      snapshotRecords: 40,
      relayedTabs: 1,
      faults: [
        { atMs: 2_616, on: "time", kind: "pause-member", aim: "any", target: 5, other: 0, durationMs: 6_490 },
        { atMs: 3_186, on: "time", kind: "join-member", aim: "any", target: 5, other: 0, durationMs: 5_266 },
        { atMs: 13_890, on: "time", kind: "join-member", aim: "any", target: 39, other: 0, durationMs: 2_300 },
        { atMs: 24_740, on: "time", kind: "join-member", aim: "any", target: 6, other: 0, durationMs: 3_343 },
      ],
    },
  },
  {
    name: "a member that joins too late is forgotten, though answers to its commits waited until then",
    seed: 137,
    seconds: 116,
    schedule: {
      ...plainSchedule,
      tabs: 4,
      profiles: 4,
      partitions: 1,
      consumers: 2,
      recordsPerSecond: 20,
      eagerMembers: 3,
      staticMembers: 1,
      lingerMs: 10,
      relayedTabs: 1,
      faults: [
        { atMs: 4_171, on: "time", kind: "close-member", aim: "any", target: 38, other: 35, durationMs: 979 },
        { atMs: 6_080, on: "time", kind: "add-partitions", aim: "any", target: 25, other: 18, durationMs: 63 },
        { atMs: 7_497, on: "time", kind: "reload-tab", aim: "coordinator", target: 27, other: 44, durationMs: 813 },
        { atMs: 62_470, on: "time", kind: "wipe-storage", aim: "follower", target: 31, other: 36, durationMs: 3_016 },
        { atMs: 90_629, on: "time", kind: "close-member", aim: "any", target: 17, other: 50, durationMs: 4_878 },
        { atMs: 100_556, on: "time", kind: "reload-tab", aim: "any", target: 13, other: 45, durationMs: 6_344 },
        { atMs: 101_996, on: "time", kind: "close-member", aim: "any", target: 27, other: 17, durationMs: 1_310 },
        { atMs: 103_768, on: "time", kind: "join-member", aim: "any", target: 31, other: 15, durationMs: 472 },
        { atMs: 108_448, on: "time", kind: "close-member", aim: "any", target: 50, other: 32, durationMs: 1_442 },
        { atMs: 108_874, on: "time", kind: "isolate-from-tabs", aim: "any", target: 51, other: 0, durationMs: 6_555 },
      ],
    },
  },
  {
    name: "[R20] a damaged log does not make the same broker coordinate a group, and fail, again and again",
    seed: 58,
    seconds: 105,
    schedule: {
      ...plainSchedule,
      profiles: 2,
      partitions: 3,
      producers: 1,
      recordsPerSecond: 5,
      consumerMembers: 1,
      replicaLagMs: 3_000,
      lingerMs: 50,
      snapshotRecords: 40,
      faults: [
        { atMs: 56_612, on: "time", kind: "damage-storage", aim: "any", target: 40, other: 55, durationMs: 4_778 },
        { atMs: 104_607, on: "time", kind: "crash-member", aim: "any", target: 51, other: 55, durationMs: 1_438 },
      ],
    },
  },
  {
    name: "[KIP-848] a coordinator that slept while it was replaced may tell a former member what it had",
    seed: 28,
    seconds: 15,
    schedule: {
      ...plainSchedule,
      producers: 1,
      consumers: 0,
      recordsPerSecond: 5,
      consumerMembers: 2,
      faults: [
        { atMs: 3_000, on: "time", kind: "isolate-from-server", aim: "coordinator", target: 0, other: 0, durationMs: 13_000 },
        { atMs: 3_050, on: "time", kind: "sleep-tab", aim: "coordinator", target: 0, other: 0, durationMs: 9_500 },
        { atMs: 3_700, on: "time", kind: "freeze-member", aim: "any", target: 0, other: 0, durationMs: 10_400 },
      ],
    },
  },
  {
    name: "a member begins at what its group has committed, though a leader that was replaced has less",
    seed: 455,
    seconds: 15,
    schedule: {
      ...plainSchedule,
      producers: 1,
      consumers: 0,
      recordsPerSecond: 5,
      consumerMembers: 2,
      faults: [
        { atMs: 3_000, on: "time", kind: "isolate-from-server", aim: "coordinator", target: 0, other: 0, durationMs: 13_000 },
        { atMs: 3_050, on: "time", kind: "sleep-tab", aim: "coordinator", target: 0, other: 0, durationMs: 9_500 },
        { atMs: 3_700, on: "time", kind: "freeze-member", aim: "any", target: 1, other: 0, durationMs: 10_400 },
      ],
    },
  },
  {
    name: "a member that was removed and joined again commits nothing of its former life",
    seed: 72,
    seconds: 15,
    schedule: {
      ...plainSchedule,
      producers: 1,
      consumers: 0,
      recordsPerSecond: 5,
      sdkMembers: 2,
      faults: [
        { atMs: 3_000, on: "time", kind: "isolate-from-server", aim: "coordinator", target: 0, other: 0, durationMs: 13_000 },
        { atMs: 3_050, on: "time", kind: "sleep-tab", aim: "coordinator", target: 0, other: 0, durationMs: 9_500 },
        { atMs: 3_700, on: "time", kind: "freeze-member", aim: "any", target: 0, other: 0, durationMs: 10_400 },
      ],
    },
  },
];

describe("what failed once", () => {
  test.each(regressions)("$name", { timeout: 60_000 }, async ({ seed, seconds, schedule, reaches }) => {
    const { violation, marks } = await simulate(seed, { seconds, schedule });
    expect(violation).toBeUndefined();
    if (reaches !== undefined) expect([...marks.keys()]).toContain(reaches);
  });
});
