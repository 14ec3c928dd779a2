import type { Chance } from "../../src/platform/simulated/chance.ts";
import type { Schedule } from "./schedule.ts";
import { repeated } from "./script.ts";
import type { Passage, Script, Step } from "./script.ts";
import { groupScripts } from "./scripted-groups.ts";

/** The other end of a link is counted from the server on; the leader's followers come next. */
const SERVER_END = 0;
const FIRST_FOLLOWER_END = 1;
/** In a cluster of three tabs. */
const FIRST_CLIENT_END = 3;

const oneTopic = { leaderAckedPartitions: 0, passingPartitions: 0, recordsPerSecond: 60 } as const;
const slowAnswers = { partitions: 1, recordsPerSecond: 120, latencyMs: 40, produceTimeoutMs: 200 } as const;
const fullBatches = { latencyMs: 2, recordsPerSecond: 100, lingerMs: 400, batchesPerEpoch: 0 } as const;
const scriptedOnly = { producers: 2, sdkProducers: 0 } as const;
const threeTabs = { tabs: 3, profiles: 3, relayedTabs: 0 } as const;
const quiet = { recordsPerSecond: 2, replicaLagMs: 10_000, relayedTabs: 0 } as const;
const sdkOnly = { producers: 3, sdkProducers: 3, lingerMs: 0 } as const;

/**
 * Sequences that random faults hardly make, each after a loss of data that somebody had, or a rule that is there to
 * prevent one. They repeat for as long as the run lasts, each time with other lengths.
 */
export const scriptedSchedules: ReadonlyMap<string, Script> = new Map<string, Script>([
  ["pause-kill", repeated(takeTurns("freeze-tab"))],
  ["part-kill", repeated(takeTurns("isolate-tab"))],
  ["amnesiac-rejoin", repeated(amnesiacRejoin, { relaxedTopic: true })],
  ["double-failover", repeated(doubleFailover)],
  ["diverging-epochs", repeated(divergingEpochs, { partitions: 1, leaderAckedPartitions: 1, passingPartitions: 0 })],
  ["restart-before-join", repeated(restartBeforeJoin, { relaxedTopic: true, replicaLagMs: 1_000 })],
  ["forgotten-proposal", repeated(forgottenProposal, { replicaLagMs: 1_000 })],
  ["late-metadata", repeated(lateMetadata, { partitions: 4 })],
  ["reload-storm", repeated(reloadStorm)],
  ["rolling-restart", repeated(rollingRestart)],
  ["overnight", repeated(overnight)],
  ["last-member", repeated(lastMember)],
  ["stale-leader", repeated(staleLeader)],
  ["writing-while-elected", repeated(writingWhileElected)],
  ["stale-proposal", repeated(staleProposal, { replicaLagMs: 1_000 })],
  ["restarts-while-proposed", repeated(restartsWhileProposed)],
  ["minimum-raised", repeated(minimumRaised, { partitions: 1, minInsyncReplicas: 1, passingPartitions: 1, replicaLagMs: 1_000 })],
  ["controller-killed", repeated(controllerKilled, { snapshotRecords: 40 })],
  ["unanswered-proposal", repeated(unansweredProposal, { ...oneTopic, partitions: 1, replicaLagMs: 1_000 })],
  ["lagging-successor", repeated(laggingSuccessor, { ...oneTopic, partitions: 1, replicaLagMs: 10_000 })],
  ["relaxed-candidate", repeated(relaxedCandidate, { tabs: 3, profiles: 3, relaxedTabs: 1, relaxedTopic: false })],
  ["given-up", repeated(givenUp, { ...oneTopic, ...sdkOnly, partitions: 2, recordsPerSecond: 10, replicaLagMs: 3_000 })],
  ["answers-lost", repeated(answersLost, { ...oneTopic, ...sdkOnly, ...slowAnswers })],
  ["shrink-unanswered", repeated(shrinkUnanswered, { ...oneTopic, partitions: 1, replicaLagMs: 1_000 })],
  ["trimmed-tail", repeated(trimmedTail, { ...oneTopic, ...scriptedOnly, ...fullBatches, partitions: 1, replicaLagMs: 10_000 })],
  ["starts-anew", repeated(startsAnew, { ...oneTopic, ...threeTabs, ...scriptedOnly, partitions: 1, latencyMs: 2 })],
  ["deletes-and-dies", repeated(deletesAndDies, { ...oneTopic, partitions: 1 })],
  ["joins-after-deletion", repeated(joinsAfterDeletion, { ...oneTopic, ...quiet, partitions: 1, latencyMs: 40 })],
  ...groupScripts,
]);

