import type { OwnReaderFacts } from "./who-reads.ts";

/**
 * Readers that come when the first one reads. If all came at once, the group, being empty, would wait for more of them
 * twice as long; and there is something to be seen when they come later.
 */
export class LaterReaders {
  #first: string | undefined;
  #count = 0;

  /** `first` is the client id of the reader that they wait for. */
  expect(count: number, first: string): void {
    this.#count = count;
    this.#first = first;
  }

  /** How many are to come now that this reader has changed. None come after one that went before it has read. */
  dueAfter({ clientId, report, killedMs }: OwnReaderFacts): number {
    if (clientId !== this.#first) return 0;
    const phase = killedMs === undefined ? (report?.phase ?? "joining") : "killed";
    const reads = phase === "reading" && (report?.owned ?? []).length > 0;
    if (!reads && (phase === "joining" || phase === "reading")) return 0;
    this.#first = undefined;
    return reads ? this.#count : 0;
  }
}
