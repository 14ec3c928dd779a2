import { expect, test } from "vitest";
import { parseLinkControl } from "../../../src/platform/browser/link-control.ts";

test("what tabs say to each other is read", () => {
  expect(parseLinkControl('{"open":1,"listener":"TAB"}')).toEqual({ open: 1, listener: "TAB" });
  expect(parseLinkControl('{"opened":2}')).toEqual({ opened: 2 });
  expect(parseLinkControl('{"refused":3,"reason":"no"}')).toEqual({ refused: 3, reason: "no" });
});

test("anything else is not", () => {
  const hostile: unknown[] = [
    undefined, new Uint8Array(3), "", "null", "7", "[1]", "{}", '{"open":1}', '{"open":"1","listener":"TAB"}',
    '{"open":0,"listener":"TAB"}', '{"open":1.5,"listener":"TAB"}', '{"open":65535,"listener":"TAB"}',
    '{"refused":1}', '{"__proto__":{"opened":1}}', `{"opened":1,"x":"${"y".repeat(2000)}"}`,
  ];
  for (const text of hostile) expect(parseLinkControl(text)).toBeUndefined();
});
