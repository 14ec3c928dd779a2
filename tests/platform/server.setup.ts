import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { TestProject } from "vitest/node";
import { type WebSocket, WebSocketServer } from "ws";

declare module "vitest" {
  export interface ProvidedContext {
    readonly serverUrl: string;
  }
}

/**
 * The server's two kinds of sockets reduced to what tabs see of them, plus commands for tests: a text frame
 * `{"type": "test", "do": …}` on a cluster socket makes the server misbehave towards that socket.
 */
export default async function setup(project: TestProject): Promise<() => void> {
  const peers = new Map<string, WebSocket>();
  const relays = new Map<string, WebSocket>();
  const http = createServer();
  const sockets = new WebSocketServer({ server: http });
  sockets.on("connection", (socket, request) => {
    const url = new URL(request.url!, "http://localhost");
    if (url.pathname.startsWith("/clusters/")) joinCluster(peers, socket, url);
    else if (url.pathname.startsWith("/relay/")) joinRelay(relays, socket, url.pathname);
    else socket.close(1008, "no such path");
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  project.provide("serverUrl", `http://127.0.0.1:${(http.address() as AddressInfo).port}`);
  return () => {
    for (const socket of sockets.clients) socket.terminate();
    http.close();
  };
}

function joinCluster(peers: Map<string, WebSocket>, socket: WebSocket, url: URL): void {
  const peer = url.searchParams.get("peer")!;
  const send = (to: WebSocket, message: object) => to.send(JSON.stringify(message));
  peers.set(peer, socket);
  socket.on("close", () => peers.get(peer) === socket && peers.delete(peer));
  send(socket, { type: "welcome", peer, cluster: url.pathname.split("/")[2] });
  // A broker must not take an echo for its controller.
  const echoes = url.pathname !== "/clusters/without-controller";
  socket.on("message", (data: Buffer, isBinary) => {
    if (isBinary) return echoes ? socket.send(data) : undefined;
    const message = JSON.parse(data.toString());
    if (message.type === "test") return obey(message.do, socket);
    if (message.type === "pong") return socket.send(Buffer.from("pong"));
    const target = peers.get(message.to);
    if (target === undefined) return send(socket, { type: "unreachable", to: message.to });
    send(target, { ...message, from: peer });
  });
}

function obey(command: string, socket: WebSocket): void {
  if (command === "ping") socket.send('{"type":"ping"}');
  if (command === "drop") socket.terminate();
  if (command === "garbage") for (const text of GARBAGE) socket.send(text);
}

const GARBAGE = ["{", "null", '"x"', '{"type":"signal"}', '{"type":"new"}'];

function joinRelay(relays: Map<string, WebSocket>, socket: WebSocket, path: string): void {
  const twin = relays.get(path);
  if (twin === undefined) {
    relays.set(path, socket);
    socket.pause();
    socket.on("close", () => relays.delete(path));
    return;
  }
  relays.delete(path);
  splice(twin, socket);
  splice(socket, twin);
  twin.resume();
}

function splice(from: WebSocket, to: WebSocket): void {
  from.on("message", (data: Buffer) => to.send(data));
  from.on("close", () => to.close(1000));
}
