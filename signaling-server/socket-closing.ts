import type { WebSocket } from "ws";
import { closeReason } from "./close-codes.ts";

const SHUT_MS = 1_000;

/**
 * Closes after what is queued has been sent. A peer that does not answer loses its socket after the server's
 * `closeTimeout`.
 */
export function closeSocket(socket: WebSocket, code: number, reason: string): void {
  // A paused socket would never read the peer's answer.
  socket.resume();
  socket.close(code, closeReason(reason));
}

/** Closes for misbehaviour: hears nothing more of the peer, and gives it a moment to read why. */
export function shutSocket(socket: WebSocket, code: number, reason: string): void {
  socket.removeAllListeners("message");
  socket.close(code, closeReason(reason));
  setTimeout(() => socket.terminate(), SHUT_MS).unref();
}
