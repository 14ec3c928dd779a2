import type { Chance } from "../../src/platform/simulated/chance.ts";
import { COORDINATOR } from "./schedule.ts";
import type { Schedule } from "./schedule.ts";
import { repeated } from "./script.ts";
import type { Passage, Script, Step } from "./script.ts";

const oneTopic = { leaderAckedPartitions: 0, passingPartitions: 0, recordsPerSecond: 10, partitions: 4 } as const;
const classic = { ...oneTopic, eagerMembers: 3, cooperativeMembers: 3, consumerMembers: 0 } as const;
const consumer = { ...oneTopic, eagerMembers: 0, cooperativeMembers: 0, consumerMembers: 4 } as const;
const restless = {
  ...oneTopic, recordsPerSecond: 60, latencyMs: 40, eagerMembers: 0, cooperativeMembers: 4, consumerMembers: 4,
} as const;
const mixed = { ...oneTopic, eagerMembers: 2, cooperativeMembers: 2, consumerMembers: 3, staticMembers: 1 } as const;

/** Sequences that groups, or their coordinators, hardly go through by chance. */
export const groupScripts: ReadonlyMap<string, Script> = new Map<string, Script>([
  ["coordinator-killed-in-rebalance", repeated(killedAt("rebalance"), mixed)],
  ["coordinator-killed-in-commit", repeated(killedAt("commit"), mixed)],
  ["coordinator-killed-while-loading", repeated(killedWhileLoading, mixed)],
  ["coordinator-replaced", repeated(coordinatorReplaced, mixed)],
  ["coordinator-alone", repeated(coordinatorAlone, { ...mixed, staticMembers: 0, replicaLagMs: 1_000 })],
  ["names-come-back", repeated(namesComeBack, { ...classic, consumerMembers: 2, staticMembers: 3 })],
  ["names-asleep", repeated(namesAsleep, { ...classic, recordsPerSecond: 60, staticMembers: 3 })],
  ["members-take-long", repeated(membersTakeLong, { ...mixed, staticMembers: 0 })],
  ["members-wake-up", repeated(membersWakeUp, { ...mixed, staticMembers: 0 })],
  ["members-restless", repeated(membersRestless, restless)],
  ["epochs-unheard", repeated(epochsUnheard, { ...consumer, partitions: 2, latencyMs: 10 })],
  ["hand-over", repeated(handOver, { ...consumer, partitions: 6 })],
]);

/** A member comes or goes, and the coordinator dies at the next step that the group takes. */
function killedAt(on: "rebalance" | "commit"): Passage {
  return (atMs, chance) => {
    const target = chance.below(60);
    const kind = chance.pick(["join-member", "close-member", "crash-member"] as const);
    const kills = Array.from({ length: chance.between(1, 3) }, (_, index): Step => {
      const killMs = atMs + index * chance.between(20, 700);
      const how = chance.pick(["kill-tab", "kill-tab", "isolate-tab", "close-tab"] as const);
      return { atMs: killMs, on, kind: how, aim: COORDINATOR, target: target + index, durationMs: chance.between(300, 3_000) };
    });
    return { steps: [{ atMs, kind, target, durationMs: chance.between(500, 5_000) }, ...kills], ms: 6_000 };
  };
}

/** One coordinator after the other dies, each as soon as it begins to load what the one before had. */
function killedWhileLoading(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const loads = Array.from({ length: chance.between(1, 3) }, (_, index): Step => {
    const durationMs = chance.between(200, 1_500);
    return { atMs: atMs + 10 + index * 30, on: "load", kind: "kill-tab", aim: COORDINATOR, target, durationMs };
  });
  return { steps: [{ atMs, kind: "kill-tab", aim: COORDINATOR, target, durationMs: 1_000 }, ...loads], ms: 5_000 };
}

/** A coordinator goes on without having heard that another one takes its place, while members come and go. */
function coordinatorReplaced(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const kind = chance.pick(["isolate-from-server", "freeze-tab", "sleep-tab", "mute-to-server"] as const);
  const durationMs = chance.between(4_500, 8_000);
  return {
    steps: [
      { atMs, kind, aim: COORDINATOR, target, durationMs },
      { atMs: atMs + chance.between(100, 5_000), kind: "crash-member", target, durationMs: chance.between(100, 3_000) },
      { atMs: atMs + chance.between(100, 5_000), kind: "join-member", target: target + 3, durationMs: 4_000 },
    ],
    ms: durationMs + 4_000,
  };
}

