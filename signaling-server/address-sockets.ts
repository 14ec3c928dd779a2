import type { Duplex } from "node:stream";

/** Counts the open sockets of each network address, so that none takes them all. */
export class AddressSockets {
  readonly #limit: number;
  readonly #counts = new Map<string, number>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Counts the socket until it closes; false if its address has its share already. */
  admit(address: string, socket: Duplex): boolean {
    const count = this.#counts.get(address) ?? 0;
    if (count >= this.#limit) return false;
    this.#counts.set(address, count + 1);
    socket.once("close", () => this.#release(address));
    return true;
  }

  #release(address: string): void {
    const left = (this.#counts.get(address) ?? 1) - 1;
    if (left === 0) this.#counts.delete(address);
    else this.#counts.set(address, left);
  }
}
