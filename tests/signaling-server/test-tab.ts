import { randomUUID } from "node:crypto";
import { onTestFinished } from "vitest";
import { WebSocket } from "ws";
import type { ClientOptions } from "ws";
import type { FromServer, ToServer } from "../../src/runtime/signaling.ts";

export interface SocketEnd {
  readonly code: number;
  readonly reason: string;
}

const WAIT_MS = 5_000;

/** A WebSocket that remembers what came, so that a test can ask for it later. */
export class TestSocket {
  readonly webSocket: WebSocket;
  /** Rejects with the server's HTTP answer when the socket is refused. */
  readonly opened: Promise<void>;
  readonly ended: Promise<SocketEnd>;
  readonly texts: FromServer[] = [];
  readonly frames: Buffer[] = [];
  #arrived: (() => void)[] = [];

  constructor(url: string, options: ClientOptions = {}) {
    const socket = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.webSocket = socket;
    socket.on("message", (data: Buffer, isBinary) => {
      if (isBinary) this.frames.push(data);
      else this.texts.push(JSON.parse(data.toString()) as FromServer);
      for (const arrived of this.#arrived.splice(0)) arrived();
    });
    this.opened = new Promise((resolve, reject) => {
      socket.on("open", () => resolve());
      socket.on("unexpected-response", (_, response) => {
        reject(new Error(`HTTP ${response.statusCode}`));
        socket.terminate();
      });
      socket.on("error", reject);
    });
    this.opened.catch(() => {});
    this.ended = new Promise((resolve) => {
      socket.on("close", (code, reason) => resolve({ code, reason: reason.toString() }));
    });
    onTestFinished(() => socket.terminate());
  }

  say(message: ToServer): void {
    this.webSocket.send(JSON.stringify(message));
  }

  /** The first text of that type that was not taken yet. */
  async take<Type extends FromServer["type"]>(type: Type): Promise<Extract<FromServer, { type: Type }>> {
    const isWanted = (message: FromServer) => message.type === type;
    await this.#until(() => this.texts.some(isWanted), `a text of type ${type}`);
    const [message] = this.texts.splice(this.texts.findIndex(isWanted), 1);
    return message as Extract<FromServer, { type: Type }>;
  }

  sendFrame(frame: Uint8Array): void {
    this.webSocket.send(frame);
  }

  async takeFrame(): Promise<Buffer> {
    await this.#until(() => this.frames.length > 0, "a frame");
    return this.frames.shift()!;
  }

  async #until(isThere: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + WAIT_MS;
    while (!isThere()) {
      if (Date.now() > deadline) throw new Error(`${what} did not come within ${WAIT_MS} ms`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#arrived.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }
}

/** A tab's socket to a cluster. */
export class TestTab extends TestSocket {
  readonly peer: string;
  readonly key: string;

  constructor(server: { readonly url: string }, options: TabOptions = {}) {
    const { cluster = "demo", peer = randomUUID(), key = randomUUID() } = options;
    super(`${socketUrl(server)}/clusters/${cluster}?peer=${peer}&key=${key}`, options.client);
    this.peer = peer;
    this.key = key;
  }
}

export interface TabOptions {
  readonly cluster?: string;
  readonly peer?: string;
  readonly key?: string;
  readonly client?: ClientOptions;
}

/** A tab that the server has welcomed. */
export async function welcomedTab(server: { readonly url: string }, options: TabOptions = {}): Promise<TestTab> {
  const tab = new TestTab(server, options);
  await tab.opened;
  await tab.take("welcome");
  return tab;
}

export function relaySocket(server: { readonly url: string }, relayId: string): TestSocket {
  return new TestSocket(`${socketUrl(server)}/relay/${relayId}`);
}

export function socketUrl(server: { readonly url: string }): string {
  return server.url.replace(/^http/, "ws");
}
