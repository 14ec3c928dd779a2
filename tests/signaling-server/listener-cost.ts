import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:net";
import type { AddressInfo } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { KAFKA_LISTENER } from "../../src/metadata/listener-names.ts";
import { metadata } from "../../src/protocol/apis/03-metadata.ts";
import { ServerProcess } from "../cluster/server-process.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../cluster/temporary-folder.ts";
import { freePorts } from "../clients/consecutive-ports.ts";
import { KafkaSocket } from "../clients/kafka-socket.ts";
import { NodeTab } from "./node-tab.ts";
import { tcpConnection } from "./tcp-connection.ts";

const PORTS = 8;
const REQUESTS = 300;

/** Median round trips in milliseconds, of the same question to the same tab. */
export interface RoundTrips {
  readonly straightMs: number;
  readonly relayedMs: number;
}

/** What the Kafka listener costs a server that is a process of its own. The tab and the clients are in this one. */
export class ListenerCost {
  readonly #server: ServerProcess;
  readonly #tab: NodeTab;
  /** Of the tab, which is broker 1. */
  readonly #address: string;
  readonly #dataDir: string;

  private constructor(server: ServerProcess, tab: NodeTab, address: string, dataDir: string) {
    this.#server = server;
    this.#tab = tab;
    this.#address = address;
    this.#dataDir = dataDir;
  }

  static async start(): Promise<ListenerCost> {
    const dataDir = await makeTemporaryFolder("listener");
    const kafkaPort = await freePorts(PORTS);
    const server = await ServerProcess.start({ port: 0, kafkaPort, dataDir, staticRoot: dataDir });
    const tab = await NodeTab.start(server.url, "tabstream");
    return new ListenerCost(server, tab, `127.0.0.1:${kafkaPort + 2}`, dataDir);
  }

  async close(): Promise<void> {
    await this.#tab.stop();
    await this.#server.stop();
    await removeTemporaryFolder(this.#dataDir);
  }

  /** The growth of the server's memory by that many connections that have asked once; Linux alone tells it. */
  async idleBytes(count: number): Promise<number> {
    // What code and buffers the first connections need is not the cost of those that follow.
    for (const socket of await this.#idle(20)) socket.close();
    await sleep(1_000);
    const beforeBytes = this.#residentBytes();
    const sockets = await this.#idle(count);
    await sleep(1_000);
    const open = await this.#openConnections();
    const costBytes = this.#residentBytes() - beforeBytes;
    for (const socket of sockets) socket.close();
    if (open !== count) throw new Error(`${open} connections are open, not ${count}`);
    return costBytes;
  }

  /** One round of both ways, by turns, so that they meet the same machine. */
  async roundTrips(): Promise<RoundTrips> {
    const server = createServer((socket) => this.#tab.accept(tcpConnection(socket), KAFKA_LISTENER));
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const straight = await KafkaSocket.connect(`127.0.0.1:${(server.address() as AddressInfo).port}`);
    const relayed = await KafkaSocket.connect(this.#address);
    const times: [number[], number[]] = [[], []];
    for (let count = 0; count < REQUESTS; count++) {
      times[0].push(await roundTripMs(straight));
      times[1].push(await roundTripMs(relayed));
    }
    straight.close();
    relayed.close();
    server.close();
    return { straightMs: median(times[0]), relayedMs: median(times[1]) };
  }

  async #idle(count: number): Promise<KafkaSocket[]> {
    return await Promise.all(
      Array.from({ length: count }, async () => {
        const socket = await KafkaSocket.connect(this.#address);
        await roundTripMs(socket);
        return socket;
      }),
    );
  }

  #residentBytes(): number {
    const status = readFileSync(`/proc/${this.#server.pid}/status`, "utf8");
    return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)![1]) * 1024;
  }

  async #openConnections(): Promise<number> {
    const text = await (await fetch(`${this.#server.url}/metrics`)).text();
    return Number(/^tabstream_kafka_connections (\d+)$/m.exec(text)![1]);
  }
}

async function roundTripMs(socket: KafkaSocket): Promise<number> {
  const startedMs = performance.now();
  await socket.ask(metadata, 5, { topics: [] });
  return performance.now() - startedMs;
}

function median(values: readonly number[]): number {
  return values.toSorted((left, right) => left - right)[Math.floor(values.length / 2)]!;
}
