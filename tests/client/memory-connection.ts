import type { Connection, ConnectionHandlers, ConnectionKind } from "../../src/runtime/connection.ts";

/** One end of a connection within this process. Frames arrive in a later task, in order, as over a network. */
export class MemoryConnection implements Connection {
  readonly kind: ConnectionKind = "simulated";
  remoteAddress: string | undefined;
  queuedBytes = 0;
  #far: MemoryConnection | undefined;
  #handlers: ConnectionHandlers | undefined;
  readonly #arrived: (() => void)[] = [];
  #held = false;
  #closed = false;

  static pair(): [MemoryConnection, MemoryConnection] {
    const left = new MemoryConnection();
    const right = new MemoryConnection();
    left.#far = right;
    right.#far = left;
    return [left, right];
  }

  receive(handlers: ConnectionHandlers): void {
    this.#handlers = handlers;
    for (const deliver of this.#arrived.splice(0)) deliver();
  }

  send(frame: Uint8Array): void {
    if (this.#closed) return;
    // The receiver owns what it gets.
    const copy = frame.slice();
    const far = this.#far!;
    setImmediate(() => far.#deliver(() => far.#handlers!.frame(copy)));
  }

  close(reason: string): void {
    if (this.#closed) return;
    this.#end(reason);
    const far = this.#far!;
    setImmediate(() => far.#end(reason));
  }

  /** What arrives waits until `release`. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    this.#held = false;
    for (const deliver of this.#arrived.splice(0)) deliver();
  }

  #end(reason: string): void {
    if (this.#closed) return;
    this.#deliver(() => this.#handlers!.closed(reason));
    this.#closed = true;
  }

  #deliver(deliver: () => void): void {
    if (this.#closed) return;
    if (this.#handlers === undefined || this.#held) this.#arrived.push(deliver);
    else deliver();
  }
}
