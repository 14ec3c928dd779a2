import { expect, test } from "vitest";
import { adviceForGroup } from "../../../src/demo/group/group-advice.ts";
import type { GroupSituation } from "../../../src/demo/group/group-advice.ts";

const reader = { number: 1, clientId: "reader-1@k2f9", report: undefined, killedMs: undefined, frozen: undefined };
const calm: GroupSituation = { serverLost: false, watchFailure: undefined, writeFailure: undefined, own: [reader] };
const titles = (situation: Partial<GroupSituation>) =>
  adviceForGroup({ ...calm, ...situation }).map(({ title }) => title);

test("all is well without a word", () => expect(titles({})).toEqual([]));

test("readers that read through the server's relay are told to stand still without it", () => {
  expect(titles({ serverLost: true })).toEqual(["The readers of this page stand still"]);
  expect(titles({ serverLost: true, own: [] })).toEqual([]);
});

test("what failed is told with what was said of it", () => {
  const [watch, write] = adviceForGroup({ ...calm, watchFailure: "it took long", writeFailure: "no leader." });
  expect(watch?.text).toMatch(/^It took long\. /);
  expect(write?.text).toMatch(/^No leader\. /);
});
