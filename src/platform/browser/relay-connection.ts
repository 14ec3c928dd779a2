import type { Connection } from "../../runtime/connection.ts";
import type { FramedChannelOptions } from "./framed-channel.ts";
import { HOLD, RELEASE } from "../../metadata/kafka-holding.ts";
import { FramedChannel, LOW_WATER_BYTES } from "./framed-channel.ts";

/** A connection that the server relays. */
export interface RelayConnection {
  readonly connection: Connection;
  /** Resolves when this side has joined the relay; rejects when the server cannot be reached or declines. */
  readonly opened: Promise<void>;
}

/**
 * A WebSocket does not say when its buffer has drained. It is asked whenever something arrives, for answers tell of
 * requests that have left, and this often while it is full; in a hidden page timers may ring once a minute.
 */
const DRAIN_CHECK_MS = 5;

const OPEN_TIMEOUT_MS = 5000;

export interface RelayOptions extends FramedChannelOptions {
  /** Whether the other end is the server itself, which speaks for a Kafka client and can be asked to hold it back. */
  readonly isKafkaClient?: boolean;
}

/** Joins a relay: the server splices this WebSocket to the one that the other tab opens under the same id. */
export function relayConnection(url: string, options: RelayOptions = {}): RelayConnection {
  const socket = new WebSocket(url);
  socket.binaryType = "arraybuffer";
  const connection = new FramedChannel("relay", options);
  let checks: ReturnType<typeof setInterval> | undefined;
  let drained: (() => void) | undefined;
  const checkDrained = () => {
    if (drained === undefined) return;
    if (socket.bufferedAmount > LOW_WATER_BYTES && socket.readyState === WebSocket.OPEN) return;
    clearInterval(checks);
    const callback = drained;
    drained = undefined;
    callback();
  };
  const transport = {
    get bufferedAmount() {
      return socket.bufferedAmount;
    },
    send: (message: Uint8Array<ArrayBuffer>) => socket.send(message),
    onceDrained(callback: () => void) {
      drained = callback;
      checks = setInterval(checkDrained, DRAIN_CHECK_MS);
    },
    ...(options.isKafkaClient && { hold: (held: boolean) => socket.send(held ? HOLD : RELEASE) }),
    close: () => socket.close(1000),
  };
  socket.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) connection.message(new Uint8Array(data));
    else connection.closed("the relay brought text, not frames");
    checkDrained();
  });
  const opened = new Promise<void>((resolve, reject) => {
    const fail = (reason: string) => {
      clearTimeout(late);
      socket.close();
      connection.closed(reason);
      // Without effect once the relay has opened.
      reject(new Error(reason));
    };
    const late = setTimeout(() => fail(`the relay did not open within ${OPEN_TIMEOUT_MS} ms`), OPEN_TIMEOUT_MS);
    socket.addEventListener("open", () => {
      clearTimeout(late);
      connection.opened(transport);
      resolve();
    });
    socket.addEventListener("close", ({ code, reason }) => fail(`the relay closed: ${reason || `code ${code}`}`));
  });
  // The connection tells its user as well.
  opened.catch(() => {});
  return { connection, opened };
}
