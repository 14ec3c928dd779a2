import { afterEach, describe, expect, inject, test } from "vitest";
import { ControllerSocket } from "../../../src/platform/browser/controller-socket.ts";
import { PeerUnreachableError } from "../../../src/platform/browser/errors.ts";
import { LinkPaths } from "../../../src/platform/browser/link-paths.ts";
import { randomUuid } from "../../../src/platform/browser/random-uuid.ts";
import { clusterUrl, relayUrl } from "../../../src/platform/browser/server-address.ts";
import type { DialDirect } from "../../../src/platform/browser/tab-dialer.ts";
import { TabDialer } from "../../../src/platform/browser/tab-dialer.ts";
import type { Connection } from "../../../src/runtime/connection.ts";
import { expectEcho, patterned, receiveAll, same } from "./received.ts";

class Tab {
  readonly peer = randomUuid();
  readonly accepted: [Connection, string][] = [];
  readonly paths = new LinkPaths();
  readonly socket: ControllerSocket;
  readonly dialer: TabDialer;

  constructor(dialDirect?: DialDirect, serves = true) {
    const address = { serverUrl: inject("serverUrl"), cluster: "test" };
    this.socket = new ControllerSocket(clusterUrl(address, { peer: this.peer, key: randomUuid() }), (message) => {
      this.dialer.onSignaling(message);
    });
    this.dialer = new TabDialer({
      dialDirect,
      relayUrl: (relayId) => relayUrl(address, relayId),
      serverConnected: () => this.socket.connected,
      signal: (message) => this.socket.signal(message),
      accept: serves ? (connection, listener) => this.accepted.push([connection, listener]) : undefined,
      redials: true,
      paths: this.paths,
    });
  }

  get connected(): Promise<void> {
    return expect.poll(() => this.socket.connected).toBe(true) as unknown as Promise<void>;
  }
}

describe("dialling through the relay", () => {
  const tabs: Tab[] = [];

  async function tab(dialDirect?: DialDirect): Promise<Tab> {
    const made = new Tab(dialDirect);
    tabs.push(made);
    await made.connected;
    return made;
  }

  afterEach(() => {
    for (const { socket, dialer } of tabs.splice(0)) {
      dialer.close("end of test");
      socket.close();
    }
  });

  test("without direct links, the relay carries the connection, and both sides know its path", async () => {
    const [a, b] = [await tab(), await tab()];
    const near = await a.dialer.dial(b.peer, "TAB");
    await expect.poll(() => b.accepted.length).toBe(1);
    const [far, listener] = b.accepted[0]!;
    expect(listener).toBe("TAB");
    expect([near.kind, far.kind]).toEqual(["relay", "relay"]);
    await expectEcho(near, far);
    expect(a.paths.list()).toEqual([{ peer: b.peer, path: "relay", connections: 1 }]);
    expect(b.paths.list()).toEqual([{ peer: a.peer, path: "relay", connections: 1 }]);
    near.close("done");
    await expect.poll(() => [...a.paths.list(), ...b.paths.list()]).toEqual([]);
  });

  test("a client of the Kafka listener is no path to another tab, and may not send all that a tab may", async () => {
    const [a, b] = [await tab(), await tab()];
    const near = await a.dialer.dial(b.peer, "KAFKA");
    await expect.poll(() => b.accepted.length).toBe(1);
    const [far, listener] = b.accepted[0]!;
    expect(listener).toBe("KAFKA");
    expect(b.paths.list()).toEqual([]);
    await expectEcho(near, far);
    let reason = "";
    far.receive({ frame: () => {}, closed: (why) => (reason = why) });
    near.send(new Uint8Array(32 * 1024 * 1024 + 1));
    await expect.poll(() => reason).toContain("exceeds the limit of 33554432");
  });

  test("large frames pass with flow control", async () => {
    const [a, b] = [await tab(), await tab()];
    const near = await a.dialer.dial(b.peer, "TAB");
    await expect.poll(() => b.accepted.length).toBe(1);
    const atFar = receiveAll(b.accepted[0]![0]);
    const frame = patterned(4 * 1024 * 1024, 3);
    for (let count = 0; count < 4; count++) near.send(frame);
    for (let count = 0; count < 4; count++) expect(same(await atFar.next(), frame)).toBe(true);
    expect(near.queuedBytes).toBe(0);
  });

  test("a direct dial that fails falls back, and is not repeated for a while", async () => {
    let tries = 0;
    const failing: DialDirect = async () => {
      tries++;
      throw new Error("no way through");
    };
    const [a, b] = [await tab(failing), await tab()];
    expect((await a.dialer.dial(b.peer, "TAB")).kind).toBe("relay");
    expect((await a.dialer.dial(b.peer, "TAB")).kind).toBe("relay");
    expect(tries).toBe(1);
  });

  test("a direct dial that hangs, as one through a blocked page, falls back after three seconds", async () => {
    const [a, b] = [await tab(() => new Promise<Connection>(() => {})), await tab()];
    const startedMs = performance.now();
    expect((await a.dialer.dial(b.peer, "TAB")).kind).toBe("relay");
    expect(performance.now() - startedMs).toBeLessThan(4000);
  });

  test("a peer that declines, or is gone, is not asked again through the relay", async () => {
    const [a, b] = [await tab(() => Promise.reject(new PeerUnreachableError("declined"))), await tab()];
    await expect(a.dialer.dial(b.peer, "TAB")).rejects.toThrow(PeerUnreachableError);
    expect(b.accepted).toEqual([]);
  });

  test("a relay to a tab that is gone fails at once", async () => {
    const a = await tab();
    await expect(a.dialer.dial("gone", "TAB")).rejects.toThrow(PeerUnreachableError);
    expect(a.paths.list()).toEqual([]);
  });

  test("without the server a relay fails at once", async () => {
    const a = await tab();
    a.socket.close();
    await expect(a.dialer.dial("b", "TAB")).rejects.toThrow("needs the server");
  });

  test("a relay id that could leave its path is not followed", async () => {
    const a = await tab();
    a.dialer.onSignaling({ type: "relay", from: "x", relayId: "../clusters/test", listener: "TAB" });
    expect(a.accepted).toEqual([]);
  });
});
