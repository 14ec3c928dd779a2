import { describe, expect, onTestFinished, test } from "vitest";
import { HIGH_WATER_BYTES, LOW_WATER_BYTES, MESSAGE_BYTES } from "../../../src/platform/browser/framed-channel.ts";
import { pumpChannel, pumpedConnection } from "../../../src/platform/browser/pumped-channel.ts";
import { HandMadeChannel } from "./hand-made-channel.ts";
import { bytes, patterned, receiveAll, same } from "./received.ts";

const turns = () => new Promise((resolve) => setTimeout(resolve, 20));

/** A channel in the page and its connection in the worker, with a real port between them. */
function pumped({ isOpen = true, onClosed = () => {} } = {}) {
  const channel = new HandMadeChannel();
  const { connection, lost } = pumpedConnection(pumpChannel(channel.asChannel), { onClosed });
  if (isOpen) channel.open();
  onTestFinished(() => connection.close("the test is over"));
  return { channel, connection, lost };
}

function framed(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const frame = new Uint8Array(4 + payload.length);
  new DataView(frame.buffer).setInt32(0, payload.length);
  frame.set(payload, 4);
  return frame;
}

function joined(messages: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(messages.flatMap((message) => [...message]));
}

describe("a channel that stays in the page", () => {
  test("frames go both ways, whole and in order", async () => {
    const { channel, connection } = pumped();
    const received = receiveAll(connection);
    connection.send(bytes(1, 2));
    connection.send(bytes(3));
    await expect.poll(() => joined(channel.sent)).toEqual(bytes(0, 0, 0, 2, 1, 2, 0, 0, 0, 1, 3));
    const arriving = framed(patterned(100_000, 1));
    channel.bring(arriving.slice(0, 60_000).buffer);
    channel.bring(arriving.slice(60_000).buffer);
    expect(same(await received.next(), patterned(100_000, 1))).toBe(true);
  });

  test("a slow peer makes bytes wait with the sender, not in the page", async () => {
    const { channel, connection } = pumped();
    const frame = patterned(8 * HIGH_WATER_BYTES, 2);
    connection.send(frame);
    await turns();
    expect(channel.takenBytes).toBe(HIGH_WATER_BYTES);
    expect(connection.queuedBytes).toBe(frame.length + 4 - LOW_WATER_BYTES);

    while (channel.takenBytes < frame.length + 4) {
      channel.drain(MESSAGE_BYTES);
      await new Promise((resolve) => setTimeout(resolve));
    }
    expect(channel.mostBufferedBytes).toBeLessThanOrEqual(HIGH_WATER_BYTES + LOW_WATER_BYTES);
    channel.drain();
    await expect.poll(() => connection.queuedBytes).toBe(0);
    expect(Buffer.concat(channel.sent).equals(framed(frame))).toBe(true);
  });

  test("frames wait until the channel opens", async () => {
    const { channel, connection } = pumped({ isOpen: false });
    connection.send(bytes(7));
    await turns();
    expect(connection.queuedBytes).toBe(5);
    channel.open();
    await expect.poll(() => joined(channel.sent)).toEqual(bytes(0, 0, 0, 1, 7));
  });

  test("a close in the worker lets what was sent before go out, then closes the channel", async () => {
    let closes = 0;
    const { channel, connection } = pumped({ onClosed: () => closes++ });
    await turns();
    connection.send(bytes(1));
    connection.close("done");
    await expect.poll(() => channel.readyState).toBe("closing");
    expect(joined(channel.sent)).toEqual(bytes(0, 0, 0, 1, 1));
    channel.end();
    await turns();
    expect(closes).toBe(1);
  });

  test("a close before the channel opens closes it when it does", async () => {
    const { channel, connection } = pumped({ isOpen: false });
    connection.close("changed my mind");
    channel.open();
    await expect.poll(() => channel.readyState).toBe("closing");
  });

  test.each<[string, (channel: HandMadeChannel) => void, string]>([
    ["the peer's close", (channel) => channel.end(), "the peer closed the data channel"],
    ["an error without a cause", (channel) => channel.dispatchEvent(new Event("error")), "the data channel failed"],
    ["text", (channel) => channel.bring("text"), "the peer sent text on a channel for frames"],
  ])("%s ends the connection", async (_what, happen, reason) => {
    const { channel, connection } = pumped();
    const { closed } = receiveAll(connection);
    happen(channel);
    expect(await closed).toBe(reason);
    expect(channel.readyState).not.toBe("open");
  });

  test("a message that the channel does not take ends the connection: the stream has a hole", async () => {
    const { channel, connection } = pumped();
    const { closed } = receiveAll(connection);
    await turns();
    channel.readyState = "closing";
    connection.send(bytes(1));
    expect(await closed).toContain("sending failed: InvalidStateError");
  });

  test("the loss of the link ends the connection", async () => {
    const { connection, lost } = pumped();
    const { closed } = receiveAll(connection);
    lost("the link is gone");
    expect(await closed).toBe("the link is gone");
  });
});
