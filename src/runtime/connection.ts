/** Where a broker can be dialled, as Metadata and the cluster image carry it. For tabs `host` is a peer id. */
export interface Endpoint {
  readonly host: string;
  readonly port: number;
}

export type ConnectionKind = "data-channel" | "message-port" | "relay" | "simulated";

export interface ConnectionHandlers {
  /** One whole frame, without its length prefix. The bytes belong to the receiver. */
  frame(frame: Uint8Array): void;
  /** Called once, last; also after an own `close`. */
  closed(reason: string): void;
}

/**
 * An ordered, reliable, flow-controlled stream of frames between a client and a broker.
 *
 * A malformed or oversized frame closes the connection; the reason says what was wrong.
 */
export interface Connection {
  readonly kind: ConnectionKind;
  /** The network address of the other end, where it has one that is known: of Kafka's clients. */
  readonly remoteAddress?: string | undefined;
  /** Attaches the one receiver. Frames that came before are handed over at once, in order. */
  receive(handlers: ConnectionHandlers): void;
  /** Queues one frame, without its length prefix. Frames sent after a close are dropped: `closed` told or tells. */
  send(frame: Uint8Array): void;
  /** Bytes queued by `send` that the transport has not taken yet. */
  readonly queuedBytes: number;
  /** Asks the other end to send nothing more for the time being, or to go on; absent where it cannot be asked. */
  hold?(held: boolean): void;
  close(reason: string): void;
}