/**
 * Jepsen's scripts against NATS: a minority is paused, or cut off, while writes pile up; then a node that has them is
 * killed, the minority is let go, and the killed one comes back, perhaps without its memory.
 */
function takeTurns(away: "freeze-tab" | "isolate-tab"): Passage {
  return (atMs, chance) => {
    const target = chance.below(60);
    const awayMs = chance.between(1_000, 9_000);
    const killMs = atMs + awayMs - chance.between(0, 800);
    const [kind] = chance.permille(300) ? (["lose-power"] as const) : (["kill-tab"] as const);
    return {
      steps: [
        { atMs, kind: away, aim: "follower", target, durationMs: awayMs },
        { atMs: killMs, kind, aim: "leader", target, durationMs: chance.between(200, 6_000) },
        { atMs: killMs + chance.between(0, 500), kind: away, aim: "any", target: target + 1, durationMs: awayMs / 2 | 0 },
      ],
      ms: awayMs + 4_000,
    };
  };
}

/** A follower loses the end of its log, or all of it, and comes back at once under load. */
function amnesiacRejoin(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const kind = chance.pick(["lose-power", "lose-power", "wipe-storage", "restore-storage"] as const);
  return {
    steps: [
      { atMs, kind, aim: "follower", target, other: chance.below(2), durationMs: chance.between(10, 400) },
      { atMs: atMs + chance.between(100, 900), kind: "kill-tab", aim: "leader", target, durationMs: 2_000 },
    ],
    ms: 3_000,
  };
}

/** KIP-279: leaders change twice while each has records that the others lack, so that logs diverge over two rounds. */
function doubleFailover(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const apartMs = chance.between(4_500, 7_000);
  const secondMs = atMs + chance.between(300, apartMs);
  return {
    steps: [
      { atMs, kind: "isolate-from-tabs", aim: "leader", target, durationMs: apartMs },
      { atMs: atMs + chance.between(50, 900), kind: "isolate-from-server", aim: "leader", target, durationMs: apartMs },
      { atMs: secondMs, on: "election", kind: "isolate-from-tabs", aim: "leader", target, durationMs: apartMs },
      { atMs: secondMs + 100, kind: "isolate-from-server", aim: "leader", target, durationMs: apartMs },
    ],
    ms: 2 * apartMs,
  };
}

/**
 * KIP-279 once more, with the topic of acks=1, whose leaders append also when nothing can be committed. The first leader's
 * last records reach one follower only; the other one leads next, then the first, each alone with what it appends.
 * When the second leader comes back to lead, the third one has to ask twice where their logs part.
 */
function divergingEpochs(atMs: number, chance: Chance): ReturnType<Passage> {
  const aimed = { aim: "leader", target: 1 } as const;
  const turnMs = chance.between(1_500, 2_500);
  const secondMs = atMs + 600 + turnMs;
  return {
    steps: [
      { ...aimed, atMs, kind: "cut", other: FIRST_FOLLOWER_END, durationMs: 9_000 },
      // The first follower, and the second end behind the server.
      { ...aimed, atMs: atMs + 400, kind: "cut", aim: "follower", other: 2, durationMs: 600 + 2 * turnMs },
      { ...aimed, atMs: atMs + 600, kind: "kill-tab", durationMs: 12_000 },
      { ...aimed, atMs: secondMs, kind: "kill-tab", durationMs: turnMs + 1_000 },
      { ...aimed, atMs: secondMs + turnMs, kind: "kill-tab", durationMs: turnMs + 1_500 },
    ],
    ms: 14_000,
  };
}

/**
 * KIP-903: a follower catches up and is proposed for the ISR; before the proposal arrives, it restarts without the end
 * of its log, and cannot copy it again.
 */
