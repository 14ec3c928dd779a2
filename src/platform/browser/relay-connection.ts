import type { Connection } from "../../runtime/connection.ts";
import { FramedChannel, LOW_WATER_BYTES } from "./framed-channel.ts";

/** A WebSocket does not say when its buffer has drained, so it is asked this often while it is full. */
const DRAIN_CHECK_MS = 5;

const OPEN_TIMEOUT_MS = 5000;

/**
 * Joins a relay: the server splices this WebSocket to the one that the other tab opens under the same id.
 * Rejects when the server cannot be reached or declines.
 */
export function relayConnection(url: string, maxFrameBytes?: number): Promise<Connection> {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const framed = new FramedChannel("relay", maxFrameBytes);
  const transport = {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (message: Uint8Array<ArrayBuffer>) => socket.send(message),
    onceDrained(callback: () => void) {
      const check = setInterval(() => {
        if (socket.bufferedAmount > LOW_WATER_BYTES && socket.readyState === WebSocket.OPEN) return;
        clearInterval(check);
        callback();
      }, DRAIN_CHECK_MS);
    },
    close: () => socket.close(),
  };
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) framed.message(new Uint8Array(data));
    else framed.closed("the relay brought text, not frames");
  });
  socket.addEventListener("close", ({ code, reason }) => {
    framed.closed(`the relay closed (${code}${reason === "" ? "" : ` ${reason}`})`);
  });
  return new Promise((resolve, reject) => {
    const late = setTimeout(() => {
      framed.closed("the relay did not open in time");
      socket.close();
      reject(new Error(`the relay did not open within ${OPEN_TIMEOUT_MS} ms`));
    }, OPEN_TIMEOUT_MS);
    socket.addEventListener("open", () => {
      clearTimeout(late);
      framed.opened(transport);
      resolve(framed);
    });
    socket.addEventListener("close", ({ code }) => {
      clearTimeout(late);
      reject(new Error(`the relay did not open: the server closed it (${code})`));
    });
  });
}
