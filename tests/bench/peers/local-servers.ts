import { execFileSync, spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../../cluster/free-port.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "../../cluster/temporary-folder.ts";
import { PEERS_FOLDER } from "./installed-peers.ts";

/** A server of another system, on loopback. */
export interface LocalServer {
  readonly url: string;
  close(): Promise<void>;
}

const START_TIMEOUT_MS = 15_000;

/** NATS with JetStream in files, reached over WebSocket. Root gets Debian's package installed if it is missing. */
export async function startNats(): Promise<LocalServer> {
  const binary = natsBinary();
  const folder = await makeTemporaryFolder("nats");
  const [port, webSocketPort] = [await freePort(), await freePort()];
  const settings = [
    `listen: "127.0.0.1:${port}"`,
    `jetstream { store_dir: "${folder}" }`,
    `websocket { listen: "127.0.0.1:${webSocketPort}", no_tls: true }`,
  ];
  const file = join(folder, "nats.conf");
  await writeFile(file, settings.join("\n"));
  return await listening(spawn(binary, ["-c", file], { stdio: "ignore" }), webSocketPort, folder);
}

/** The reference server of Durable Streams, with streams in files. It tells its log what it does slowly. */
export async function startDurableStreams(): Promise<LocalServer> {
  const folder = await makeTemporaryFolder("durable-streams");
  const port = await freePort();
  const script =
    'import("@durable-streams/server").then(({ DurableStreamTestServer }) => ' +
    `new DurableStreamTestServer({ port: ${port}, host: "127.0.0.1", dataDir: ${JSON.stringify(folder)} }).start())`;
  const args = ["--input-type=module", "-e", script];
  const server = await listening(spawn(process.execPath, args, { cwd: PEERS_FOLDER, stdio: "ignore" }), port, folder);
  return { ...server, url: `http://127.0.0.1:${port}` };
}

/** The server that comes with y-webrtc. */
export async function startYjsSignaling(): Promise<LocalServer> {
  const port = await freePort();
  const script = join(PEERS_FOLDER, "node_modules/y-webrtc/bin/server.js");
  const env = { ...process.env, PORT: String(port), HOST: "127.0.0.1" };
  return await listening(spawn(process.execPath, [script], { env, stdio: "ignore" }), port);
}

/** The server that comes with RxDB. */
export async function startRxdbSignaling(): Promise<LocalServer> {
  const port = await freePort();
  const script =
    'import("rxdb/plugins/replication-webrtc").then(({ startSignalingServerSimplePeer }) => ' +
    `startSignalingServerSimplePeer({ port: ${port}, host: "127.0.0.1" }))`;
  const args = ["--input-type=module", "-e", script];
  return await listening(spawn(process.execPath, args, { cwd: PEERS_FOLDER, stdio: "ignore" }), port);
}

function natsBinary(): string {
  const places = ["/usr/sbin/nats-server", "/usr/bin/nats-server", "/usr/local/bin/nats-server"];
  const found = () => places.find((path) => existsSync(path));
  if (found() === undefined && process.getuid?.() === 0 && existsSync("/usr/bin/apt-get")) {
    execFileSync("apt-get", ["install", "-y", "-q", "nats-server"], { stdio: "ignore" });
  }
  const binary = found();
  if (binary === undefined) throw new Error("no nats-server: `apt-get install nats-server` on Debian, as root");
  return binary;
}

async function listening(child: ChildProcess, port: number, folder?: string): Promise<LocalServer> {
  const close = async () => {
    if (child.exitCode === null && child.signalCode === null) {
      const exited = once(child, "exit");
      child.kill("SIGKILL");
      await exited;
    }
    if (folder !== undefined) await removeTemporaryFolder(folder);
  };
  for (const deadline = Date.now() + START_TIMEOUT_MS; Date.now() < deadline; await sleep(50)) {
    if (child.exitCode !== null) break;
    if (await accepts(port)) return { url: `ws://127.0.0.1:${port}`, close };
  }
  await close();
  throw new Error(`${child.spawnargs.slice(0, 2).join(" ")} does not listen on port ${port}`);
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, "127.0.0.1");
  const connected = await new Promise<boolean>((resolve) => {
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
  });
  socket.destroy();
  return connected;
}
