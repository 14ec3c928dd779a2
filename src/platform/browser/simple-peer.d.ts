/**
 * The part of simple-peer 9.11 used here. Its `main` needs Node's globals, which its own bundle carries along.
 * `_pc` is not documented but has been there in every release; extra channels are made on it.
 */
declare module "simple-peer/simplepeer.min.js" {
  export interface PeerOptions {
    readonly initiator: boolean;
    readonly channelConfig: RTCDataChannelInit;
    readonly config: RTCConfiguration;
    readonly trickle: boolean;
    readonly objectMode: boolean;
  }

  export default class Peer {
    constructor(options: PeerOptions);
    readonly _pc: RTCPeerConnection | null | undefined;
    signal(data: unknown): void;
    send(data: string): void;
    destroy(): void;
    on(event: "signal", listener: (data: unknown) => void): this;
    on(event: "data", listener: (data: unknown) => void): this;
    on(event: "error", listener: (error: Error) => void): this;
    on(event: "connect" | "close", listener: () => void): this;
  }
}
