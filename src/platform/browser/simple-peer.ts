// @ts-expect-error simple-peer has no types; those below are of the part used here.
import Untyped from "simple-peer/simplepeer.min.js";

/**
 * simple-peer 9.11, by its own bundle: the package's `main` needs Node's globals, which the bundle carries along.
 */
export interface Peer {
  /** Not documented, but there in every release; extra channels are made on it. */
  readonly _pc: RTCPeerConnection | null | undefined;
  signal(data: unknown): void;
  send(data: string): void;
  destroy(): void;
  on(event: "signal" | "data", listener: (data: unknown) => void): this;
  on(event: "error", listener: (error: Error) => void): this;
  on(event: "connect" | "close", listener: () => void): this;
}

export interface PeerOptions {
  readonly initiator: boolean;
  readonly channelConfig: RTCDataChannelInit;
  readonly config: RTCConfiguration;
  readonly trickle: boolean;
  readonly objectMode: boolean;
}

export const Peer = Untyped as new (options: PeerOptions) => Peer;
