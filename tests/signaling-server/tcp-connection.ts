import type { Socket } from "node:net";
import { FramedChannel } from "../../src/platform/browser/framed-channel.ts";
import type { Connection } from "../../src/runtime/connection.ts";

/** A TCP socket as a connection of frames, with nothing between it and a broker in this process. */
export function tcpConnection(socket: Socket): Connection {
  const framed = new FramedChannel("simulated");
  socket.setNoDelay();
  socket.on("data", (bytes: Buffer) => framed.message(new Uint8Array(bytes)));
  socket.on("error", () => {});
  socket.on("close", () => framed.closed("the client closed"));
  framed.opened({
    get bufferedAmount() {
      return socket.writableLength;
    },
    send: (message) => void socket.write(Buffer.from(message)),
    onceDrained: (callback) => void socket.once("drain", callback),
    close: () => void socket.end(),
  });
  return framed;
}
