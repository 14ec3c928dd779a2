import { afterEach, beforeEach, describe, expect, inject, onTestFinished, test, vi } from "vitest";
import type { BrokerTab, BrokerTabOptions } from "../../../src/platform/browser/browser-broker-tab.ts";
import { startBrokerTab } from "../../../src/platform/browser/browser-broker-tab.ts";
import type { BrowserClientOptions } from "../../../src/platform/browser/browser-client-platform.ts";
import { browserClientPlatform } from "../../../src/platform/browser/browser-client-platform.ts";
import type { ClientPlatform } from "../../../src/runtime/client-platform.ts";
import type { Connection } from "../../../src/runtime/connection.ts";
import { otherPage } from "./other-page.ts";
import { receiveAll } from "./received.ts";

const CLUSTER = "without-controller";

/** ApiVersions, version 0: the one request that every broker answers at any time. */
const API_VERSIONS = new Uint8Array([0, 18, 0, 0, 0, 0, 0, 7, 255, 255]);

async function expectBroker(connection: Connection): Promise<void> {
  const received = receiveAll(connection);
  connection.send(API_VERSIONS);
  const response = await received.next();
  expect([...response.subarray(0, 6)]).toEqual([0, 0, 0, 7, 0, 0]);
}

describe("a broker in a tab", () => {
  const tabs: BrokerTab[] = [];
  const clients: ClientPlatform[] = [];

  async function startTab(options: Partial<BrokerTabOptions> = {}): Promise<BrokerTab> {
    const tab = await startBrokerTab({ serverUrl: inject("serverUrl"), cluster: CLUSTER, ...options });
    tabs.push(tab);
    return tab;
  }

  function startClient(options: Partial<BrowserClientOptions> = {}): ClientPlatform {
    const client = browserClientPlatform({ serverUrl: inject("serverUrl"), cluster: CLUSTER, ...options });
    clients.push(client);
    return client;
  }

  const opened = (client: ClientPlatform) =>
    new Promise<void>((resolve) => client.controller.receive({ opened: resolve, frame: () => {}, closed: () => {} }));

  const endpointOf = (tab: BrokerTab) => ({ host: tab.peer, port: 0 });

  beforeEach(() => sessionStorage.clear());

  afterEach(async () => {
    for (const client of clients.splice(0)) client.close();
    await Promise.all(tabs.splice(0).map((tab) => tab.stop()));
  });

  test("it starts with storage of its own, and frees it when it stops", async () => {
    const tab = await startTab();
    const { directoryId } = tab.status();
    expect(tab.status()).toMatchObject({ state: "starting", brokerId: -1, reason: undefined });
    expect(directoryId).toMatch(/^[0-9a-f-]{36}$/);
    expect(sessionStorage.getItem(`tabstream/${CLUSTER}/directory`)).toBe(directoryId);
    const seen: string[] = [];
    tab.onStatus(({ state }) => seen.push(state));
    await tab.stop();
    expect(seen.at(-1)).toBe("stopped");
    const again = await startTab();
    expect(again.status().directoryId).toBe(directoryId);
  });

  test("[B4] two brokers of one profile never share a directory", async () => {
    const [first, second] = [await startTab(), await startTab()];
    expect(first.status().directoryId).not.toBe(second.status().directoryId);
    expect(first.status().rack).toBe(second.status().rack);
  });

  test("the page reaches its own broker over a port", async () => {
    const tab = await startTab();
    const connection = await tab.openLocal();
    expect(connection.kind).toBe("message-port");
    await expectBroker(connection);
    const { closed } = receiveAll(await tab.openLocal());
    await tab.stop();
    await closed;
    await expect(tab.openLocal()).rejects.toThrow("has stopped");
  });

  test("a client in the same tab dials without a network", async () => {
    const tab = await startTab();
    const connection = await startClient().dial(endpointOf(tab));
    expect(connection.kind).toBe("message-port");
    await expectBroker(connection);
    expect(tab.linkPaths()).toEqual([]);
  });

  test("a client in a broker's tab shares the broker's link to another tab", async () => {
    const near = await startTab();
    const page = await otherPage();
    const far = await page.startBrokerTab({ serverUrl: inject("serverUrl"), cluster: CLUSTER });
    await expect.poll(() => near.status().controllerConnected).toBe(true);
    const connection = await startClient().dial(endpointOf(far));
    expect(connection.kind).toBe("data-channel");
    await expectBroker(connection);
    await expect.poll(() => far.linkPaths()).toEqual([{ peer: near.peer, path: "direct", connections: 1 }]);
    await far.stop();
    page.remove();
  });

  test("a client makes its own links before the broker in its tab has a socket, and once it has failed", async () => {
    const page = await otherPage();
    const far = await page.startBrokerTab({ serverUrl: inject("serverUrl"), cluster: CLUSTER });
    const client = startClient();
    await opened(client);
    const starting = startTab();
    const early = await client.dial(endpointOf(far));
    expect(early.kind).toBe("data-channel");
    early.close("it is there");
    const near = await starting;
    await expect.poll(() => near.status().controllerConnected).toBe(true);
    indexedDB.deleteDatabase(`tabstream/${CLUSTER}/${near.status().directoryId}`);
    await expect.poll(() => near.status().state).toBe("failed");
    const other = startClient();
    await opened(other);
    const dialledMs = performance.now();
    const late = await other.dial(endpointOf(far));
    expect(late.kind).toBe("data-channel");
    expect(performance.now() - dialledMs).toBeLessThan(1000);
    await expectBroker(late);
    await far.stop();
    page.remove();
  });

  test("a broker starts where its page may store no hint", async () => {
    const setItem = vi.spyOn(Storage.prototype, "setItem").mockImplementation(() => {
      throw new DOMException("the quota has been exceeded", "QuotaExceededError");
    });
    onTestFinished(() => setItem.mockRestore());
    expect((await startTab()).status().state).toBe("starting");
    expect(setItem).toHaveBeenCalled();
  });

  test("a directory that is missed is looked for once more, and then forgotten", async () => {
    const cluster = `missing-${crypto.randomUUID()}`;
    const name = `tabstream/${cluster}/directory`;
    const missed = crypto.randomUUID();
    sessionStorage.setItem(name, missed);
    const standIn = await startTab({ cluster });
    const { directoryId } = standIn.status();
    await standIn.stop();
    expect(sessionStorage.getItem(name)).toBe(missed);
    const again = await startTab({ cluster });
    expect(again.status().directoryId).toBe(directoryId);
    expect(sessionStorage.getItem(name)).toBe(directoryId);
  });

  test("a tab without a memory of its own takes the directory whose tab was the last to close", async () => {
    const idOf = (tab: BrokerTab) => tab.status().directoryId;
    const closing = [await startTab(), await startTab()].sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
    for (const tab of closing) await tab.stop();
    sessionStorage.clear();
    expect(idOf(await startTab())).toBe(idOf(closing.at(-1)!));
  });

  test("a client's direct connection to a broker elsewhere, and its end when the broker stops", async () => {
    const page = await otherPage();
    const far = await page.startBrokerTab({ serverUrl: inject("serverUrl"), cluster: CLUSTER });
    const client = startClient();
    await opened(client);
    const connection = await client.dial(endpointOf(far));
    expect(connection.kind).toBe("data-channel");
    await expectBroker(connection);
    await expect.poll(() => far.linkPaths()).toMatchObject([{ path: "direct", connections: 1 }]);
    const { closed } = receiveAll(connection);
    await far.stop();
    await closed;
    page.remove();
  });

  test("with relayOnly on either side, the relay carries the connection", async () => {
    const page = await otherPage();
    const far = await page.startBrokerTab({ serverUrl: inject("serverUrl"), cluster: CLUSTER, relayOnly: true });
    for (const relayOnly of [true, false]) {
      const client = startClient({ relayOnly });
      await opened(client);
      const connection = await client.dial(endpointOf(far));
      expect(connection.kind).toBe("relay");
      await expectBroker(connection);
      client.close();
    }
    await far.stop();
    page.remove();
  });

  test("a dial of a tab that is gone fails", async () => {
    const client = startClient();
    await opened(client);
    await expect(client.dial({ host: crypto.randomUUID(), port: 0 })).rejects.toThrow("no tab");
  });

  test("[R20] when its database is deleted, the broker says so in the page", async () => {
    const tab = await startTab();
    indexedDB.deleteDatabase(`tabstream/${CLUSTER}/${tab.status().directoryId}`);
    await expect.poll(() => tab.status().state).toBe("failed");
    expect(tab.status().reason).toContain("deleted or upgraded");
  });

  test("a page that is left stops its broker; one that comes back starts it again", async () => {
    const tab = await startTab();
    const { directoryId } = tab.status();
    dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }));
    await expect.poll(() => tab.status().state).toBe("stopped");
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await expect.poll(() => tab.status().state).toBe("starting");
    expect(tab.status().directoryId).toBe(directoryId);
    await expectBroker(await tab.openLocal());
  });

  test("a broker that is stopped while its page comes back does not start again", async () => {
    const tab = await startTab();
    dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
    await tab.stop();
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(tab.status().state).toBe("stopped");
    await expect(tab.openLocal()).rejects.toThrow("has stopped");
  });

  test("without a server it starts all the same", async () => {
    const tab = await startTab({ serverUrl: "http://127.0.0.1:9" });
    expect(tab.status()).toMatchObject({ state: "starting", controllerConnected: false });
    await expectBroker(await tab.openLocal());
  });

  test("a bad cluster name is refused with its rule", async () => {
    await expect(startTab({ cluster: "a b" })).rejects.toThrow("is no cluster name");
  });
});
