import { Duplex } from "node:stream";
import { FrameDecoder } from "../../src/protocol/frame.ts";
import type { Connection } from "../../src/runtime/connection.ts";
import { encodeFrame } from "../protocol/encode-frame.ts";

/** A connection of frames in the shape of a socket, which is what KafkaJS takes from a `socketFactory`. */
export class MemorySocket extends Duplex {
  readonly #connection: Promise<Connection>;
  readonly #frames = new FrameDecoder();

  constructor(dialling: Promise<Connection>, connected: () => void) {
    super();
    this.#connection = dialling;
    dialling.then(
      (connection) => {
        connection.receive({
          frame: (frame) => void this.push(encodeFrame(frame)),
          closed: () => void this.push(null),
        });
        connected();
      },
      (error: Error) => this.destroy(error),
    );
  }

  override _read(): void {}

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error) => void): void {
    void this.#connection.then((connection) => {
      // A copy, which is no Buffer: the slices of those are views.
      for (const frame of this.#frames.push(new Uint8Array(chunk))) connection.send(frame);
      done();
    }, done);
  }

  override _final(done: () => void): void {
    void this.#connection.then((connection) => connection.close("the client closed"));
    done();
  }

  setKeepAlive(): this {
    return this;
  }

  setTimeout(): this {
    return this;
  }

  unref(): this {
    return this;
  }
}
