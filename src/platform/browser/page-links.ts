import type { Connection } from "../../runtime/connection.ts";
import { dataChannelConnection } from "./data-channel-connection.ts";
import type { DataChannelConnection } from "./data-channel-connection.ts";
import { PeerUnreachableError } from "./errors.ts";
import type { LinkPaths } from "./link-paths.ts";
import type { ToPage, ToWorker } from "./link-port.ts";
import { pumpedConnection } from "./pumped-channel.ts";

type ChannelMessage = Extract<ToWorker, { readonly type: "channel" }>;

/** The worker's side of the links that its page holds. */
export class PageLinks {
  readonly #post: (message: ToPage) => void;
  readonly #accept: (connection: Connection, listener: string) => void;
  readonly #paths: LinkPaths;
  readonly #dials = new Map<number, Dial>();
  /** What tells a connection that its link is gone. */
  readonly #lost = new Map<number, (reason: string) => void>();
  #nextDialId = 1;

  constructor(
    post: (message: ToPage) => void,
    accept: (connection: Connection, listener: string) => void,
    paths: LinkPaths,
  ) {
    this.#post = post;
    this.#accept = accept;
    this.#paths = paths;
  }

  dial(peer: string, listener: string): Promise<Connection> {
    const dialId = this.#nextDialId++;
    return new Promise((resolve, reject) => {
      this.#dials.set(dialId, { resolve, reject, connection: undefined });
      this.#post({ type: "dial", dialId, peer, listener });
    });
  }

  /** Must be called in the task that received the message: a channel's events wait for no one. */
  onMessage(message: ToWorker): void {
    switch (message.type) {
      case "channel":
        return this.#onChannel(message);
      case "dialled":
        return this.#settle(message.dialId, (dial, connection) => dial.resolve(connection));
      case "dial-failed": {
        const { reason, unreachable } = message;
        return this.#fail(message.dialId, unreachable ? new PeerUnreachableError(reason) : new Error(reason));
      }
      case "lost":
        return this.#lost.get(message.channelId)?.(message.reason);
    }
  }

  #onChannel({ channelId, peer, listener, dialId, end }: ChannelMessage): void {
    const uncount = this.#paths.opened(peer, "direct");
    const onClosed = () => {
      this.#lost.delete(channelId);
      uncount();
      this.#post({ type: "released", channelId });
    };
    const { connection, lost } = connect(end, onClosed);
    this.#lost.set(channelId, lost);
    if (dialId === undefined) return this.#accept(connection, listener);
    const dial = this.#dials.get(dialId);
    if (dial === undefined) connection.close("nobody waits for it any more");
    else dial.connection = connection;
  }

  #settle(dialId: number, settle: (dial: Dial, connection: Connection) => void): void {
    const dial = this.#dials.get(dialId);
    this.#dials.delete(dialId);
    if (dial?.connection !== undefined) settle(dial, dial.connection);
  }

  #fail(dialId: number, cause: Error): void {
    const dial = this.#dials.get(dialId);
    this.#dials.delete(dialId);
    dial?.connection?.close(cause.message);
    dial?.reject(cause);
  }
}

interface Dial {
  resolve(connection: Connection): void;
  reject(cause: Error): void;
  /** Set when this side's end of the channel is here. */
  connection: Connection | undefined;
}

function connect(end: RTCDataChannel | MessagePort, onClosed: () => void): DataChannelConnection {
  return end instanceof MessagePort ? pumpedConnection(end, { onClosed }) : dataChannelConnection(end, { onClosed });
}