function restartBeforeJoin(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const cut = { kind: "cut", aim: "leader", target, other: FIRST_FOLLOWER_END } as const;
  const healedMs = atMs + chance.between(1_800, 2_500);
  const gapMs = chance.between(60, 500);
  return {
    steps: [
      { ...cut, atMs, durationMs: healedMs - atMs },
      { atMs: healedMs - 5, kind: "mute-to-server", aim: "leader", target, durationMs: chance.between(1_000, 2_500) },
      { ...cut, atMs: healedMs + gapMs, durationMs: 3_000 },
      { atMs: healedMs + gapMs + 20, kind: "lose-power", aim: "follower", target, durationMs: chance.between(20, 200) },
    ],
    ms: 6_000,
  };
}

/**
 * A follower joins the ISR; its leader hears of it late, and meanwhile the follower falls behind again. Until it is told,
 * the leader has to count the one that it proposed.
 */
function forgottenProposal(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const cut = { kind: "cut", aim: "leader", target, other: FIRST_FOLLOWER_END } as const;
  const healedMs = atMs + chance.between(1_800, 2_500);
  const how = chance.pick(["deaf-to-server", "slow-server-disk"] as const);
  const deafMs = chance.between(2_000, 3_400);
  return {
    steps: [
      { ...cut, atMs, durationMs: healedMs - atMs },
      { atMs: healedMs - 5, kind: how, aim: "leader", target, durationMs: deafMs },
      { ...cut, atMs: healedMs + chance.between(30, 500), durationMs: deafMs },
    ],
    ms: 6_000,
  };
}

/**
 * Leadership goes to another tab and back before a follower has heard of the first change: what it knows then comes one
 * election at a time, and each time the leader that it knows of is another one.
 */
function lateMetadata(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const backMs = atMs + chance.between(200, 700);
  return {
    steps: [
      { atMs, kind: "kill-tab", aim: "leader", target, durationMs: backMs - atMs },
      { atMs: backMs + 100, kind: "slow-from-server", aim: "follower", target, other: chance.below(60), durationMs: 4_000 },
      { atMs: backMs + 150, on: "election", kind: "isolate-from-server", aim: "leader", target, durationMs: 3_000 },
      { atMs: backMs + 160, on: "election", kind: "break-link", aim: "leader", target, other: SERVER_END, durationMs: 10 },
    ],
    ms: 6_000,
  };
}

/** R12: a leader is reloaded again and again, faster than anybody notices. */
function reloadStorm(atMs: number, chance: Chance): ReturnType<Passage> {
  const durationMs = chance.between(1_000, 5_000);
  const target = chance.below(60);
  return { steps: [{ atMs, kind: "reload-storm", aim: "leader", target, durationMs }], ms: durationMs };
}

/** One tab after the other goes, as politely as it can, and comes back. */
function rollingRestart(atMs: number, chance: Chance, { tabs }: Schedule): ReturnType<Passage> {
  const everyMs = chance.between(300, 3_000);
  const kind = chance.pick(["close-tab", "close-tab", "reload-tab"] as const);
  const steps = Array.from({ length: tabs }, (_, target) => {
    return { atMs: atMs + target * everyMs, kind, target, durationMs: chance.between(200, 1_500) };
  });
  return { steps, ms: tabs * everyMs };
}

/** Everything goes to sleep, or loses its power, and wakes up in another order. */
function overnight(atMs: number, chance: Chance, { tabs }: Schedule): ReturnType<Passage> {
  const kind = chance.pick(["sleep-tab", "close-tab", "lose-power"] as const);
  const everyMs = chance.between(0, 400);
  const steps: Step[] = Array.from({ length: tabs }, (_, target) => {
    return { atMs: atMs + target * everyMs, kind, target, durationMs: chance.between(3_000, 9_000) };
  });
  if (chance.permille(500)) steps.push({ atMs: atMs + 500, kind: "kill-server", durationMs: chance.between(500, 9_000) });
  return { steps, ms: 10_000 };
}

