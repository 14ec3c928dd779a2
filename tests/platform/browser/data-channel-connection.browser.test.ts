import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { dataChannelConnection } from "../../../src/platform/browser/data-channel-connection.ts";
import { HIGH_WATER_BYTES, MESSAGE_BYTES } from "../../../src/platform/browser/framed-channel.ts";
import { channelPair } from "./channel-pair.ts";
import { bytes, patterned, receiveAll, same } from "./received.ts";

describe("a connection over a real data channel", () => {
  let pair: Awaited<ReturnType<typeof channelPair>>;

  beforeEach(async () => {
    pair = await channelPair();
  });

  afterEach(() => pair.close());

  test("frames arrive whole, in order, and in both directions", async () => {
    const near = dataChannelConnection(pair.near).connection;
    const far = dataChannelConnection(pair.far).connection;
    const [atNear, atFar] = [receiveAll(near), receiveAll(far)];
    // The first ones are sent while the channel is still connecting.
    const sizes = [0, 1, 3, 65_531, 65_532, 65_533, 200_000, 5];
    const sent = sizes.map((size, seed) => patterned(size, seed));
    for (const frame of sent) near.send(frame);
    for (const frame of sent) {
      const arrived = await atFar.next();
      expect(same(arrived, frame)).toBe(true);
      far.send(arrived);
    }
    for (const frame of sent) expect(same(await atNear.next(), frame)).toBe(true);
  });

  test("frames of one turn share messages, and no message is beyond 64 KiB", async () => {
    const messages: number[] = [];
    pair.far.binaryType = "arraybuffer";
    pair.far.onmessage = ({ data }) => messages.push(data.byteLength);
    const near = dataChannelConnection(pair.near).connection;
    for (let count = 0; count < 100; count++) near.send(new Uint8Array(96));
    near.send(new Uint8Array(150_000));
    const total = 100 * 100 + 150_004;
    await expect.poll(() => messages.reduce((sum, length) => sum + length, 0)).toBe(total);
    expect(messages).toEqual([MESSAGE_BYTES, MESSAGE_BYTES, total - 2 * MESSAGE_BYTES]);
  });

  test("64 MB sent at once arrive complete without overrunning the channel", { timeout: 60_000 }, async () => {
    const near = dataChannelConnection(pair.near).connection;
    const far = dataChannelConnection(pair.far).connection;
    const frame = patterned(1024 * 1024, 1);
    let good = 0;
    const atFar = receiveAll(far, (arrived) => {
      if (same(arrived, frame)) good++;
    });
    let highest = 0;
    const watch = setInterval(() => (highest = Math.max(highest, pair.near.bufferedAmount)), 1);
    for (let count = 0; count < 64; count++) near.send(frame);
    expect(near.queuedBytes).toBe(64 * (frame.length + 4));
    await expect.poll(() => atFar.frames.length, { timeout: 50_000 }).toBe(64);
    clearInterval(watch);
    expect(good).toBe(64);
    expect(highest).toBeGreaterThan(0);
    expect(highest).toBeLessThanOrEqual(HIGH_WATER_BYTES + MESSAGE_BYTES);
    await expect.poll(() => near.queuedBytes).toBe(0);
  });

  test("frames that came before the receiver are handed over in order", async () => {
    const near = dataChannelConnection(pair.near).connection;
    const far = dataChannelConnection(pair.far).connection;
    near.send(bytes(1));
    near.send(bytes(2, 3));
    await new Promise((resolve) => setTimeout(resolve, 300));
    const { frames } = receiveAll(far);
    expect(frames).toEqual([bytes(1), bytes(2, 3)]);
  });

  test("a frame beyond the limit closes the connection at both ends, before its bytes are kept", async () => {
    const near = dataChannelConnection(pair.near).connection;
    const far = dataChannelConnection(pair.far, { maxFrameBytes: 1000 }).connection;
    const [atNear, atFar] = [receiveAll(near), receiveAll(far)];
    near.send(new Uint8Array(1000));
    await atFar.next();
    near.send(new Uint8Array(1001));
    expect(await atFar.closed).toContain("a frame of 1001 bytes exceeds the limit of 1000");
    expect(await atNear.closed).toBe("the peer closed the data channel");
    expect(atFar.frames.map(({ length }) => length)).toEqual([1000]);
  });

  test("a negative length, or text, closes the connection", async () => {
    const far = dataChannelConnection(pair.far).connection;
    await new Promise((resolve) => (pair.near.onopen = resolve));
    pair.near.send(bytes(0xff, 0xff, 0xff, 0xff) as Uint8Array<ArrayBuffer>);
    expect(await receiveAll(far).closed).toContain("announces -1 bytes");

    const other = await channelPair();
    const third = dataChannelConnection(other.far).connection;
    await new Promise((resolve) => (other.near.onopen = resolve));
    other.near.send("frame");
    expect(await receiveAll(third).closed).toContain("text");
    other.close();
  });

  test("a close sends what was queued in the same turn, and ends both sides", async () => {
    const near = dataChannelConnection(pair.near).connection;
    const far = dataChannelConnection(pair.far).connection;
    const atFar = receiveAll(far);
    const atNear = receiveAll(near);
    near.send(bytes(1));
    await atFar.next();
    near.send(bytes(2));
    near.close("done");
    near.send(bytes(3));
    expect(await atNear.closed).toBe("done");
    await atFar.closed;
    expect(atFar.frames).toEqual([bytes(1), bytes(2)]);
  });

  test("the loss of the RTCPeerConnection ends the connection with the reason given", async () => {
    const near = dataChannelConnection(pair.near);
    const { closed } = receiveAll(near.connection);
    pair.close();
    near.lost("the link failed");
    expect(await closed).toBe("the link failed");
  });
});