/** A coordinator that can commit nothing for longer than sessions last: nobody could be heard, and nobody is silent. */
function coordinatorAlone(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const durationMs = chance.between(9_000, 12_000);
  return { steps: [{ atMs, kind: "isolate-from-tabs", aim: COORDINATOR, target, durationMs }], ms: durationMs + 5_000 };
}

/** Static members crash and come back, also while they are still there, and sometimes their coordinator changes meanwhile. */
function namesComeBack(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const steps: Step[] = [
    { atMs, kind: "crash-member", target, durationMs: chance.between(100, 5_000) },
    { atMs: atMs + chance.between(0, 2_000), kind: "replace-member", target: target + 1 },
    { atMs: atMs + chance.between(0, 4_000), kind: "freeze-member", target: target + 2, durationMs: 2_000 },
    { atMs: atMs + chance.between(0, 4_000), kind: "replace-member", target: target + 2 },
  ];
  const killMs = atMs + chance.between(0, 3_000);
  if (chance.permille(500)) steps.push({ atMs: killMs, kind: "kill-tab", aim: COORDINATOR, target, durationMs: 1_000 });
  return { steps, ms: 8_000 };
}

/** A static member sleeps through a rebalance, and keeps its place: it wakes up in the generation before. */
function namesAsleep(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  return {
    steps: [
      { atMs, kind: "freeze-member", target, durationMs: chance.between(4_600, 5_800) },
      { atMs: atMs + chance.between(20, 400), kind: "join-member", target, durationMs: 8_000 },
    ],
    ms: 10_000,
  };
}

/** A member takes longer over what it has read than the others are to wait for it. */
function membersTakeLong(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  return {
    steps: [
      { atMs, kind: "pause-member", target, durationMs: chance.between(3_000, 8_000) },
      { atMs: atMs + chance.between(50, 1_000), kind: "join-member", target, durationMs: chance.between(2_000, 6_000) },
    ],
    ms: 10_000,
  };
}

/** A member sleeps until others have what it had, and goes on in the middle of what it did. */
function membersWakeUp(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const durationMs = chance.between(5_000, 11_000);
  const steps: Step[] = [{ atMs, kind: "freeze-member", target, durationMs }];
  const joinMs = atMs + chance.between(0, 2_000);
  if (chance.permille(600)) steps.push({ atMs: joinMs, kind: "join-member", target, durationMs: 6_000 });
  return { steps, ms: durationMs + 3_000 };
}

/** Members come and go all the time, over slow links: commits are on their way while everybody moves on. */
function membersRestless(atMs: number, chance: Chance): ReturnType<Passage> {
  const steps = Array.from({ length: 6 }, (_, index): Step => {
    const kind = chance.pick(["join-member", "close-member", "crash-member"] as const);
    const durationMs = chance.between(300, 2_000);
    return { atMs: atMs + 700 * index + chance.below(700), kind, target: chance.below(60), durationMs };
  });
  return { steps, ms: 4_000 };
}

/**
 * A member's links break again and again while the others come and go: the answers that would tell it of its next epoch
 * are lost, two in a row as well, and it asks in one that is over.
 */
function epochsUnheard(atMs: number, chance: Chance, { producers, consumers }: Schedule): ReturnType<Passage> {
  const target = chance.below(4);
  const often = Array.from({ length: 12 }, (_, index) => atMs + 200 * index);
  const steps = often.flatMap((fromMs, index): Step[] => {
    const other = (target + 1 + (index % 3)) % 4;
    const [closeMs, breakMs] = [fromMs + chance.below(200), fromMs + chance.below(200)];
    return [
      { atMs: closeMs, kind: "close-member", target: other, durationMs: chance.between(50, 200) },
      { atMs: breakMs, kind: "break-client-links", target: producers + consumers + target, durationMs: 10 },
    ];
  });
  return { steps, ms: 4_000 };
}

/** Members come while others hold what they are to get, and links break with the word of it on its way. */
function handOver(atMs: number, chance: Chance, { producers, consumers }: Schedule): ReturnType<Passage> {
  const target = chance.below(60);
  const breaks = Array.from({ length: chance.between(2, 8) }, (_, index): Step => {
    const client = producers + consumers + chance.below(4);
    return { atMs: atMs + 200 * index + chance.below(200), kind: "break-client-links", target: client, durationMs: 10 };
  });
  return {
    steps: [
      { atMs, kind: "join-member", target, durationMs: chance.between(1_500, 5_000) },
      { atMs: atMs + chance.between(0, 1_000), kind: "pause-member", target, durationMs: chance.between(300, 6_000) },
      { atMs: atMs + chance.between(0, 3_000), kind: "crash-member", target: target + 1, durationMs: 2_000 },
      ...breaks,
    ],
    ms: 7_000,
  };
}