/** The followers go one by one until the leader is alone; then it goes too, and they come back without it. */
function lastMember(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const kind = chance.pick(["kill-tab", "sleep-tab", "discard-tab"] as const);
  const secondMs = atMs + chance.between(100, 2_000);
  const thirdMs = secondMs + chance.between(100, 2_000);
  return {
    steps: [
      { atMs, kind, aim: "follower", target, other: 0, durationMs: chance.between(3_000, 9_000) },
      { atMs: secondMs, kind, aim: "follower", target, other: 1, durationMs: chance.between(3_000, 9_000) },
      { atMs: thirdMs, kind, aim: "leader", target, durationMs: chance.between(1_000, 9_000) },
    ],
    ms: 12_000,
  };
}

/** B6: a leader is frozen until others lead, and goes on in the middle of what it did, for whoever still talks to it. */
function staleLeader(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const kind = chance.pick(["freeze-tab", "sleep-tab", "isolate-from-server"] as const);
  return {
    steps: [{ atMs, kind, aim: "leader", target, durationMs: chance.between(2_500, 7_000) }],
    ms: 7_000,
  };
}

/** A follower is elected while what its leader sent last is on the way to its disk. */
function writingWhileElected(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const stalls = [0, 1].map((other) => {
    return { atMs, kind: "slow-storage", aim: "follower", target, other, durationMs: 2_500 } as const;
  });
  const killMs = atMs + chance.between(100, 2_000);
  return {
    steps: [...stalls, { atMs: killMs, kind: "kill-tab", aim: "leader", target, durationMs: chance.between(100, 2_000) }],
    ms: 3_000,
  };
}

/** A leader's proposals arrive late, after the controller has changed the partition by itself. */
function staleProposal(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const muteMs = chance.between(500, 3_000);
  const kind = chance.pick(["kill-tab", "break-link", "reload-tab"] as const);
  const end = { target, durationMs: chance.between(100, 1_500) };
  return {
    steps: [
      { atMs, kind: "cut", aim: "leader", target, other: FIRST_FOLLOWER_END, durationMs: 1_500 + muteMs },
      { atMs: atMs + 900, kind: "mute-to-server", aim: "leader", target, durationMs: muteMs },
      { ...end, atMs: atMs + 900 + chance.between(50, muteMs), kind, aim: "follower", other: 1 },
    ],
    ms: 5_000,
  };
}

/** A follower starts again and again, and whatever its leader proposes is about an earlier start of it (KIP-903). */
function restartsWhileProposed(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const durationMs = chance.between(2_000, 5_000);
  return {
    steps: [
      { atMs, kind: "slow-to-server", aim: "leader", target, other: chance.below(40), durationMs },
      { atMs: atMs + 10, kind: "reload-storm", aim: "follower", target, other: chance.below(2), durationMs },
    ],
    ms: durationMs + 1_000,
  };
}

/**
 * The minimum of the ISR goes up just when a leader, who hears of everything late, is granted an ISR that is below it:
 * the answer may overtake the news of the minimum, and the leader must not commit alone by the old one.
 */
function minimumRaised(atMs: number, chance: Chance): ReturnType<Passage> {
  const newsMs = atMs + chance.between(500, 1_400);
  return {
    steps: [
      { atMs, kind: "cut", aim: "leader", other: FIRST_FOLLOWER_END, durationMs: 4_000 },
      { atMs: atMs + 10, kind: "cut", aim: "leader", other: FIRST_FOLLOWER_END + 1, durationMs: 4_000 },
      { atMs: atMs + 100, kind: "slow-from-server", aim: "leader", other: chance.below(60), durationMs: 3_500 },
      // Any change of the metadata will do: while the leader has not heard of it, it is not told of the next one.
      { atMs: newsMs, kind: "remake-topic", durationMs: 5_000 },
      { atMs: newsMs + chance.between(10, 150), kind: "alter-min-isr", other: 1, durationMs: 6_000 },
      { atMs: atMs + 4_100, kind: "kill-tab", aim: "leader", durationMs: chance.between(500, 4_000) },
    ],
    ms: 10_000,
  };
}

/** The controller dies at one step after the other, each time with what it has just decided on its way to the disk. */
function controllerKilled(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const kind = chance.pick(["kill-tab", "reload-tab", "close-tab", "isolate-from-server", "wipe-storage"] as const);
  const kills: Step[] = Array.from({ length: chance.between(1, 6) }, (_, index) => {
    return { atMs: atMs + index * 150, on: "decision", kind: "kill-server", durationMs: chance.between(20, 600) };
  });
  return {
    steps: [{ atMs: atMs + 10, kind, aim: "leader", target, durationMs: chance.between(200, 3_000) }, ...kills],
    ms: 4_000,
  };
}

