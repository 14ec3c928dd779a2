import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defaultLimits } from "../../../signaling-server/limits.ts";
import { TokenBucket } from "../../../signaling-server/token-bucket.ts";
import { PacedTexts } from "../../../src/platform/browser/paced-texts.ts";

beforeEach(() => void vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] }));
afterEach(() => void vi.useRealTimers());

/** Of the texts that are sent, when each of them went. */
function paced() {
  const went: { readonly text: string; readonly atMs: number }[] = [];
  const texts = new PacedTexts((text) => went.push({ text, atMs: performance.now() }));
  return { texts, went };
}

test("what a tab needs to answer 200 offers goes at once, and in order", () => {
  const { texts, went } = paced();
  const sent = Array.from({ length: 1000 }, (_, number) => `${number}`);
  for (const text of sent) texts.send(text);
  expect(went.map(({ text }) => text)).toEqual(sent);
});

test("a flood without end is never faster than the server takes it, even after the network held it up", () => {
  const { texts, went } = paced();
  for (let round = 0; round < 60_000 / 20; round++) {
    for (let count = 0; count < 40; count++) texts.send("");
    vi.advanceTimersByTime(20);
  }
  expect(went.length).toBeGreaterThan(1000 + 60 * 79);
  for (const heldUpUntilMs of [0, 5_000, 10_000, 40_000]) {
    const arrivals = went.map(({ atMs }) => {
      const isHeldUp = atMs > heldUpUntilMs - 10_000 && atMs < heldUpUntilMs;
      return isHeldUp ? heldUpUntilMs : atMs;
    });
    const server = new TokenBucket(defaultLimits.textRate, 0);
    expect(arrivals.filter((atMs) => !server.take(1, atMs))).toEqual([]);
  }
});

test("no more waits than goes in three seconds, and nothing once it is cleared", () => {
  const { texts, went } = paced();
  for (let count = 0; count < 5000; count++) texts.send("");
  vi.advanceTimersByTime(3_000);
  expect(went).toHaveLength(1240);
  vi.advanceTimersByTime(60_000);
  expect(went).toHaveLength(1240);
  for (let count = 0; count < 1100; count++) texts.send("");
  const before = went.length;
  texts.clear();
  vi.advanceTimersByTime(60_000);
  expect(went).toHaveLength(before);
  texts.send("later");
  expect(went.at(-1)!.text).toBe("later");
});
