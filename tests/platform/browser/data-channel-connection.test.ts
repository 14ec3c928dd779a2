import { expect, test } from "vitest";
import { dataChannelConnection } from "../../../src/platform/browser/data-channel-connection.ts";
import { HandMadeChannel } from "./hand-made-channel.ts";
import { receiveAll } from "./received.ts";

test("an error event that names no error ends the connection", async () => {
  const channel = new HandMadeChannel();
  const { closed } = receiveAll(dataChannelConnection(channel.asChannel).connection);
  channel.open();
  channel.dispatchEvent(new Event("error"));
  expect(await closed).toBe("the data channel failed");
});

test("a channel that closed on its way here ends the connection", async () => {
  const channel = new HandMadeChannel();
  channel.end();
  const { closed } = receiveAll(dataChannelConnection(channel.asChannel).connection);
  expect(await closed).toBe("the peer closed the data channel");
});
