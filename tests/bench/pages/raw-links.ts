import { transfer, wrap } from "comlink";
import type { Remote } from "comlink";
import type { RawWorker } from "./raw.worker.ts";

/** A worker with bare data channels to the workers of other pages; the bench carries the descriptions across. */
export class RawLinks {
  readonly worker: Remote<RawWorker> = wrap<RawWorker>(
    new Worker(new URL("./raw.worker.ts", import.meta.url), { type: "module" }),
  );
  readonly #connections = new Map<string, RTCPeerConnection>();
  readonly #opened = new Map<string, Promise<void>>();

  async offer(name: string): Promise<string> {
    const connection = this.#connect(name);
    await connection.setLocalDescription();
    return await description(connection);
  }

  async answer(name: string, sdp: string): Promise<string> {
    const connection = this.#connect(name);
    await connection.setRemoteDescription({ type: "offer", sdp });
    await connection.setLocalDescription();
    return await description(connection);
  }

  async accept(name: string, sdp: string): Promise<void> {
    await this.#connections.get(name)?.setRemoteDescription({ type: "answer", sdp });
    await this.#opened.get(name);
  }

  /** Ends the links with all pages. */
  close(): void {
    for (const connection of this.#connections.values()) connection.close();
    this.#connections.clear();
  }

  #connect(name: string): RTCPeerConnection {
    const connection = new RTCPeerConnection();
    this.#connections.set(name, connection);
    const channel = connection.createDataChannel("raw", { negotiated: true, id: 1 });
    this.#opened.set(name, this.worker.adopt(name, transfer(channel, [channel as unknown as Transferable])));
    return connection;
  }
}

/** The local description once all candidates are in it. */
async function description(connection: RTCPeerConnection): Promise<string> {
  while (connection.iceGatheringState !== "complete") {
    await new Promise((resolve) => connection.addEventListener("icegatheringstatechange", resolve, { once: true }));
  }
  return connection.localDescription?.sdp ?? "";
}
