import type { Connection } from "../../runtime/connection.ts";
import type { FramedChannelOptions } from "./framed-channel.ts";
import { FramedChannel, LOW_WATER_BYTES } from "./framed-channel.ts";

/** A connection over an RTCDataChannel, and the way to end it where the browser does not tell the channel. */
export interface DataChannelConnection {
  readonly connection: Connection;
  /** The RTCPeerConnection under the channel is gone: closing it fires no event on its own channels. */
  lost(reason: string): void;
}

/**
 * Takes over a channel in the task that brought it: messages that find no listener are gone. The channel may still be
 * connecting; frames wait until it opens.
 */
export function dataChannelConnection(channel: RTCDataChannel, options?: FramedChannelOptions): DataChannelConnection {
  const framed = new FramedChannel("data-channel", options);
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
  const transport = {
    get bufferedAmount() {
      return channel.bufferedAmount;
    },
    send: (message: Uint8Array<ArrayBuffer>) => channel.send(message),
    onceDrained(callback: () => void) {
      channel.addEventListener("bufferedamountlow", callback, { once: true });
    },
    close: () => channel.close(),
  };
  channel.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) framed.message(new Uint8Array(data));
    else framed.closed("the peer sent text on a channel for frames");
  });
  channel.addEventListener("error", (event) => framed.closed(channelFailure(event)));
  channel.addEventListener("close", () => framed.closed(PEER_CLOSED));
  if (channel.readyState === "open") framed.opened(transport);
  else channel.addEventListener("open", () => framed.opened(transport), { once: true });
  // It may have closed on its way to this worker, and has no event left to say so.
  if (channel.readyState === "closing" || channel.readyState === "closed") framed.closed(PEER_CLOSED);
  return { connection: framed, lost: (reason) => framed.closed(reason) };
}

export const PEER_CLOSED = "the peer closed the data channel";

/** Not every browser says with the event what the error was. */
export function channelFailure(event: Event): string {
  const error: unknown = "error" in event ? event.error : undefined;
  return error instanceof Error ? `the data channel failed: ${error.message}` : "the data channel failed";
}
