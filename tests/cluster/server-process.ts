import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { freePort } from "./free-port.ts";

export interface ServerOptions {
  /** 0 picks a free one, and keeps it over restarts. */
  readonly port: number;
  /** Bootstrap port of the Kafka listener; without it there is none. */
  readonly kafkaPort?: number | undefined;
  readonly dataDir: string;
  /** The folder of pages to serve. */
  readonly staticRoot: string;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
const READY_TIMEOUT_MS = 15_000;

/** The metadata server as a process of its own, so that it can be killed and started again on its data. */
export class ServerProcess {
  readonly #options: ServerOptions;
  #child: ChildProcess | undefined;
  #output = "";

  private constructor(options: ServerOptions) {
    this.#options = options;
  }

  static async start(options: ServerOptions): Promise<ServerProcess> {
    const server = new ServerProcess({ ...options, port: options.port === 0 ? await freePort() : options.port });
    await server.start();
    return server;
  }

  get port(): number {
    return this.#options.port;
  }

  /** Undefined while it does not run. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  /** What the server has printed so far. */
  get output(): string {
    return this.#output;
  }

  async start(): Promise<void> {
    const { dataDir, staticRoot, kafkaPort } = this.#options;
    const settings = {
      HOST: "127.0.0.1",
      PORT: String(this.port),
      KAFKA_PORT: kafkaPort === undefined ? "" : String(kafkaPort),
      DATA_DIR: dataDir,
      STATIC_ROOT: staticRoot,
    };
    const child = spawn(process.execPath, ["--import", "tsx", "signaling-server/main.ts"], {
      cwd: root,
      env: { ...process.env, ...settings },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const note = (chunk: Buffer) => void (this.#output += chunk.toString());
    child.stdout.on("data", note);
    child.stderr.on("data", note);
    await this.#untilListening(child);
  }

  /** Sends `SIGKILL`, as a crash, or `SIGTERM`, as a stop, and waits until the process is gone. */
  async stop(signal: "SIGKILL" | "SIGTERM" = "SIGTERM"): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, "exit");
    child.kill(signal);
    const killer = setTimeout(() => child.kill("SIGKILL"), 5_000);
    await exited;
    clearTimeout(killer);
  }

  async #untilListening(child: ChildProcess): Promise<void> {
    const before = this.#output.length;
    const deadline = Date.now() + READY_TIMEOUT_MS;
    while (child.exitCode === null && Date.now() < deadline) {
      if (this.#output.includes("Tabstream is at http", before)) return;
      await sleep(20);
    }
    await this.stop("SIGKILL");
    throw new Error(`the server did not start on port ${this.port}:\n${this.#output.slice(before)}`);
  }
}
