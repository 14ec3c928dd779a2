import { fork } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { fileURLToPath } from "node:url";
import { drawSchedule } from "./schedule.ts";
import type { FinishedRun, SimulationTask } from "./simulation-worker.ts";

export interface WorkerPoolOptions {
  readonly workers: number;
  /** The file that runs the tasks, see `bundleWorker`. */
  readonly entry: string;
}

interface Job {
  readonly task: SimulationTask;
  readonly ended: (run: FinishedRun) => void;
}

const root = fileURLToPath(new URL("../..", import.meta.url));
/** A run makes much garbage and keeps little; threads of the collector would take time from the other workers. */
const NODE_OPTIONS = ["--max-semi-space-size=64", "--single-threaded-gc"];
/**
 * What takes so long is taken for something that never ends. Most runs take seconds, and those to be shrunk minutes, but
 * a campaign may have no more than what others leave of the processor.
 */
const PATIENCE_MS = 900_000;
const TICK_MS = 100;
const KEPT_OUTPUT = 4_000;

/**
 * Runs simulations in processes of their own. A process that dies, or that goes on for much longer than its run can
 * take, makes a failed run and is replaced.
 */
export class WorkerPool {
  readonly #entry: string;
  readonly #workers: number;
  readonly #waiting: Job[] = [];
  readonly #idle: ChildProcess[] = [];
  readonly #all = new Set<ChildProcess>();
  #isStopped = false;

  constructor({ workers, entry }: WorkerPoolOptions) {
    this.#workers = workers;
    this.#entry = entry;
  }

  get workers(): number {
    return this.#workers;
  }

  /** Never rejects. Tasks are begun in order, but for the ones that shrink: somebody waits for those. */
  run(task: SimulationTask): Promise<FinishedRun> {
    return new Promise((ended) => {
      if (task.shrinks === true) this.#waiting.unshift({ task, ended });
      else this.#waiting.push({ task, ended });
      this.#begin();
    });
  }

  /** Ends every process; what has not ended by then never does. */
  stop(): void {
    this.#isStopped = true;
    for (const worker of this.#all) worker.kill("SIGKILL");
  }

  #begin(): void {
    if (this.#isStopped || this.#waiting.length === 0) return;
    const worker = this.#idle.pop() ?? (this.#all.size < this.#workers ? this.#newWorker() : undefined);
    if (worker === undefined) return;
    this.#perform(worker, this.#waiting.shift()!);
    this.#begin();
  }

  #newWorker(): ChildProcess {
    const worker = fork(this.#entry, {
      cwd: root,
      execArgv: NODE_OPTIONS,
      serialization: "advanced",
      stdio: ["ignore", "pipe", "pipe", "ipc"],
    });
    this.#all.add(worker);
    return worker;
  }

  #perform(worker: ChildProcess, { task, ended }: Job): void {
    let output = "";
    const heard = (text: Buffer) => {
      output = (output + text.toString()).slice(-KEPT_OUTPUT);
    };
    const finish = (run: FinishedRun) => {
      forget();
      for (const stream of [worker.stdout, worker.stderr]) stream?.off("data", heard);
      worker.off("message", finished).off("close", died).off("error", failed);
      ended(run);
      this.#begin();
    };
    const finished = (run: FinishedRun) => {
      this.#idle.push(worker);
      finish(run);
    };
    const failed = (error: Error) => {
      output += String(error);
    };
    const died = (code: number | null, signal: string | null) => {
      this.#all.delete(worker);
      finish(deadRun(task, `its process ended with ${signal ?? `code ${code}`}\n${output}`));
    };
    const forget = afterRunning(PATIENCE_MS, () => {
      output += `\nit took longer than ${PATIENCE_MS / 1000} s`;
      worker.kill("SIGKILL");
    });
    for (const stream of [worker.stdout, worker.stderr]) stream?.on("data", heard);
    worker.on("message", finished).on("close", died).on("error", failed);
    worker.send(task);
  }
}

/**
 * Calls back when this process has run for so long. While it is stopped, so that something else can be measured, its
 * workers mostly are as well, and nobody has waited for them. Returns how to forget it.
 */
export function afterRunning(ms: number, run: () => void): () => void {
  let leftMs = ms;
  const timer = setInterval(() => {
    leftMs -= TICK_MS;
    if (leftMs > 0) return;
    clearInterval(timer);
    run();
  }, TICK_MS);
  return () => clearInterval(timer);
}

function deadRun({ seed, seconds, schedule = drawSchedule(seed, seconds) }: SimulationTask, evidence: string): FinishedRun {
  const nothing = { traceHash: "", virtualMs: 0, events: 0, acknowledged: 0, read: 0, marks: new Map(), log: [] };
  return { result: { seed, schedule, violation: { rule: "no result", evidence }, ...nothing }, seconds, cpuMs: 0 };
}
