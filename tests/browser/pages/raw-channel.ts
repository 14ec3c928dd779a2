import type { RawChannelRequest } from "./raw-channel.worker.ts";

/** A bare `RTCDataChannel` between the workers of two pages, introduced to each other by the test. */
export interface RawChannel {
  offer(): Promise<string>;
  answer(offer: string): Promise<string>;
  accept(answer: string): Promise<void>;
  send(totalBytes: number, messageBytes: number): void;
  /** Milliseconds from the first message until `totalBytes` had arrived. */
  count(totalBytes: number): Promise<number>;
}

/** Must be called in the task that is to make the channel, for only there it can be transferred. */
export function rawChannel(): RawChannel {
  const worker = new Worker(new URL("./raw-channel.worker.ts", import.meta.url), { type: "module" });
  const connection = new RTCPeerConnection();
  const channel = connection.createDataChannel("raw", { negotiated: true, id: 1 });
  const opened = new Promise<void>((resolve) => {
    worker.addEventListener("message", ({ data }) => data === "open" && resolve());
  });
  const ask = (request: RawChannelRequest) => worker.postMessage(request);
  worker.postMessage({ type: "channel", channel }, [channel as unknown as Transferable]);
  return {
    async offer() {
      await connection.setLocalDescription();
      return await description(connection);
    },
    async answer(sdp) {
      await connection.setRemoteDescription({ type: "offer", sdp });
      await connection.setLocalDescription();
      return await description(connection);
    },
    async accept(sdp) {
      await connection.setRemoteDescription({ type: "answer", sdp });
      await opened;
    },
    send: (totalBytes, messageBytes) => ask({ type: "send", totalBytes, messageBytes }),
    count: (totalBytes) =>
      new Promise((resolve) => {
        worker.addEventListener("message", ({ data }) => {
          if (typeof data === "object") resolve((data as { readonly elapsedMs: number }).elapsedMs);
        });
        ask({ type: "count", totalBytes });
      }),
  };
}

/** The local description once all candidates are in it. */
async function description(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  return connection.localDescription?.sdp ?? "";
}
