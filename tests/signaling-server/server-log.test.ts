import { expect, test } from "vitest";
import { lineLog } from "../../signaling-server/server-log.ts";

function written(lowest: Parameters<typeof lineLog>[1] = "debug") {
  const lines: string[] = [];
  return { lines, log: lineLog((line) => void lines.push(line), lowest) };
}

test("a line has a time, a level, a message and fields", () => {
  const { lines, log } = written();
  log("info", "tab connected", { cluster: "demo", address: "::1", count: 3, missing: undefined });
  expect(lines).toHaveLength(1);
  expect(lines[0]).toMatch(/^\d{4}-\d\d-\d\dT[\d:.]+Z info  tab connected cluster=demo address=::1 count=3\n$/);
});

test("nothing that strangers send can forge a line or a field", () => {
  const { lines, log } = written();
  log("warn", "refused\n2026", { reason: 'x" level=error\n\u001b[2J\u202e\u2028', name: "a b=c" });
  const line = lines.join("");
  for (const character of ["\n2026", "\u001b", "\u202e", "\u2028"]) expect(line).not.toContain(character);
  expect(line).toContain('reason="x\\" level=error\\n\\u001b[2J\\u202e\\u2028"');
  expect(line).toContain('name="a b=c"');
});

test("lower levels are left out", () => {
  const { lines, log } = written("warn");
  log("debug", "a");
  log("info", "b");
  log("warn", "c");
  log("error", "d");
  expect(lines).toHaveLength(2);
});

test("a flood of lines is cut short and counted, errors are not", () => {
  const { lines, log } = written();
  for (let index = 0; index < 5_000; index++) log("info", "flood");
  log("error", "important");
  expect(lines.length).toBeLessThan(2_500);
  expect(lines.at(-1)).toContain("error important");
  const dropped = lines.map((line) => Number(/lines were dropped, for they .* count=(\d+)/.exec(line)?.[1] ?? 0));
  const plain = dropped.filter((count) => count === 0).length;
  expect(plain + dropped.reduce((sum, count) => sum + count, 0)).toBe(5_001);
});
