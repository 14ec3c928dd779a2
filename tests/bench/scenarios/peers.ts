import { createServer } from "node:http";
import type { Server } from "node:http";
import { readFile } from "node:fs/promises";
import type { AddressInfo } from "node:net";
import { once } from "node:events";
import { extname, join, normalize } from "node:path";
import type { Page } from "playwright";
import { installJava } from "../../clients/java.ts";
import { BrowserProfile } from "../../cluster/browser-profile.ts";
import { withBenchCluster } from "../bench-cluster.ts";
import type { BenchCluster } from "../bench-cluster.ts";
import type { Figure, Recorder, ScenarioOptions } from "../figure.ts";
import type { SharedKind } from "../peer-pages/peers.ts";
import { installPeers } from "../peers/installed-peers.ts";
import { startDurableStreams, startNats, startRxdbSignaling, startYjsSignaling } from "../peers/local-servers.ts";
import type { LocalServer } from "../peers/local-servers.ts";
import { startNostrRelay } from "../peers/nostr-relay.ts";
import { KafkaPeer } from "../peers/real-kafka-speed.ts";

const SIZES = [
  { name: "100 B", recordBytes: 100, ours: 60_000, theirs: 8_000 },
  { name: "1 KiB", recordBytes: 1024, ours: 12_000, theirs: 8_000 },
];
const SHARED_RECORDS = 10_000;
const SHARED_RECORD_BYTES = 100;
/** Slower systems are measured less often, so that the bench ends. */
const SHARED_ROUNDS = 2;
/** What has arrived by then is the speed of those that take longer. */
const SHARED_TIMEOUT_MS = 30_000;

type Measured = Omit<Figure, "scenario" | "rounds">;

const SHARED: readonly (readonly [SharedKind, Measured, () => Promise<LocalServer>])[] = [
  ["rxdb", perSecond("RxDB WebRTC, 10,000 documents", "stored in two tabs, IndexedDB relaxed"), startRxdbSignaling],
  ["yjs", perSecond("y-webrtc with y-indexeddb, 10,000 inserts", "in two tabs, stored later"), startYjsSignaling],
  ["trystero", perSecond("Trystero, 10,000 messages", "nothing is stored"), startNostrRelay],
];

/** What people would pick instead, doing the same work in the same browsers; each figure says what it guarantees. */
export async function peers(recorder: Recorder, { roundCount }: ScenarioOptions): Promise<void> {
  const pages = await attempted(recorder, "the peers' packages cannot be installed", installPeers);
  const rounds = new Map<string, { readonly figure: Measured; readonly rounds: number[] }>();
  const add = (figure: Measured, value: number) => {
    const known = rounds.get(figure.name) ?? { figure, rounds: [] };
    rounds.set(figure.name, known);
    known.rounds.push(value);
  };
  await withBenchCluster(3, async (cluster) => {
    const started = <T>(what: string, start: () => Promise<T>) =>
      attempted(recorder, `${what} cannot be started`, start);
    const kafka = await started("Apache Kafka", async () => await KafkaPeer.start(await installJava()));
    const served = pages === undefined ? undefined : await serve(pages);
    const nats = served && (await started("JetStream", startNats));
    const durable = served && (await started("Durable Streams", startDurableStreams));
    try {
      for (let round = 0; round < roundCount; round++) {
        await measureOurs(cluster, add);
        const measured = (what: string, peer: LocalServer | KafkaPeer | undefined, measure: () => Promise<void>) =>
          peer && attempted(recorder, `${what} could not be measured`, measure);
        await measured("Apache Kafka", kafka, () => measureKafka(kafka!, round, add));
        await measured("JetStream", nats, () => measureJetStream(served!.url, nats!.url, round, add));
        await measured("Durable Streams", durable, () => measureDurableStreams(served!.url, durable!.url, round, add));
      }
      if (served === undefined) return;
      for (const [kind, figure, start] of SHARED) {
        await attempted(recorder, `${figure.name} could not be measured`, async () => {
          for (let round = 0; round < Math.min(roundCount, SHARED_ROUNDS); round++) {
            add(figure, await sharedSpeed(kind, served.url, start, round));
          }
        });
      }
    } finally {
      await Promise.all([nats, durable, kafka].map((server) => server?.close()));
      served?.server.close();
      served?.server.closeAllConnections();
    }
  });
  for (const { figure, rounds: measured } of rounds.values()) recorder.figure({ ...figure, rounds: measured });
}

async function measureOurs(cluster: BenchCluster, add: (figure: Measured, value: number) => void): Promise<void> {
  for (const { name, recordBytes, ours: records } of SIZES) {
    const shape = { from: "other tab", records, recordBytes } as const;
    const one = await produced(cluster, { ...shape, replicationFactor: 1 });
    add(perSecond(`RF 1, acks=1, ${name}`, "one tab, IndexedDB strict"), one);
    const three = await produced(cluster, { ...shape, replicationFactor: 3 });
    add(perSecond(`RF 3, acks=all, ${name}`, "three tabs, IndexedDB strict"), three);
  }
  // The others' pages keep what they write, and copy it to one more.
  const pair = { from: "leader's tab", replicationFactor: 2, records: SHARED_RECORDS } as const;
  const two = await produced(cluster, { ...pair, recordBytes: SHARED_RECORD_BYTES });
  add(perSecond("RF 2, acks=all, 10,000 records from the leader's tab", "two tabs, IndexedDB strict"), two);
}

