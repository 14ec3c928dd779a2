import type { ProtocolName, ReaderReport, ReaderStart, ToReader } from "./member-messages.ts";
import { sharedNow } from "./member-messages.ts";

/** A reader that lives in this page, from being added until it has left or its death has been noticed. */
export interface OwnReader {
  readonly number: number;
  readonly clientId: string;
  readonly report: ReaderReport | undefined;
  readonly killedMs: number | undefined;
  /** Since when it stands still, and until when. */
  readonly frozen: { readonly fromMs: number; readonly untilMs: number } | undefined;
  /** Records per second, over the last seconds. */
  readonly rate: number;
}

/** The shortest that brokers allow for members of the classic protocol. */
export const SESSION_TIMEOUT_MS = 6000;
/** A frozen reader stays so until the group has gone on without it, and a little longer. */
const FREEZE_MS = SESSION_TIMEOUT_MS + 4000;
export const READERS_MAX = 12;
/** A worker that cannot leave in this time is ended. */
const LEAVING_MS = 8000;
/** The workers end with the page: for so long it stays, so that they can commit and leave. */
const PARTING_MS = 40;
const LOOK_EVERY_MS = 50;
const RATE_OVER_MS = 2000;

interface Kept {
  readonly number: number;
  readonly clientId: string;
  readonly worker: Worker;
  report: ReaderReport | undefined;
  killedMs: number | undefined;
  frozen: { readonly fromMs: number; readonly untilMs: number } | undefined;
  processed: { readonly atMs: number; readonly count: number }[];
}

export interface ReaderPlace {
  readonly server: string;
  readonly groupId: string;
  readonly topics: readonly string[];
  readonly protocol: ProtocolName;
}

/** The readers of this page. Each has a worker of its own. */
export class OwnReaders {
  readonly #kept = new Map<string, Kept>();
  readonly #changed: (reader: OwnReader) => void;
  #recordsPerSecond: number;

  constructor(recordsPerSecond: number, changed: (reader: OwnReader) => void) {
    this.#recordsPerSecond = recordsPerSecond;
    this.#changed = changed;
    const tellAll = (message: ToReader) => {
      for (const { worker } of this.#kept.values()) tell(worker, message);
    };
    addEventListener("pagehide", () => {
      tellAll({ type: "pagehide" });
      const partingMs = performance.now() + PARTING_MS;
      while (this.#kept.size > 0 && performance.now() < partingMs);
    });
    addEventListener("pageshow", ({ persisted }) => tellAll({ type: "pageshow", persisted }));
  }

  get all(): readonly OwnReader[] {
    return [...this.#kept.values()].map((kept) => ({ ...kept, rate: rateOf(kept) }));
  }

  set recordsPerSecond(recordsPerSecond: number) {
    this.#recordsPerSecond = recordsPerSecond;
    for (const { worker } of this.#kept.values()) tell(worker, { type: "pace", recordsPerSecond });
  }

  /** `number` is part of its name, by which every page tells it from the others. Returns its client id. */
  add(number: number, place: ReaderPlace): string {
    const clientId = `reader-${number}@${Math.random().toString(36).slice(2, 6)}`;
    const worker = new Worker(new URL("./member.worker.ts", import.meta.url), { type: "module" });
    const kept: Kept = {
      number,
      clientId,
      worker,
      report: undefined,
      killedMs: undefined,
      frozen: undefined,
      processed: [],
    };
    this.#kept.set(clientId, kept);
    worker.onmessage = ({ data }: MessageEvent<ReaderReport>) => this.#onReport(kept, data);
    worker.onerror = (event) => {
      const why = `its worker failed: ${event.message ?? "it could not be loaded"}`;
      const last = kept.report ?? NOTHING_YET;
      this.#onReport(kept, { ...last, atMs: sharedNow(), phase: "failed", owned: [], reason: why });
    };
    const start: ReaderStart = {
      type: "start",
      ...place,
      clientId,
      sessionTimeoutMs: SESSION_TIMEOUT_MS,
      recordsPerSecond: this.#recordsPerSecond,
    };
    tell(worker, start);
    this.#changed(this.#view(kept));
    return clientId;
  }

  /** Politely: it finishes what it processes, commits, and tells the group. */
  remove(clientId: string): void {
    const kept = this.#kept.get(clientId);
    if (kept === undefined) return;
    if (kept.report?.phase === "failed" || kept.killedMs !== undefined) return this.forget(clientId);
    tell(kept.worker, { type: "leave" });
    setTimeout(() => this.forget(clientId), LEAVING_MS);
  }

  /** Resolves when the group knows none of them any more, unless they were killed. */
  async removeAll(): Promise<void> {
    for (const clientId of [...this.#kept.keys()]) this.remove(clientId);
    while (this.#kept.size > 0) await new Promise((resolve) => setTimeout(resolve, LOOK_EVERY_MS));
  }

  /** As a tab that crashes: nothing is committed, and nobody is told. */
  kill(clientId: string): void {
    const kept = this.#kept.get(clientId);
    if (kept === undefined || kept.killedMs !== undefined) return;
    kept.worker.terminate();
    kept.killedMs = sharedNow();
    kept.frozen = undefined;
    if (kept.report !== undefined) kept.report = { ...kept.report, atMs: kept.killedMs, owned: [] };
    this.#changed(this.#view(kept));
  }

  freeze(clientId: string): void {
    const kept = this.#kept.get(clientId);
    if (kept === undefined || kept.killedMs !== undefined || kept.frozen !== undefined) return;
    tell(kept.worker, { type: "freeze", forMs: FREEZE_MS });
    const fromMs = sharedNow();
    kept.frozen = { fromMs, untilMs: fromMs + FREEZE_MS };
    this.#changed(this.#view(kept));
  }

  /** What is left of a reader that has gone. */
  forget(clientId: string): void {
    const kept = this.#kept.get(clientId);
    if (kept === undefined) return;
    kept.worker.terminate();
    this.#kept.delete(clientId);
    this.#changed(this.#view(kept));
  }

  #onReport(kept: Kept, report: ReaderReport): void {
    if (kept.killedMs !== undefined || this.#kept.get(kept.clientId) !== kept) return;
    // What it said before it froze may arrive after.
    if (kept.frozen !== undefined && report.atMs > kept.frozen.untilMs - FREEZE_MS / 2) kept.frozen = undefined;
    kept.report = report;
    kept.processed = [...kept.processed, { atMs: report.atMs, count: report.processed }].filter(
      ({ atMs }) => atMs >= report.atMs - RATE_OVER_MS,
    );
    if (report.phase === "left") this.forget(kept.clientId);
    else this.#changed(this.#view(kept));
  }

  #view(kept: Kept): OwnReader {
    return { ...kept, rate: rateOf(kept) };
  }
}

const NOTHING_YET: ReaderReport = {
  atMs: 0,
  phase: "joining",
  memberId: "",
  generation: -1,
  rebalancing: false,
  owned: [],
  processed: 0,
  reason: undefined,
};

function rateOf({ processed, killedMs, frozen }: Kept): number {
  const [first, last] = [processed[0], processed.at(-1)];
  if (first === undefined || last === undefined || killedMs !== undefined || frozen !== undefined) return 0;
  return last.atMs <= first.atMs ? 0 : ((last.count - first.count) * 1000) / (last.atMs - first.atMs);
}

function tell(worker: Worker, message: ToReader): void {
  worker.postMessage(message);
}
