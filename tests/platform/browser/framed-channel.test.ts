import { describe, expect, test } from "vitest";
import { FramedChannel, HIGH_WATER_BYTES, MESSAGE_BYTES } from "../../../src/platform/browser/framed-channel.ts";
import { receiveAll } from "./received.ts";

/** A transport that takes messages and drains when told to. */
class Pipe {
  readonly sent: Uint8Array[] = [];
  bufferedAmount = 0;
  closed = false;
  failing = false;
  #onDrained: (() => void) | undefined;

  send(message: Uint8Array): void {
    if (this.failing) throw new Error("queue full");
    this.sent.push(message.slice());
    this.bufferedAmount += message.length;
  }

  onceDrained(callback: () => void): void {
    this.#onDrained = callback;
  }

  close(): void {
    this.closed = true;
  }

  drain(): void {
    this.bufferedAmount = 0;
    const drained = this.#onDrained;
    this.#onDrained = undefined;
    drained?.();
  }
}

const turn = () => new Promise((resolve) => setTimeout(resolve));

describe("framed channel", () => {
  test("stops at the high-water mark and goes on when the transport has drained", async () => {
    const pipe = new Pipe();
    const channel = new FramedChannel("data-channel");
    channel.opened(pipe);
    const frame = new Uint8Array(3 * HIGH_WATER_BYTES - 4);
    channel.send(frame);
    await turn();
    expect(pipe.bufferedAmount).toBe(HIGH_WATER_BYTES);
    expect(channel.queuedBytes).toBe(3 * HIGH_WATER_BYTES);
    channel.send(new Uint8Array(10));
    await turn();
    expect(pipe.bufferedAmount).toBe(HIGH_WATER_BYTES);
    pipe.drain();
    pipe.drain();
    pipe.drain();
    expect(channel.queuedBytes).toBe(14);
    expect(pipe.sent.map(({ length }) => length)).toEqual([...Array(48).fill(MESSAGE_BYTES), 14]);
  });

  test("what comes out of one end, cut anyhow, goes into another", async () => {
    const pipe = new Pipe();
    const from = new FramedChannel("relay");
    from.opened(pipe);
    const frames = [0, 1, 70_000, 5].map((length) => new Uint8Array(length).fill(length % 251));
    for (const frame of frames) from.send(frame);
    await turn();
    const to = new FramedChannel("relay");
    const received = receiveAll(to);
    for (const message of pipe.sent) {
      for (let at = 0; at < message.length; at += 1000) to.message(message.slice(at, at + 1000));
    }
    expect(received.frames).toEqual(frames);
  });

  test("frames wait until the transport opens", async () => {
    const pipe = new Pipe();
    const channel = new FramedChannel("data-channel");
    channel.send(new Uint8Array([7]));
    await turn();
    expect(channel.queuedBytes).toBe(5);
    channel.opened(pipe);
    await turn();
    expect(pipe.sent).toEqual([new Uint8Array([0, 0, 0, 1, 7])]);
  });

  test("a message that the transport does not take ends the connection: the stream has a hole", async () => {
    const pipe = new Pipe();
    const channel = new FramedChannel("data-channel");
    const { closed } = receiveAll(channel);
    channel.opened(pipe);
    pipe.failing = true;
    channel.send(new Uint8Array(1));
    expect(await closed).toContain("queue full");
    expect(pipe.closed).toBe(true);
  });

  test("what a peer sends before anybody receives is bounded", async () => {
    const channel = new FramedChannel("data-channel", { maxFrameBytes: 100 });
    const frame = new Uint8Array(104);
    frame.set([0, 0, 0, 100]);
    channel.message(frame);
    channel.message(frame);
    const { frames, closed } = receiveAll(channel);
    expect(await closed).toContain("before anybody was ready");
    expect(frames).toEqual([]);
  });

  test("so is how many frames it sends before, for an empty one takes no bytes but room", async () => {
    const channel = new FramedChannel("data-channel");
    for (let count = 0; count < 4; count++) channel.message(new Uint8Array(MESSAGE_BYTES));
    const { frames, closed } = receiveAll(channel);
    expect(await closed).toContain("before anybody was ready");
    expect(frames).toEqual([]);
  });

  test("no frame follows a close by the receiver", () => {
    const channel = new FramedChannel("data-channel");
    const { frames } = receiveAll(channel, () => channel.close("enough"));
    channel.message(new Uint8Array([0, 0, 0, 1, 1, 0, 0, 0, 1, 2]));
    channel.message(new Uint8Array([0, 0, 0, 1, 3]));
    expect(frames).toEqual([new Uint8Array([1])]);
  });

  test("nor among the frames that came before the receiver, and closed is told once", () => {
    const channel = new FramedChannel("data-channel");
    channel.message(new Uint8Array([0, 0, 0, 1, 1, 0, 0, 0, 1, 2]));
    const heard: string[] = [];
    channel.receive({
      frame(frame) {
        heard.push(`frame ${frame[0]}`);
        channel.close("enough");
      },
      closed: (reason) => heard.push(reason),
    });
    expect(heard).toEqual(["frame 1", "enough"]);
  });

  test("closed is told once, to its maker and its user, also when it came before the user", async () => {
    let told = 0;
    const channel = new FramedChannel("data-channel", { onClosed: () => told++ });
    channel.closed("first");
    channel.closed("second");
    channel.close("third");
    expect(await receiveAll(channel).closed).toBe("first");
    expect(told).toBe(1);
  });

  test("a transport that opens after the close is closed", () => {
    const pipe = new Pipe();
    const channel = new FramedChannel("relay");
    channel.close("changed my mind");
    channel.opened(pipe);
    expect(pipe.closed).toBe(true);
  });
});
