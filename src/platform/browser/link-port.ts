import type { LifecycleEvent } from "../../runtime/broker-platform.ts";

/**
 * What a broker's page and worker say to each other beside comlink's control calls. RTCPeerConnections exist in pages
 * only, while the Kafka connections over them, and the socket that introduces tabs, live in the worker.
 */
export type ToWorker =
  /** One end of a connection: of the worker's own dial `dialId`, or one that another tab opened. */
  | {
      readonly type: "channel";
      readonly channelId: number;
      readonly peer: string;
      readonly listener: string;
      readonly dialId: number | undefined;
      /** A port where the browser cannot transfer channels; the page then pumps. */
      readonly end: RTCDataChannel | MessagePort;
    }
  /** The other side has its end of the channel too: frames may be sent. */
  | { readonly type: "dialled"; readonly dialId: number }
  | { readonly type: "dial-failed"; readonly dialId: number; readonly reason: string; readonly unreachable: boolean }
  /** The link under a channel is gone, which the channel itself may not notice. */
  | { readonly type: "lost"; readonly channelId: number; readonly reason: string }
  | { readonly type: "signal"; readonly to: string; readonly signal: unknown }
  /** A connection from the page itself. */
  | { readonly type: "local"; readonly port: MessagePort }
  | { readonly type: "lifecycle"; readonly event: LifecycleEvent };

export type ToPage =
  | { readonly type: "dial"; readonly dialId: number; readonly peer: string; readonly listener: string }
  /** The channel has closed. */
  | { readonly type: "released"; readonly channelId: number }
  | { readonly type: "signal"; readonly from: string; readonly signal: unknown }
  | { readonly type: "unreachable"; readonly to: string }
  /** Whether the worker can have signals passed on. */
  | { readonly type: "server"; readonly connected: boolean };
