import { PEER_CLOSED, channelFailure } from "./data-channel-connection.ts";
import type { DataChannelConnection } from "./data-channel-connection.ts";
import { describe } from "./errors.ts";
import type { FramedChannelOptions } from "./framed-channel.ts";
import { FramedChannel, LOW_WATER_BYTES } from "./framed-channel.ts";

/**
 * A data channel that stays in the page while its connection lives in the worker, for browsers that cannot transfer
 * channels: Chrome before 130 and Firefox before 144. The page reads none of it.
 *
 * The worker counts bytes as buffered until the page says that the channel has let go of them, so flow control is that
 * of a channel of its own. The channel holds `LOW_WATER_BYTES` more at the most than the worker counts.
 */
type ToPump = ArrayBuffer | "close";

type FromPump =
  | { readonly type: "opened" }
  | { readonly type: "message"; readonly message: ArrayBuffer }
  /** The channel has so many bytes less to send. */
  | { readonly type: "sent"; readonly bytes: number }
  | { readonly type: "closed"; readonly reason: string };

/** The page's side. Takes the channel over, and returns the port that goes to the worker in its place. */
export function pumpChannel(channel: RTCDataChannel): MessagePort {
  const { port1: port, port2: workerPort } = new MessageChannel();
  let untoldBytes = 0;
  const post = (message: FromPump, transfer: Transferable[] = []) => port.postMessage(message, transfer);
  const tellSent = () => {
    if (channel.bufferedAmount > LOW_WATER_BYTES) return;
    post({ type: "sent", bytes: untoldBytes });
    untoldBytes = 0;
  };
  const end = (reason: string) => {
    post({ type: "closed", reason });
    port.close();
    channel.close();
  };
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = LOW_WATER_BYTES;
  channel.addEventListener("bufferedamountlow", tellSent);
  channel.addEventListener("message", ({ data }) => {
    if (data instanceof ArrayBuffer) post({ type: "message", message: data }, [data]);
    else end("the peer sent text on a channel for frames");
  });
  channel.addEventListener("error", (event) => end(channelFailure(event)));
  channel.addEventListener("close", () => end(PEER_CLOSED));
  if (channel.readyState === "open") post({ type: "opened" });
  else channel.addEventListener("open", () => post({ type: "opened" }), { once: true });
  port.onmessage = ({ data }: MessageEvent<ToPump>) => {
    if (data === "close") {
      port.close();
      return channel.close();
    }
    try {
      channel.send(data);
    } catch (cause) {
      return end(`sending failed: ${describe(cause)}`);
    }
    untoldBytes += data.byteLength;
    tellSent();
  };
  return workerPort;
}

/** The worker's side. */
export function pumpedConnection(port: MessagePort, options?: FramedChannelOptions): DataChannelConnection {
  const framed = new FramedChannel("data-channel", options);
  let unsentBytes = 0;
  let drained: (() => void) | undefined;
  const transport = {
    get bufferedAmount() {
      return unsentBytes;
    },
    send(message: Uint8Array<ArrayBuffer>) {
      const { buffer } = message.slice();
      unsentBytes += buffer.byteLength;
      port.postMessage(buffer, [buffer]);
    },
    onceDrained(callback: () => void) {
      drained = callback;
    },
    close() {
      port.postMessage("close");
      port.close();
    },
  };
  const onSent = (bytes: number) => {
    unsentBytes -= bytes;
    if (unsentBytes > LOW_WATER_BYTES) return;
    const callback = drained;
    drained = undefined;
    callback?.();
  };
  port.onmessage = ({ data }: MessageEvent<FromPump>) => {
    switch (data.type) {
      case "opened":
        return framed.opened(transport);
      case "message":
        return framed.message(new Uint8Array(data.message));
      case "sent":
        return onSent(data.bytes);
      case "closed":
        return framed.closed(data.reason);
    }
  };
  return { connection: framed, lost: (reason) => framed.closed(reason) };
}
