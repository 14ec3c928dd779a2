import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { FramedChannel } from "../../../src/platform/browser/framed-channel.ts";
import type { DialDirect } from "../../../src/platform/browser/tab-dialer.ts";
import { TabDialer } from "../../../src/platform/browser/tab-dialer.ts";

/** The socket of a relay, which opens at once. */
class RelaySocket extends EventTarget {
  constructor() {
    super();
    queueMicrotask(() => this.dispatchEvent(new Event("open")));
  }

  close(): void {}
}

const TEN_MINUTES_MS = 600_000;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  vi.stubGlobal("WebSocket", RelaySocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

/** A dialler whose direct dials fail until `clear()`. */
function blocked(redials: boolean) {
  let isClear = false;
  const direct: FramedChannel[] = [];
  const dialDirect = vi.fn<DialDirect>(async () => {
    if (!isClear) throw new Error("no way through");
    const connection = new FramedChannel("data-channel");
    direct.push(connection);
    return connection;
  });
  const dialer = new TabDialer({
    dialDirect,
    relayUrl: (relayId) => `ws://localhost/relay/${relayId}`,
    serverConnected: () => true,
    signal: () => {},
    accept: undefined,
    redials,
    paths: undefined,
  });
  return { dialer, direct, dialDirect, clear: () => (isClear = true) };
}

test("a relayed connection ends once the direct way is clear, and the next dial takes that", async () => {
  const { dialer, direct, dialDirect, clear } = blocked(true);
  const relayed = await dialer.dial("far", "TAB");
  const closed = vi.fn();
  relayed.receive({ frame: () => {}, closed });
  await vi.advanceTimersByTimeAsync(3 * TEN_MINUTES_MS);
  expect(relayed.kind).toBe("relay");
  expect(dialDirect.mock.calls.length).toBeGreaterThanOrEqual(3);
  expect(closed).not.toHaveBeenCalled();
  clear();
  await vi.advanceTimersByTimeAsync(TEN_MINUTES_MS);
  expect(closed).toHaveBeenCalledExactlyOnceWith("a direct link takes its place");
  expect(direct).toHaveLength(1);
  expect((await dialer.dial("far", "TAB")).kind).toBe("data-channel");
  await vi.advanceTimersByTimeAsync(3 * TEN_MINUTES_MS);
  expect(direct).toHaveLength(2);
});

test("a relayed connection that has ended is not asked for", async () => {
  const { dialer, dialDirect } = blocked(true);
  (await dialer.dial("far", "TAB")).close("done");
  await vi.advanceTimersByTimeAsync(3 * TEN_MINUTES_MS);
  expect(dialDirect).toHaveBeenCalledOnce();
});

test("a relayed connection whose owner cannot repeat what it sent is left alone", async () => {
  const { dialer, dialDirect, clear } = blocked(false);
  const relayed = await dialer.dial("far", "TAB");
  const closed = vi.fn();
  relayed.receive({ frame: () => {}, closed });
  clear();
  await vi.advanceTimersByTimeAsync(3 * TEN_MINUTES_MS);
  expect(dialDirect).toHaveBeenCalledOnce();
  expect(closed).not.toHaveBeenCalled();
});
