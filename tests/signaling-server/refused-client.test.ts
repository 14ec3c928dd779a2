import { expect, onTestFinished, test } from "vitest";
import { WebSocket } from "ws";
import { KafkaClient } from "../../src/client/kafka.ts";
import { logLevel } from "../../src/client/logger.ts";
import { browserClientPlatform } from "../../src/platform/browser/browser-client-platform.ts";
import { NodeTab } from "./node-tab.ts";
import type { TestServer } from "./test-server.ts";
import { testServer } from "./test-server.ts";

/** What an SDK client hears of a server that refuses it, over the sockets of a real page. */

/** A page of another site. */
class ForeignSocket extends WebSocket {
  constructor(url: string) {
    super(url, { origin: "https://elsewhere.example" });
    // Browsers report it by closing alone.
    this.on("error", () => {});
  }
}

class PageSocket extends WebSocket {
  constructor(url: string) {
    super(url);
    this.on("error", () => {});
  }
}

function client({ url }: Pick<TestServer, "url">, cluster: string, Socket: typeof PageSocket = PageSocket) {
  Object.assign(globalThis, { WebSocket: Socket, addEventListener: () => {}, removeEventListener: () => {} });
  onTestFinished(() => void Object.assign(globalThis, { WebSocket }));
  const warnings: string[] = [];
  const logCreator = () => (entry: { log: { message: string } }) => void warnings.push(entry.log.message);
  const brokers = [`${url}/${cluster}`];
  const kafka = new KafkaClient({ brokers, logLevel: logLevel.WARN, logCreator, requestTimeout: 400 }, (address) =>
    browserClientPlatform({ ...address, relayOnly: true }),
  );
  return { kafka, warnings };
}

test("a server that has its clusters: the client is told the limit", async () => {
  const server = await testServer({ limits: { clusters: 1 } });
  const tab = await NodeTab.start(server.url, "first");
  onTestFinished(() => tab.stop());
  const { kafka, warnings } = client(server, "second");
  const closed = "the server's socket closed (1013 the server has its 1 clusters open)";
  const reason = `The metadata server cannot be reached: ${closed}`;
  await expect(kafka.consumer().connect()).rejects.toThrow(reason);
  expect(warnings).toEqual([reason]);
});

test("a server that refuses the page's origin: the client is told where to look", async () => {
  const server = await testServer();
  const { kafka, warnings } = client(server, "first", ForeignSocket);
  const reason = "nothing answers there, or it refuses this page's origin or address; its log says which";
  await expect(kafka.consumer().connect()).rejects.toThrow(reason);
  expect(warnings).toEqual([`The metadata server cannot be reached: ${reason}`]);
  expect(server.lines.join("\n")).toContain("pages of https://elsewhere.example may not use this server");
});

test("a broker of a server that refuses it says so in its log", async () => {
  const server = await testServer({ limits: { peersPerCluster: 1 } });
  const tab = await NodeTab.start(server.url, "first");
  onTestFinished(() => tab.stop());
  const refused = new NodeTab(server.url, "first");
  onTestFinished(() => refused.stop());
  await expect.poll(() => refused.logged).toContainEqual(expect.stringMatching(/cannot be reached: .* \(1013 /));
});
