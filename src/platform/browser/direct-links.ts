import type { Connection } from "../../runtime/connection.ts";
import { dataChannelConnection } from "./data-channel-connection.ts";
import { PeerLinks } from "./peer-links.ts";
import type { PeerLinksOptions } from "./peer-links.ts";

export interface DirectLinksOptions extends Omit<PeerLinksOptions, "acceptor"> {
  /** The links of a broker in the same page, to be used instead of own ones where they lead to the peer. */
  readonly shared: (peer: string) => PeerLinks | undefined;
}

/**
 * A client's direct links to brokers. They bring simple-peer along, which is as large as a client; so clients load this
 * file beside the cluster's metadata.
 */
export class DirectLinks {
  readonly #options: DirectLinksOptions;
  readonly #own: PeerLinks;
  readonly #opened = new Set<Connection>();

  constructor(options: DirectLinksOptions) {
    this.#options = options;
    this.#own = new PeerLinks({ ...options, acceptor: () => undefined });
  }

  async dial(peer: string, listener: string): Promise<Connection> {
    let connection: Connection | undefined;
    await (this.#options.shared(peer) ?? this.#own).open(peer, listener, ({ channel, released }) => {
      const end = dataChannelConnection(channel, {
        onClosed: () => {
          this.#opened.delete(end.connection);
          released();
        },
      });
      connection = end.connection;
      this.#opened.add(connection);
      return end.lost;
    });
    return connection!;
  }

  onSignal(from: string, signal: unknown): void {
    this.#own.onSignal(from, signal);
  }

  onUnreachable(peer: string): void {
    this.#own.onUnreachable(peer);
  }

  close(): void {
    for (const connection of [...this.#opened]) connection.close("the client was closed");
    this.#own.close();
  }
}
