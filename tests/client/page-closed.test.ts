import { afterEach, expect, test } from "vitest";
import type { Consumer } from "../../src/client/consumer.ts";
import type { ConsumerConfig, EachMessagePayload } from "../../src/client/consumer-types.ts";
import { cluster, producer, SESSION_TIMEOUT_MS, start, stopAll } from "./group-members.ts";
import { pause } from "./live-cluster.ts";
import type { LiveTab } from "./live-cluster.ts";

/** What becomes of a member whose page goes away, or sleeps. */

const PARTITIONS = 4;
/** Less than a sleep of these tests. */
const REQUEST_TIMEOUT_MS = 1500;

const members: Member[] = [];

interface Member {
  readonly tab: LiveTab;
  readonly consumer: Consumer;
  readonly seen: { value: number; at: number }[];
  /** Of any message: asks for a heartbeat. */
  heartbeat: EachMessagePayload["heartbeat"];
}

afterEach(async () => {
  await Promise.all(members.splice(0).map(({ tab, consumer }) => (tab.alive ? consumer.disconnect() : undefined)));
  await stopAll();
});

/** Commits once a minute, so that a member that goes away has much to commit. */
async function join(config: ConsumerConfig = {}): Promise<Member> {
  const tab = cluster.tab({ requestTimeout: REQUEST_TIMEOUT_MS });
  const timing = { sessionTimeout: SESSION_TIMEOUT_MS, heartbeatInterval: 100 };
  const isClassic = config.groupProtocol !== "consumer";
  const consumer = tab.kafka.consumer({ groupId: "g", ...(isClassic ? timing : {}), ...config });
  const member: Member = { tab, consumer, seen: [], heartbeat: async () => {} };
  members.push(member);
  await consumer.connect();
  await consumer.subscribe({ topics: ["t"], fromBeginning: true });
  await consumer.run({
    autoCommitInterval: 60_000,
    eachMessage: ({ message, heartbeat }) => {
      member.heartbeat = heartbeat;
      member.seen.push({ value: Number(String(message.value)), at: performance.now() });
    },
  });
  return member;
}

const countOf = ({ consumer }: Member) => consumer.positions().length;

async function balanced(...sharing: readonly Member[]): Promise<void> {
  const counts = () => sharing.map(countOf);
  await expect.poll(counts, { timeout: 5000, interval: 5 }).toEqual(sharing.map(() => PARTITIONS / sharing.length));
}

async function produce(from: number, count: number): Promise<void> {
  const value = (index: number) => ({ partition: index % PARTITIONS, value: `${from + index}` });
  await producer.send({ topic: "t", messages: Array.from({ length: count }, (_, index) => value(index)) });
}

const valuesOf = (...of: readonly Member[]) =>
  of.flatMap(({ seen }) => seen.map(({ value }) => value)).sort((left, right) => left - right);
const range = (count: number) => Array.from({ length: count }, (_, index) => index);

test("a page that is closed hands over at once, and nothing is read again", { timeout: 20_000 }, async () => {
  await start(1, PARTITIONS);
  const [stays, closes] = [await join(), await join()];
  await balanced(stays, closes);
  await produce(0, 40);
  await expect.poll(() => valuesOf(stays, closes)).toEqual(range(40));
  const closedAt = performance.now();
  closes.tab.close();
  await expect.poll(() => countOf(stays), { interval: 5 }).toBe(PARTITIONS);
  expect(performance.now() - closedAt).toBeLessThan(300);
  await produce(40, 40);
  await expect.poll(() => valuesOf(stays, closes), { timeout: 5000 }).toEqual(range(80));
  await pause(50);
  expect(valuesOf(stays, closes)).toEqual(range(80));
});

test("a page that is closed while it joins is waited for by nobody", { timeout: 20_000 }, async () => {
  await start(1, PARTITIONS);
  const stays = await join();
  await balanced(stays);
  // The rebalance waits for the member that is asleep, and so does the one that joins.
  const asleep = stays.tab.freeze(400);
  void join();
  await pause(200);
  members.at(-1)!.tab.close();
  await asleep;
  await balanced(stays);
  expect((await stays.consumer.describeGroup()).members).toHaveLength(1);
});

test("a page that comes back from the back/forward cache joins anew", { timeout: 20_000 }, async () => {
  await start(1, PARTITIONS);
  const [stays, leaves] = [await join(), await join()];
  await balanced(stays, leaves);
  await produce(0, 40);
  await expect.poll(() => valuesOf(stays, leaves)).toEqual(range(40));
  const away = leaves.tab.leaveFor(500);
  await expect.poll(() => countOf(stays), { timeout: 400, interval: 5 }).toBe(PARTITIONS);
  await away;
  await balanced(stays, leaves);
  await produce(40, 40);
  await expect.poll(() => valuesOf(stays, leaves), { timeout: 5000 }).toEqual(range(80));
});

test("a static member that is closed keeps its place, and has committed", { timeout: 20_000 }, async () => {
  await start(1, PARTITIONS);
  const config = { groupInstanceId: "i", sessionTimeout: 5000 };
  const [stays, closes] = [await join(), await join(config)];
  await balanced(stays, closes);
  await produce(0, 40);
  await expect.poll(() => valuesOf(stays, closes)).toEqual(range(40));
  closes.tab.close();
  await pause(500);
  expect(countOf(stays)).toBe(PARTITIONS / 2);
  const returned = await join(config);
  await balanced(stays, returned);
  await produce(40, 40);
  await expect.poll(() => valuesOf(stays, closes, returned), { timeout: 5000 }).toEqual(range(80));
});

test.each([
  ["classic", "network"],
  ["classic", "timers"],
  ["consumer", "network"],
  ["consumer", "timers"],
] as const)("a slept-through heartbeat proves nothing: %s, %s first", { timeout: 20_000 }, async (protocol, first) => {
  await start(1, PARTITIONS);
  const config: ConsumerConfig = { groupProtocol: protocol };
  const sleeper = await join(config);
  await produce(0, 4);
  await expect.poll(() => valuesOf(sleeper)).toEqual(range(4));
  const other = await join(config);
  await balanced(sleeper, other);
  // Its timers wait, so that the heartbeat under way when it falls asleep is the one that is asked for here.
  sleeper.tab.hide();
  await pause(350);
  void sleeper.heartbeat();
  await Promise.all([produce(4, 400), sleeper.tab.freeze(SESSION_TIMEOUT_MS * 3, first)]);
  await expect.poll(() => new Set(valuesOf(sleeper, other)).size, { timeout: 8000 }).toBe(404);
  await balanced(sleeper, other);
  const readAgain = sleeper.seen.filter(
    ({ at, value }) => at > sleeper.tab.wokeAt && other.seen.some((seen) => seen.value === value && seen.at < at),
  );
  expect(readAgain).toEqual([]);
});
