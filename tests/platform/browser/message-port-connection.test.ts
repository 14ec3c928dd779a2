import { describe, expect, test } from "vitest";
import { MessagePortConnection } from "../../../src/platform/browser/message-port-connection.ts";
import { bytes, patterned, receiveAll, same } from "./received.ts";

function pair(maxFrameBytes?: number): [MessagePortConnection, MessagePortConnection] {
  const { port1, port2 } = new MessageChannel();
  const options = maxFrameBytes === undefined ? {} : { maxFrameBytes };
  return [new MessagePortConnection(port1), new MessagePortConnection(port2, options)];
}

describe("a connection over a message port", () => {
  test("frames arrive in order, and the sender keeps its bytes", async () => {
    const [near, far] = pair();
    const received = receiveAll(far);
    const shared = patterned(3000, 1);
    near.send(shared.subarray(0, 1000));
    near.send(shared.subarray(1000, 1000));
    near.send(shared.subarray(500, 3000));
    expect(same(await received.next(), shared.subarray(0, 1000))).toBe(true);
    expect(await received.next()).toEqual(bytes());
    expect(same(await received.next(), shared.subarray(500))).toBe(true);
    expect(shared.length).toBe(3000);
    near.close("done");
  });

  test("a slow receiver makes frames wait at the sender", async () => {
    const [near, far] = pair();
    const frame = new Uint8Array(1024 * 1024);
    for (let count = 0; count < 16; count++) near.send(frame);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(near.queuedBytes).toBe(16 * frame.length);
    const received = receiveAll(far);
    await expect.poll(() => received.frames.length).toBe(16);
    await expect.poll(() => near.queuedBytes).toBe(0);
    near.close("done");
  });

  test("a close reaches the other side after the frames before it", async () => {
    const [near, far] = pair();
    const [atNear, atFar] = [receiveAll(near), receiveAll(far)];
    near.send(bytes(1));
    near.close("no more");
    near.send(bytes(2));
    expect(await atNear.closed).toBe("no more");
    expect(await atFar.closed).toBe("closed by the other side: no more");
    expect(atFar.frames).toEqual([bytes(1)]);
  });

  test("a frame beyond the limit closes both sides", async () => {
    const [near, far] = pair(10);
    const [atNear, atFar] = [receiveAll(near), receiveAll(far)];
    near.send(new Uint8Array(11));
    expect(await atFar.closed).toContain("a frame of 11 bytes exceeds the limit of 10");
    expect(await atNear.closed).toContain("exceeds the limit");
    expect(atFar.frames).toEqual([]);
  });

  test.each(["before", "after"])("no frame follows a close by a receiver that came %s them", async (when) => {
    const [near, far] = pair();
    const heard: string[] = [];
    const receive = () =>
      far.receive({
        frame(frame) {
          heard.push(`frame ${frame[0]}`);
          far.close("enough");
        },
        closed: (reason) => heard.push(reason),
      });
    const { closed } = receiveAll(near);
    if (when === "before") receive();
    near.send(bytes(1));
    near.send(bytes(2));
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (when === "after") receive();
    await closed;
    expect(heard).toEqual(["frame 1", "enough"]);
  });
});