/**
 * A follower joins the ISR again, and the leader's link to the server breaks before it is told: no answer is no refusal,
 * and the leader must go on counting the follower.
 */
function unansweredProposal(atMs: number, chance: Chance): ReturnType<Passage> {
  const healedMs = atMs + chance.between(1_800, 2_500);
  return {
    steps: [
      { atMs, kind: "cut", aim: "leader", other: FIRST_FOLLOWER_END, durationMs: healedMs - atMs },
      { atMs: healedMs - 5, on: "isr-change", kind: "break-link", aim: "leader", other: SERVER_END, durationMs: 10 },
    ],
    ms: healedMs - atMs + 2_000,
  };
}

/**
 * KIP-279 from the other end: the follower that leads next lacks the last records of the leader before, and the one that
 * leads after it has them, but nothing of what the second leader appended. That one finds an epoch that is longer at its
 * new leader than in its own log, and has to cut its log where its own ends it.
 */
function laggingSuccessor(atMs: number, chance: Chance): ReturnType<Passage> {
  const apartMs = atMs + chance.between(50, 500);
  const firstMs = apartMs + chance.between(5, 100);
  const secondMs = firstMs + chance.between(700, 1_500);
  return {
    steps: [
      { atMs, kind: "cut", aim: "leader", other: FIRST_FOLLOWER_END, durationMs: 5_000 },
      // The first follower, and the second end behind the server.
      { atMs: apartMs, kind: "cut", aim: "follower", other: 2, durationMs: secondMs + 500 - apartMs },
      { atMs: firstMs, kind: "kill-tab", aim: "leader", durationMs: 6_000 },
      { atMs: secondMs, kind: "kill-tab", aim: "leader", durationMs: 1_500 },
    ],
    ms: 10_000,
  };
}

/** R11: the first tab, whose storage is relaxed, is one of the last that are complete when it loses its power. */
function relaxedCandidate(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.between(1, 2);
  const lossMs = atMs + chance.between(300, 1_500);
  return {
    steps: [
      { atMs, kind: "kill-tab", target, durationMs: chance.between(3_000, 6_000) },
      { atMs: lossMs, kind: "lose-power", target: 0, durationMs: chance.between(60, 400) },
    ],
    ms: 7_000,
  };
}

/**
 * Producers give a batch up of which nobody can say whether it was written, while those behind it may have been written
 * as well: their leader appends them and can commit nothing until shortly after their time is over.
 */
function givenUp(atMs: number, chance: Chance): ReturnType<Passage> {
  const target = chance.below(60);
  const durationMs = chance.between(7_500, 10_500);
  return { steps: [{ atMs, kind: "isolate-from-tabs", aim: "leader", target, durationMs }], ms: durationMs + 2_000 };
}

/**
 * Leaders commit about as fast as they give requests up, so that a batch may be given up and those behind it not; and
 * again and again the links of producers break, with the answer to its repetition under way.
 */
function answersLost(atMs: number, chance: Chance): ReturnType<Passage> {
  const slow = [0, 1].map((other) => {
    return { atMs, kind: "slow-storage", aim: "follower", other: other + 2 * chance.below(5), durationMs: 4_000 } as const;
  });
  const breaks = Array.from({ length: 12 }, (_, index): Step => {
    return { atMs: atMs + 330 * index + chance.below(330), kind: "break-client-links", target: index % 3, durationMs: 10 };
  });
  return { steps: [...slow, ...breaks], ms: 4_000 };
}

/**
 * A new leader has never heard from a follower and wants to go on without it, but nobody answers for long: until it is
 * granted that, the follower counts.
 */
function shrinkUnanswered(atMs: number, chance: Chance): ReturnType<Passage> {
  const durationMs = chance.between(1_000, 3_000);
  const kind = chance.pick(["pause-server", "slow-server-disk", "mute-to-server", "deaf-to-server"] as const);
  return {
    steps: [
      { atMs, kind: "isolate-from-tabs", aim: "follower", other: 1, durationMs: 1_000 + durationMs },
      { atMs: atMs + chance.between(10, 200), kind: "reload-tab", aim: "leader" },
      { atMs: atMs + 900, kind, aim: "leader", durationMs },
    ],
    ms: durationMs + 3_000,
  };
}

