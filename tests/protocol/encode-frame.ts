import { frameHeader } from "../../src/protocol/frame.ts";

/** A frame with its length prefix, in one array. */
export function encodeFrame(payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const header = frameHeader(payload.length);
  const frame = new Uint8Array(header.length + payload.length);
  frame.set(header);
  frame.set(payload, header.length);
  return frame;
}
