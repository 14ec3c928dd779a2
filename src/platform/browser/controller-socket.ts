import type { ControllerLink, ControllerLinkHandlers } from "../../runtime/controller-link.ts";
import type { FromServer, ToServer } from "../../runtime/signaling.ts";
import { backoffMs } from "./backoff.ts";
import { PacedTexts } from "./paced-texts.ts";

/**
 * The one WebSocket between a tab and the server. Text frames are signaling, binary frames are Kafka's. It reconnects
 * for as long as it lives, and at once when the browser notices a network.
 *
 * A broker opens it in its worker, where timers run on time; a client opens it in the page.
 */
export class ControllerSocket implements ControllerLink {
  readonly #url: string;
  readonly #signaling: (message: Signaling) => void;
  readonly #connected: (connected: boolean) => void;
  readonly #signals = new PacedTexts((text) => this.#say(text));
  #state: State = { kind: "waiting", cancel: () => {} };
  #handlers: ControllerLinkHandlers | undefined;
  readonly #onOnline = () => {
    if (this.#state.kind === "waiting") this.#connect(0);
  };

  /** `connected` is called whenever that changes. */
  constructor(
    url: string,
    signaling: (message: Signaling) => void,
    connected: (connected: boolean) => void = () => {},
  ) {
    this.#url = url;
    this.#signaling = signaling;
    this.#connected = connected;
    addEventListener("online", this.#onOnline);
    this.#connect(0);
  }

  receive(handlers: ControllerLinkHandlers): void {
    this.#handlers = handlers;
    if (this.#state.kind === "open") handlers.opened();
  }

  send(frame: Uint8Array): void {
    if (this.#state.kind === "open") this.#state.socket.send(frame as Uint8Array<ArrayBuffer>);
  }

  /** Dropped while the socket is down, or used beyond measure; whoever waits for an answer has a deadline. */
  signal(message: ToServer): void {
    if (this.#state.kind === "open") this.#signals.send(JSON.stringify(message));
  }

  get connected(): boolean {
    return this.#state.kind === "open";
  }

  close(): void {
    const state = this.#state;
    if (state.kind === "closed") return;
    this.#state = { kind: "closed" };
    this.#signals.clear();
    removeEventListener("online", this.#onOnline);
    if (state.kind === "waiting") return state.cancel();
    clearTimeout(state.deadline);
    state.socket.close(1000);
    if (state.kind === "open") this.#ended("closed by this tab");
  }

  #connect(attempt: number): void {
    if (this.#state.kind === "waiting") this.#state.cancel();
    const socket = new WebSocket(this.#url);
    socket.binaryType = "arraybuffer";
    const lose = (reason: string) => this.#lose(socket, attempt, reason);
    this.#state = { kind: "connecting", socket, deadline: expire(lose) };
    socket.addEventListener("message", ({ data }) => this.#onMessage(socket, lose, data));
    socket.addEventListener("close", ({ code, reason }) => {
      const isUntold = code === UNTOLD && this.#state.kind === "connecting";
      lose(isUntold ? WITHOUT_REASON : `the server's socket closed (${[code, reason].join(" ").trim()})`);
    });
  }

  #onMessage(socket: WebSocket, lose: (reason: string) => void, data: unknown): void {
    const state = this.#state;
    if (!("socket" in state) || state.socket !== socket) return;
    clearTimeout(state.deadline);
    state.deadline = expire(lose);
    if (data instanceof ArrayBuffer) {
      if (state.kind === "open") this.#handlers?.frame(new Uint8Array(data));
      return;
    }
    const message = parse(data);
    switch (message?.type) {
      case "welcome":
        if (state.kind !== "connecting") return;
        this.#state = { ...state, kind: "open" };
        this.#connected(true);
        return this.#handlers?.opened();
      case "ping":
        return this.#say(JSON.stringify({ type: "pong" } satisfies ToServer));
      case "signal":
      case "relay":
      case "unreachable":
        return this.#signaling(message);
    }
  }

  #say(text: string): void {
    if (this.#state.kind === "open") this.#state.socket.send(text);
  }

  #lose(socket: WebSocket, attempt: number, reason: string): void {
    const state = this.#state;
    if (!("socket" in state) || state.socket !== socket) return;
    clearTimeout(state.deadline);
    this.#signals.clear();
    const wasOpen = state.kind === "open";
    const next = wasOpen ? 0 : attempt + 1;
    const timer = setTimeout(() => this.#connect(next), backoffMs(next, Math.random()));
    this.#state = { kind: "waiting", cancel: () => clearTimeout(timer) };
    socket.close();
    if (wasOpen) this.#ended(reason);
    else this.#handlers?.failed?.(reason);
  }

  #ended(reason: string): void {
    this.#connected(false);
    this.#handlers?.closed(reason);
  }
}

/** What concerns links between tabs. */
export type Signaling = Extract<FromServer, { readonly type: "signal" | "relay" | "unreachable" }>;

type State =
  | { readonly kind: "waiting"; readonly cancel: () => void }
  | { readonly kind: "connecting" | "open"; readonly socket: WebSocket; deadline: Timer }
  | { readonly kind: "closed" };

type Timer = ReturnType<typeof setTimeout>;

/**
 * The server pings every few seconds, so silence means a half-open connection, which TCP alone would notice after
 * minutes. The same bound holds for connecting.
 */
const SILENCE_LIMIT_MS = 15_000;

/** A browser does not tell a page what a server has answered that opens no socket. */
const UNTOLD = 1006;
const WITHOUT_REASON = "nothing answers there, or it refuses this page's origin or address; its log says which";

function expire(lose: (reason: string) => void): Timer {
  return setTimeout(() => lose(`the server was silent for ${SILENCE_LIMIT_MS} ms`), SILENCE_LIMIT_MS);
}

/** Unknown types are let pass: the server may be newer than this page. */
function parse(data: unknown): FromServer | undefined {
  if (typeof data !== "string") return undefined;
  try {
    const message: unknown = JSON.parse(data);
    return isMessage(message) ? message : undefined;
  } catch {
    return undefined;
  }
}

function isMessage(message: unknown): message is FromServer {
  if (typeof message !== "object" || message === null || !("type" in message)) return false;
  const has = (name: string) => typeof (message as Record<string, unknown>)[name] === "string";
  switch (message.type) {
    case "welcome":
      return has("peer") && has("cluster");
    case "signal":
      return has("from");
    case "relay":
      return has("from") && has("relayId") && has("listener");
    case "unreachable":
      return has("to");
    case "ping":
      return true;
    default:
      return false;
  }
}
