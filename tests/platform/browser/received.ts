import { expect } from "vitest";
import type { Connection } from "../../../src/runtime/connection.ts";

/** What a connection has brought, and ways to wait for it. */
export interface Received {
  readonly frames: Uint8Array[];
  readonly closed: Promise<string>;
  next(): Promise<Uint8Array>;
}

export function receiveAll(connection: Connection, onFrame: (frame: Uint8Array) => void = () => {}): Received {
  const frames: Uint8Array[] = [];
  const waiting: ((frame: Uint8Array) => void)[] = [];
  let taken = 0;
  const closed = new Promise<string>((resolve) => {
    connection.receive({
      frame(frame) {
        frames.push(frame);
        onFrame(frame);
        if (waiting.length > 0) waiting.shift()!(frames[taken++]!);
      },
      closed: resolve,
    });
  });
  return {
    frames,
    closed,
    next: () =>
      taken < frames.length
        ? Promise.resolve(frames[taken++]!)
        : new Promise((resolve) => waiting.push(resolve)),
  };
}

/** That frames get through, both ways, on a connection that nobody has listened to yet. */
export async function expectEcho(near: Connection, far: Connection): Promise<void> {
  const [atNear, atFar] = [receiveAll(near), receiveAll(far)];
  near.send(bytes(1, 2, 3));
  expect(await atFar.next()).toEqual(bytes(1, 2, 3));
  far.send(bytes(4));
  expect(await atNear.next()).toEqual(bytes(4));
}

export function bytes(...values: number[]): Uint8Array {
  return new Uint8Array(values);
}

/** `length` bytes that tell their place, so that a lost or moved byte shows. */
export function patterned(length: number, seed: number): Uint8Array {
  const pattern = new Uint8Array(length);
  let value = seed * 2654435761 + 1;
  for (let at = 0; at < length; at++) {
    value = (Math.imul(value, 1664525) + 1013904223) | 0;
    pattern[at] = value >>> 24;
  }
  return pattern;
}

export function same(left: Uint8Array, right: Uint8Array): boolean {
  return left.length === right.length && left.every((byte, at) => byte === right[at]);
}
