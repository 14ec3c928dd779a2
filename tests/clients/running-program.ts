import { spawn } from "node:child_process";
import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import type { Command } from "./client-program.ts";

const STOP_TIMEOUT_MS = 20_000;
const KEPT_COMPLAINTS = 4_000;

/** A program under way: its lines of output, and what it complains about. */
export class RunningProgram {
  readonly lines: string[] = [];
  readonly #command: Command;
  readonly #child: ChildProcess;
  readonly #over: Promise<unknown>;
  #complaints = "";

  constructor(command: Command, env: Readonly<Record<string, string>> = {}, cwd?: string) {
    const [program = "", ...args] = command;
    this.#command = command;
    this.#child = spawn(program, args, { stdio: "pipe", env: { ...process.env, ...env }, cwd });
    this.#over = once(this.#child, "close").catch((error: Error) => void (this.#complaints += error.message));
    createInterface({ input: this.#child.stdout! }).on("line", (line) => void this.lines.push(line));
    this.#child.stderr!.on("data", (chunk: Buffer) => {
      this.#complaints = (this.#complaints + chunk.toString()).slice(-KEPT_COMPLAINTS);
    });
    this.#child.stdin!.on("error", () => {});
  }

  write(lines: readonly string[]): void {
    this.#child.stdin!.write(lines.map((line) => `${line}\n`).join(""));
  }

  /** Throws if it has ended. */
  expectRunning(): void {
    if (this.#child.exitCode !== null) throw this.#failure(`ended with status ${this.#child.exitCode}`);
  }

  /** Waits for that many lines. */
  async untilLines(count: number, timeoutMs: number): Promise<void> {
    const endMs = Date.now() + timeoutMs;
    while (this.lines.length < count) {
      if (this.#child.exitCode !== null) throw this.#failure(`ended after ${this.lines.length} lines of ${count}`);
      if (Date.now() > endMs) throw this.#failure(`has printed ${this.lines.length} lines of ${count}`);
      await sleep(10);
    }
  }

  /** Ends its input, and waits until it ends with status 0. */
  async finish(timeoutMs: number): Promise<void> {
    this.#child.stdin!.end();
    const inTime = await Promise.race([this.#over.then(() => true), sleep(timeoutMs, false, { ref: false })]);
    if (!inTime) {
      this.#child.kill("SIGKILL");
      throw this.#failure(`had not ended after ${timeoutMs} ms`);
    }
    if (this.#child.exitCode !== 0) throw this.#failure(`ended with status ${this.#child.exitCode}`);
  }

  /** Asks it to end, and waits until it has. */
  async stop(): Promise<void> {
    this.#child.kill("SIGTERM");
    const inTime = await Promise.race([this.#over.then(() => true), sleep(STOP_TIMEOUT_MS, false, { ref: false })]);
    if (inTime) return;
    this.#child.kill("SIGKILL");
    throw this.#failure("did not end at SIGTERM");
  }

  /** Ends it whatever it is doing. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.#over;
  }

  #failure(what: string): Error {
    const shown = this.#command.map((word) => (word.length > 60 ? `${word.slice(0, 60)}…` : word)).join(" ");
    return new Error(`${shown} ${what}:\n${this.#complaints}`);
  }
}

const RUN_TIMEOUT_MS = 300_000;

/** Runs a program to its end and gives its output; throws unless that went well. */
export async function run(command: Command, options: { env?: Readonly<Record<string, string>>; cwd?: string } = {}) {
  const program = new RunningProgram(command, options.env, options.cwd);
  await program.finish(RUN_TIMEOUT_MS);
  return program.lines;
}
