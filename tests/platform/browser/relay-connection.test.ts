import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES } from "../../../src/platform/browser/framed-channel.ts";
import { relayConnection } from "../../../src/platform/browser/relay-connection.ts";

/** A WebSocket whose buffer drains when told to. */
class SlowSocket extends EventTarget {
  static readonly OPEN = 1;
  static last: SlowSocket;
  readonly readyState = SlowSocket.OPEN;
  bufferedAmount = 0;
  binaryType = "blob";
  sentBytes = 0;

  constructor() {
    super();
    SlowSocket.last = this;
  }

  send(message: Uint8Array): void {
    this.sentBytes += message.length;
    this.bufferedAmount += message.length;
  }

  /** An answer: an empty frame. */
  answer(): void {
    this.dispatchEvent(new MessageEvent("message", { data: new ArrayBuffer(4) }));
  }

  close(): void {}
}

beforeEach(() => {
  // No timer ever rings, as good as in a page that was hidden for minutes.
  vi.useFakeTimers();
  vi.stubGlobal("WebSocket", SlowSocket);
});

afterEach(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

async function fullRelay(): Promise<SlowSocket> {
  const { connection, opened } = relayConnection("ws://localhost/relay/x");
  const socket = SlowSocket.last;
  socket.dispatchEvent(new Event("open"));
  await opened;
  connection.receive({ frame: () => {}, closed: () => {} });
  connection.send(new Uint8Array(2 * HIGH_WATER_BYTES));
  await Promise.resolve();
  expect(socket.sentBytes).toBeLessThan(1.5 * HIGH_WATER_BYTES);
  return socket;
}

test("what waited for the buffer goes on with an answer from the other side, without any timer", async () => {
  const socket = await fullRelay();
  socket.bufferedAmount = LOW_WATER_BYTES;
  socket.answer();
  await Promise.resolve();
  expect(socket.sentBytes).toBeGreaterThan(1.5 * HIGH_WATER_BYTES);
  expect(vi.getTimerCount()).toBe(1);
});

test("an answer does not send what the buffer has no room for", async () => {
  const socket = await fullRelay();
  const { sentBytes } = socket;
  socket.answer();
  await Promise.resolve();
  expect(socket.sentBytes).toBe(sentBytes);
  socket.bufferedAmount = 0;
  vi.advanceTimersByTime(5);
  await Promise.resolve();
  expect(socket.sentBytes).toBeGreaterThan(sentBytes);
});
