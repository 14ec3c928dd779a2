/**
 * The one socket between a tab and the metadata server, as the Kafka side sees it.
 *
 * It reconnects by itself, with backoff, for as long as it lives; `opened` and `closed` take turns. Unlike on a
 * broker connection, the controller answers requests in any order, so that a long-polled metadata fetch never holds up
 * a heartbeat: correlation ids pair them.
 */
export interface ControllerLink {
  receive(handlers: ControllerLinkHandlers): void;
  /** Sends one Kafka frame, without a length prefix. Dropped while the link is down. */
  send(frame: Uint8Array): void;
  close(): void;
}

export interface ControllerLinkHandlers {
  opened(): void;
  frame(frame: Uint8Array): void;
  closed(reason: string): void;
  /** An attempt to open it has failed, and another one follows: the server cannot be reached, or refuses. */
  failed?(reason: string): void;
}
