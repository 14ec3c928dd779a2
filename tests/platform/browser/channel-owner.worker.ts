import { LinkPaths } from "../../../src/platform/browser/link-paths.ts";
import type { ToWorker } from "../../../src/platform/browser/link-port.ts";
import { PageLinks } from "../../../src/platform/browser/page-links.ts";
import type { Connection } from "../../../src/runtime/connection.ts";

/**
 * Stands for a broker's worker: owns the connections of its page's links. It echoes small frames, counts large ones,
 * and on command dials and sends.
 */
export type Command =
  | { readonly type: "start"; readonly port: MessagePort }
  | { readonly type: "signal"; readonly from: string; readonly signal: unknown }
  | { readonly type: "dial"; readonly peer: string; readonly listener: string }
  | { readonly type: "send"; readonly bytes: readonly number[] }
  | { readonly type: "flood"; readonly frames: number; readonly frameBytes: number }
  | { readonly type: "close" };

export type Report =
  | { readonly type: "signal"; readonly to: string; readonly signal: unknown }
  | { readonly type: "dialled"; readonly kind: string }
  | { readonly type: "failed"; readonly name: string; readonly message: string }
  | { readonly type: "frame"; readonly bytes: readonly number[] }
  | { readonly type: "flooded"; readonly bytes: number; readonly at: number }
  | { readonly type: "closed"; readonly reason: string }
  | { readonly type: "paths"; readonly paths: unknown };

const SMALL = 100;

let links: PageLinks;
let port: MessagePort;
let dialled: Connection | undefined;
let counted = 0;

const report = (message: Report) => postMessage(message);
const paths = new LinkPaths(() => report({ type: "paths", paths: paths.list() }));

function accept(connection: Connection): void {
  connection.receive({
    frame(frame) {
      if (frame.length <= SMALL) return connection.send(frame);
      counted += frame.length;
      report({ type: "flooded", bytes: counted, at: Date.now() });
    },
    closed: (reason) => report({ type: "closed", reason }),
  });
}

async function dial(peer: string, listener: string): Promise<void> {
  try {
    dialled = await links.dial(peer, listener);
    dialled.receive({
      frame: (frame) => report({ type: "frame", bytes: [...frame] }),
      closed: (reason) => report({ type: "closed", reason }),
    });
    report({ type: "dialled", kind: dialled.kind });
  } catch (cause) {
    const { name, message } = cause as Error;
    report({ type: "failed", name, message });
  }
}

addEventListener("message", ({ data }: MessageEvent<Command>) => {
  switch (data.type) {
    case "start":
      port = data.port;
      links = new PageLinks((message) => port.postMessage(message), accept, paths);
      port.onmessage = ({ data: message }: MessageEvent<ToWorker>) => {
        if (message.type === "signal") report(message);
        else links.onMessage(message);
      };
      return;
    case "signal":
      return port.postMessage(data);
    case "dial":
      return void dial(data.peer, data.listener);
    case "send":
      return dialled!.send(new Uint8Array(data.bytes));
    case "flood":
      for (let frame = 0; frame < data.frames; frame++) dialled!.send(new Uint8Array(data.frameBytes));
      return;
    case "close":
      return dialled!.close("done");
  }
});
