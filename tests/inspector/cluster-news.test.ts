import { expect, test } from "vitest";
import { clusterNews } from "../../src/inspector/cluster-news.ts";
import { clusterView } from "../demo/cluster-views.ts";

test("a tab that closes is told with who leads instead, and nothing is told twice", () => {
  const before = clusterView([{ leader: 1 }, { leader: 3 }, { leader: 1 }]);
  const after = clusterView(
    [{ leader: 3, isr: [3, 4] }, { leader: 3, isr: [3, 4] }, { leader: 4, isr: [3, 4] }],
    [1],
  );
  expect(clusterNews(before, after)).toEqual([
    "Broker 1 is gone.",
    "Broker 3 leads partition 0 of orders.",
    "Broker 4 leads partition 2 of orders.",
  ]);
  expect(clusterNews(after, after)).toEqual([]);
});

test("a tab that comes back is told, and when its copies have caught up", () => {
  const without = { isr: [3, 4], leader: 3 };
  const away = clusterView([without, without, without], [1]);
  const back = clusterView([without, without, without]);
  expect(clusterNews(away, back)).toEqual(["Broker 1 is up."]);
  const some = clusterView([{ leader: 3 }, without, { leader: 3 }]);
  expect(clusterNews(back, some)).toEqual(["Broker 1 is in sync with partitions 0 and 2 of orders."]);
  const all = clusterView([{ leader: 3 }, { leader: 3 }, { leader: 3 }]);
  expect(clusterNews(away, all)).toEqual(["Broker 1 is up.", "Broker 1 is in sync with all of orders."]);
});

test("many partitions are counted, and those without a leader are told", () => {
  const partitions = Array.from({ length: 9 }, () => ({}));
  const before = clusterView([...partitions, { leader: 3 }]);
  const after = clusterView([...partitions.map(() => ({ leader: -1 })), { leader: 3 }]);
  expect(clusterNews(before, after)).toEqual(["Nobody leads 9 partitions of orders."]);
});

test("tabs and topics that are new, deleted or made anew are told, those of the brokers themselves are not", () => {
  const [before, after] = [clusterView([{}]), clusterView([{}, {}], [], "00000000-0000-4000-8000-000000000002")];
  expect(clusterNews({ ...before, brokers: before.brokers.slice(1) }, before)).toEqual(["Broker 1 is up."]);
  const fenced = { ...before, brokers: before.brokers.map((broker) => ({ ...broker, fenced: true })) };
  expect(clusterNews({ ...before, brokers: [] }, fenced)).toEqual([]);
  expect(clusterNews(before, after)).toEqual(["Topic orders is deleted.", "Topic orders is made, of 2 partitions."]);
  const [topic] = after.topics;
  const internal = { ...after, topics: [{ ...topic!, name: "__consumer_offsets" }] };
  expect(clusterNews({ ...after, topics: [] }, internal)).toEqual([]);
  expect(clusterNews(internal, { ...after, topics: [] })).toEqual([]);
});

test("a name that would lie is spelled out", () => {
  const named = (name: string) => ({ ...clusterView([]), topics: [{ ...clusterView([{}]).topics[0]!, name }] });
  expect(clusterNews({ ...clusterView([]), topics: [] }, named("a\u202eb"))[0]).toContain("⟨U+202E⟩");
});
