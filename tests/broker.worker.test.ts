import { afterEach, beforeEach, expect, test, vi } from "vitest";

/** What the worker of a broker does by itself; what is asked of it is in `tests/platform`. */

const loaded = vi.hoisted(() => [] as string[]);

vi.mock("../src/platform/browser/browser-broker.ts", () => ({ BrowserBroker: class {} }));
vi.mock("../src/protocol/compression/gzip.ts", () => ({ codec: loaded.push("gzip") }));
vi.mock("../src/protocol/compression/snappy.ts", () => ({ codec: loaded.push("snappy") }));
vi.mock("../src/protocol/compression/lz4.ts", () => {
  loaded.push("lz4");
  throw new TypeError("Failed to fetch dynamically imported module");
});
vi.mock("../src/protocol/compression/zstd.ts", () => ({ codec: loaded.push("zstd") }));

let greet: (event: { readonly data: unknown }) => void;

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal("addEventListener", (_type: string, listener: typeof greet) => (greet = listener));
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

test("a broker has loaded every codec it may ever need soon after it started, whichever cannot be had", async () => {
  await import("../src/broker.worker.ts");
  const { port1, port2 } = new MessageChannel();
  greet({ data: { control: port2 } });
  await vi.advanceTimersByTimeAsync(1_000);
  expect(loaded).toEqual([]);
  await vi.advanceTimersByTimeAsync(10_000);
  vi.useRealTimers();
  await expect.poll(() => loaded.toSorted()).toEqual(["gzip", "lz4", "snappy", "zstd"]);
  port1.close();
  port2.close();
});