interface Produced {
  readonly from: "other tab" | "leader's tab";
  readonly replicationFactor: 1 | 2 | 3;
  readonly records: number;
  readonly recordBytes: number;
}

/** Records per second. */
async function produced(cluster: BenchCluster, { from, replicationFactor, ...size }: Produced): Promise<number> {
  return await cluster.withTopic({ partitions: 1, replicationFactor }, async ({ topic, leader }) => {
    const acks = replicationFactor === 1 ? 1 : -1;
    const bulk = { topic, partitions: 1, corpus: { kind: "random", ...size }, acks, compression: "None" } as const;
    const page = from === "other tab" ? cluster.client.page : leader.page;
    const { records, elapsedMs } = await page.evaluate((options) => window.bench.produce(options), bulk);
    return records / (elapsedMs / 1000);
  });
}

async function measureJetStream(
  pageUrl: string,
  url: string,
  round: number,
  add: (figure: Measured, value: number) => void,
): Promise<void> {
  await withPage(pageUrl, async (page) => {
    for (const { name, recordBytes, theirs } of SIZES) {
      const options = { url, stream: `bench-${recordBytes}-${round}`, records: theirs, recordBytes };
      const elapsedMs = await page.evaluate((wanted) => window.peers.jetStream(wanted), options);
      const figure = perSecond(`JetStream, one copy, ${name}`, "one server, a file that is flushed every two minutes");
      add(figure, theirs / (elapsedMs / 1000));
    }
  });
}

async function measureDurableStreams(
  pageUrl: string,
  serverUrl: string,
  round: number,
  add: (figure: Measured, value: number) => void,
): Promise<void> {
  await withPage(pageUrl, async (page) => {
    for (const { name, recordBytes, ours: records } of SIZES) {
      const options = { url: `${serverUrl}/bench-${recordBytes}-${round}`, records, recordBytes };
      const elapsedMs = await page.evaluate((wanted) => window.peers.durableStream(wanted), options);
      const figure = perSecond(`Durable Streams, one copy, ${name}`, "one server, a file that is flushed");
      add(figure, records / (elapsedMs / 1000));
    }
  });
}

async function measureKafka(
  kafka: KafkaPeer,
  round: number,
  add: (figure: Measured, value: number) => void,
): Promise<void> {
  for (const { name, recordBytes, ours: records } of SIZES) {
    const elapsedMs = await kafka.produce({ topic: `bench-${recordBytes}-${round}`, records, recordBytes });
    const title = `Apache Kafka by KafkaJS from Node, one copy, ${name}`;
    const figure = perSecond(title, "one broker, a file that is flushed later");
    add(figure, records / (elapsedMs / 1000));
  }
}

async function sharedSpeed(
  kind: SharedKind,
  pageUrl: string,
  start: () => Promise<LocalServer>,
  round: number,
): Promise<number> {
  const signaling = await start();
  try {
    return await withPage(pageUrl, (writer) =>
      withPage(pageUrl, async (reader) => {
        const options = [kind, { name: `bench-${kind}-${round}`, signalingUrl: signaling.url }] as const;
        const join = (page: Page) => page.evaluate((wanted) => window.peers.join(...wanted), options);
        await Promise.all([writer, reader].map(join));
        // One record first, so that finding each other is not measured.
        const all = { records: SHARED_RECORDS, recordBytes: SHARED_RECORD_BYTES, timeoutMs: SHARED_TIMEOUT_MS };
        const hello = reader.evaluate((wanted) => window.peers.receive(wanted), { ...all, records: 1 });
        await write(writer, 0, 1);
        if ((await hello).records === 0) throw new Error(`nothing arrived within ${SHARED_TIMEOUT_MS / 1000} s`);
        const startMs = Date.now();
        const written = write(writer, 1, SHARED_RECORDS);
        // What never gets there must not keep the bench waiting; then the page is closed, which ends this.
        written.catch(() => {});
        const received = await reader.evaluate((wanted) => window.peers.receive(wanted), all);
        return (received.records - 1) / ((received.atMs - startMs) / 1000);
      }),
    );
  } finally {
    await signaling.close();
  }
}

async function write(page: Page, from: number, to: number): Promise<void> {
  const range = [from, to, SHARED_RECORD_BYTES] as const;
  await page.evaluate((wanted) => window.peers.write(...wanted), range);
}

/** Opens the peers' page in a browser and profile of its own. */
async function withPage<T>(url: string, use: (page: Page) => Promise<T>): Promise<T> {
  const profile = await BrowserProfile.launch();
  try {
    const page = await profile.newPage();
    await page.goto(url);
    await page.waitForFunction(() => "peers" in window);
    return await use(page);
  } finally {
    await profile.close();
  }
}

async function attempted<T>(recorder: Recorder, what: string, attempt: () => Promise<T>): Promise<T | undefined> {
  try {
    return await attempt();
  } catch (error) {
    recorder.skip(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    return undefined;
  }
}

const TYPES: Readonly<Record<string, string>> = { ".html": "text/html", ".js": "text/javascript" };

async function serve(folder: string): Promise<{ readonly url: string; readonly server: Server }> {
  const server = createServer((request, response) => {
    const path = normalize(new URL(request.url ?? "/", "http://localhost").pathname);
    readFile(join(folder, path)).then(
      (content) => response.setHeader("content-type", TYPES[extname(path)] ?? "application/octet-stream").end(content),
      () => response.writeHead(404).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/peers.html`, server };
}

function perSecond(name: string, durability: string): Measured {
  return { name, unit: "records/s", better: "higher", durability };
}
