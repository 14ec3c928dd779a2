import { afterEach, beforeEach, describe, expect, inject, test } from "vitest";
import type { Signaling } from "../../../src/platform/browser/controller-socket.ts";
import { ControllerSocket } from "../../../src/platform/browser/controller-socket.ts";
import { randomUuid } from "../../../src/platform/browser/random-uuid.ts";
import { clusterUrl } from "../../../src/platform/browser/server-address.ts";
import type { ToServer } from "../../../src/runtime/signaling.ts";
import { bytes } from "./received.ts";

describe("the socket to the server", () => {
  let peer: string;
  let socket: ControllerSocket;
  let signaling: Signaling[];
  let events: (string | Uint8Array)[];

  const open = (serverUrl = inject("serverUrl")) => {
    peer = randomUuid();
    signaling = [];
    events = [];
    const url = clusterUrl({ serverUrl, cluster: "test" }, { peer, key: randomUuid() });
    socket = new ControllerSocket(url, (message) => signaling.push(message));
    socket.receive({
      opened: () => events.push("opened"),
      frame: (frame) => events.push(frame),
      closed: () => events.push("closed"),
    });
  };
  const command = (name: string) => socket.signal({ type: "test", do: name } as unknown as ToServer);

  beforeEach(() => open());
  afterEach(() => socket.close());

  test("it opens, and carries frames both ways", async () => {
    await expect.poll(() => events).toEqual(["opened"]);
    socket.send(bytes(1, 2));
    socket.send(bytes(3));
    await expect.poll(() => events).toEqual(["opened", bytes(1, 2), bytes(3)]);
  });

  test("a receiver that comes late still hears that it is open", async () => {
    await expect.poll(() => socket.connected).toBe(true);
    const late: string[] = [];
    socket.receive({ opened: () => late.push("opened"), frame: () => {}, closed: () => {} });
    expect(late).toEqual(["opened"]);
  });

  test("a ping is answered with a pong", async () => {
    await expect.poll(() => socket.connected).toBe(true);
    command("ping");
    await expect.poll(() => events.length).toBe(2);
    expect(new TextDecoder().decode(events[1] as Uint8Array)).toBe("pong");
  });

  test("it reconnects by itself within moments; opened and closed take turns", async () => {
    for (let round = 1; round <= 3; round++) {
      await expect.poll(() => socket.connected, { interval: 5 }).toBe(true);
      command("drop");
      await expect.poll(() => events.length, { interval: 5, timeout: 2000 }).toBe(round * 2 + 1);
    }
    expect(events).toEqual(["opened", "closed", "opened", "closed", "opened", "closed", "opened"]);
  });

  test("what is sent while it is down is dropped, not kept", async () => {
    socket.send(bytes(9));
    await expect.poll(() => socket.connected).toBe(true);
    socket.send(bytes(1));
    await expect.poll(() => events).toEqual(["opened", bytes(1)]);
  });

  test("signals pass, and an absent tab is reported", async () => {
    await expect.poll(() => socket.connected).toBe(true);
    socket.signal({ type: "signal", to: peer, signal: { a: 1 } });
    socket.signal({ type: "signal", to: "nobody", signal: {} });
    await expect.poll(() => signaling).toMatchObject([
      { type: "signal", from: peer, signal: { a: 1 } },
      { type: "unreachable", to: "nobody" },
    ]);
  });

  test("text that is no message of the protocol is let pass", async () => {
    await expect.poll(() => socket.connected).toBe(true);
    command("garbage");
    socket.send(bytes(1));
    await expect.poll(() => events).toEqual(["opened", bytes(1)]);
    expect(signaling).toEqual([]);
  });

  test("without a server it keeps trying, and ends when closed", async () => {
    socket.close();
    open("http://127.0.0.1:9");
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(events).toEqual([]);
    expect(socket.connected).toBe(false);
  });

  test("after a close it stays closed", async () => {
    await expect.poll(() => socket.connected).toBe(true);
    socket.close();
    dispatchEvent(new Event("online"));
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(events).toEqual(["opened", "closed"]);
    expect(socket.connected).toBe(false);
  });
});
