/// <reference lib="webworker" />

/**
 * One end of a bare data channel, for comparison: sends as fast as the channel's flow control lets it, or counts what
 * arrives. Times are milliseconds of this worker's clock.
 */
export type RawChannelRequest =
  | { readonly type: "channel"; readonly channel: RTCDataChannel }
  | { readonly type: "send"; readonly totalBytes: number; readonly messageBytes: number }
  /** Asks for one reply, `{ elapsedMs }`, once `totalBytes` have arrived since the first message. */
  | { readonly type: "count"; readonly totalBytes: number };

const HIGH_WATER_BYTES = 1 << 20;

const scope = self as unknown as DedicatedWorkerGlobalScope;
let channel: RTCDataChannel;

scope.addEventListener("message", ({ data: request }: MessageEvent<RawChannelRequest>) => {
  if (request.type === "channel") adopt(request.channel);
  else if (request.type === "send") send(request.totalBytes, request.messageBytes);
  else count(request.totalBytes);
});

function adopt(adopted: RTCDataChannel): void {
  channel = adopted;
  channel.binaryType = "arraybuffer";
  channel.bufferedAmountLowThreshold = HIGH_WATER_BYTES / 2;
  channel.addEventListener("open", () => scope.postMessage("open"));
}

function send(totalBytes: number, messageBytes: number): void {
  const message = new Uint8Array(messageBytes);
  let left = totalBytes;
  const fill = () => {
    while (left > 0 && channel.bufferedAmount < HIGH_WATER_BYTES) {
      channel.send(message);
      left -= messageBytes;
    }
    if (left > 0) channel.addEventListener("bufferedamountlow", fill, { once: true });
  };
  fill();
}

function count(totalBytes: number): void {
  let startMs: number | undefined;
  let received = 0;
  channel.onmessage = ({ data }: MessageEvent<ArrayBuffer>) => {
    startMs ??= performance.now();
    received += data.byteLength;
    if (received >= totalBytes) scope.postMessage({ elapsedMs: performance.now() - startMs });
  };
}
