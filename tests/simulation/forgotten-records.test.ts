import { expect, test } from "vitest";
import type { HistoryEvent } from "../history/history.ts";
import { withoutForgotten } from "./forgotten-records.ts";

const read = (value: string, offset: number): HistoryEvent => {
  return { f: "poll", type: "ok", process: "consumer", partition: "t-0", value, content: value, offset };
};
const trim = (offset: number): HistoryEvent => ({ f: "trim", type: "ok", partition: "t-0", offset });

test("a second copy counts, unless the first was removed before it was seen", () => {
  const others = [read("b", 5), read("c", 6)];
  const twiceInSight = [read("a", 4), ...others, read("a", 9), trim(20)];
  expect(withoutForgotten(twiceInSight)).toEqual(twiceInSight);
  expect(withoutForgotten([read("a", 4), ...others, trim(5), read("a", 9)])).toEqual([...others, trim(5)]);
});
