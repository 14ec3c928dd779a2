import { ServerResponse, createServer } from "node:http";
import type { IncomingMessage, RequestListener, Server } from "node:http";
import type { Socket } from "node:net";
import { AddressSockets } from "./address-sockets.ts";
import type { Limits } from "./limits.ts";
import type { RefusalReport } from "./refusal-report.ts";

type PortLimits = Pick<
  Limits,
  "connections" | "connectionsPerAddress" | "requestHeadMs" | "requestMs" | "unreadAnswerMs"
>;

/** How often requests that take too long are looked for. By default Node does so every 30 s. */
const CHECK_MS = 1_000;

/** An HTTP server that waits for no client for ever: neither for its request, nor for its reading the answer. */
export function impatientServer({ connections, requestHeadMs, requestMs, unreadAnswerMs }: PortLimits): Server {
  const timeouts = { headersTimeout: requestHeadMs, requestTimeout: requestMs, connectionsCheckingInterval: CHECK_MS };
  const http = createServer({ keepAlive: true, ...timeouts });
  http.maxConnections = connections;
  // WebSockets are exempt, as ws takes the timeout off.
  http.timeout = unreadAnswerMs;
  return http;
}

/**
 * Leaves no address more connections than its share, and reports those that are turned away. Returns what cuts off all
 * connections, also those whose sockets Node has handed over to others.
 */
export function shareConnections(http: Server, limits: PortLimits, refused: RefusalReport): () => void {
  const { connections, connectionsPerAddress } = limits;
  const addresses = new AddressSockets(connectionsPerAddress);
  const open = new Set<Socket>();
  http.on("connection", (socket) => {
    open.add(socket);
    socket.once("close", () => open.delete(socket));
    if (addresses.admit(socket.remoteAddress ?? "", socket)) return;
    refused("connections-of-address", `${connectionsPerAddress} connections are open from this address`, { socket });
    socket.destroy();
  });
  http.on("drop", (socket) => {
    refused("connections-full", `the server has its ${connections} connections`, { socket: socket ?? {} });
  });
  return () => {
    for (const socket of open) socket.destroy();
  };
}

/**
 * Answers a request that offers to go on in a protocol other than WebSocket, as some HTTP clients always do. No offer
 * need be taken (RFC 9110, section 7.8), but Node answers no request by itself that has one.
 */
export function answerInPresentProtocol(request: IncomingMessage, answer: RequestListener, limits: PortLimits): void {
  const { socket } = request;
  socket.on("error", () => socket.destroy());
  // Node has taken off what would act on the timeout.
  socket.setTimeout(limits.unreadAnswerMs, () => socket.destroy());
  const response = new ServerResponse(request);
  response.shouldKeepAlive = false;
  response.assignSocket(socket);
  response.on("finish", () => socket.destroySoon());
  answer(request, response);
}

export function offersWebSocket({ headers }: IncomingMessage): boolean {
  return headers.upgrade?.toLowerCase() === "websocket";
}