/**
 * A leader appends more and more that it cannot commit, of two producers, and dies. The next one hears of one of them
 * only, and deletes records up to where the first one's tail still goes on. Then the first leads again, with the other
 * producer's batches still to come.
 */
function trimmedTail(atMs: number, chance: Chance): ReturnType<Passage> {
  const killMs = atMs + chance.between(1_500, 3_000);
  const deletedMs = killMs + chance.between(300, 900);
  const backMs = deletedMs + chance.between(100, 500);
  const againMs = backMs + chance.between(1_000, 2_000);
  return {
    steps: [
      { atMs, kind: "isolate-from-tabs", aim: "leader", durationMs: killMs + 100 - atMs },
      { atMs: killMs - 20, kind: "isolate-client", target: 0, durationMs: againMs + 1_000 - killMs },
      { atMs: killMs, kind: "kill-tab", aim: "leader", durationMs: backMs - killMs },
      { atMs: killMs + 60, kind: "break-client-links", target: 1, durationMs: 10 },
      { atMs: deletedMs, kind: "delete-records" },
      { atMs: againMs, kind: "kill-tab", aim: "leader", durationMs: 1_500 },
    ],
    ms: againMs + 3_000 - atMs,
  };
}

/**
 * What a producer wrote last is committed and deleted before it has its answers. A follower that was away meanwhile
 * starts anew behind that, and leads when the producer sends it all again.
 */
function startsAnew(atMs: number, chance: Chance): ReturnType<Passage> {
  const lostMs = atMs + chance.between(200, 500);
  const deletedMs = lostMs + chance.between(50, 200);
  const backMs = deletedMs + chance.between(50, 300);
  const againMs = backMs + chance.between(1_000, 2_000);
  return {
    steps: [
      { atMs, kind: "kill-tab", aim: "follower", durationMs: backMs - atMs },
      { atMs: atMs + 50, kind: "cut-one-way", aim: "leader", other: FIRST_CLIENT_END, durationMs: againMs - atMs },
      { atMs: lostMs, kind: "isolate-client", target: 0, durationMs: againMs + 500 - lostMs },
      { atMs: lostMs + 10, kind: "break-client-links", target: 0, durationMs: 10 },
      { atMs: deletedMs, kind: "delete-records" },
      { atMs: againMs, kind: "kill-tab", aim: "leader", durationMs: 2_000 },
    ],
    ms: againMs + 3_000 - atMs,
  };
}

/** A leader deletes records and dies before one of the others has heard of it. */
function deletesAndDies(atMs: number, chance: Chance): ReturnType<Passage> {
  return {
    steps: [
      { atMs, kind: "cut-one-way", aim: "leader", other: FIRST_FOLLOWER_END + chance.below(2), durationMs: 1_500 },
      { atMs: atMs + 50, kind: "delete-records" },
      { atMs: atMs + chance.between(100, 1_400), kind: "kill-tab", aim: "leader", durationMs: chance.between(1_000, 5_000) },
    ],
    ms: 7_000,
  };
}

/**
 * Records are deleted while a follower is away that lacks no other ones. Back again it has all that is committed at
 * once, but what the leader tells it of the deletion is long on its way, and the leader dies as soon as it may join.
 */
function joinsAfterDeletion(atMs: number, chance: Chance): ReturnType<Passage> {
  const awayMs = chance.between(200, 500);
  const slow = { atMs: atMs + awayMs, kind: "slow-link", aim: "leader", durationMs: 3_000 } as const;
  return {
    steps: [
      { atMs, kind: "kill-tab", aim: "follower", other: chance.below(2), durationMs: awayMs },
      { atMs: atMs + 60, kind: "delete-records" },
      { ...slow, other: FIRST_FOLLOWER_END },
      { ...slow, other: FIRST_FOLLOWER_END + 1 },
      { atMs: atMs + 200, on: "isr-change", kind: "kill-tab", aim: "leader", durationMs: 3_000 },
    ],
    ms: 5_000,
  };
}
