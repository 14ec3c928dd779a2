import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { chromium } from "playwright";
import type { BrowserContext, Page } from "playwright";
import { CHROMIUM_FLAGS, requireChromium } from "./chromium.ts";
import { makeTemporaryFolder, removeTemporaryFolder } from "./temporary-folder.ts";

export interface ProfileOptions {
  readonly directory?: string;
  /** Of the command line, beside the usual ones. */
  readonly flags?: readonly string[];
}

/**
 * One browser with a profile of its own on disk, which it can be killed and started again on. Brokers need this:
 * an ordinary Playwright context keeps IndexedDB in memory.
 */
export class BrowserProfile {
  readonly #directory: string;
  readonly #temporary: boolean;
  readonly #flags: readonly string[];
  #context: BrowserContext | undefined;
  /** The tab that the browser starts with, until it is used. */
  #firstPage: Page | undefined;

  private constructor(directory: string, temporary: boolean, flags: readonly string[]) {
    this.#directory = directory;
    this.#temporary = temporary;
    this.#flags = [...CHROMIUM_FLAGS, ...flags];
  }

  /** Starts a browser on `directory`, or on a temporary one that goes away with `close`. */
  static async launch({ directory, flags = [] }: ProfileOptions = {}): Promise<BrowserProfile> {
    const path = directory ?? (await makeTemporaryFolder("profile"));
    const profile = new BrowserProfile(path, directory === undefined, flags);
    await profile.start();
    return profile;
  }

  get context(): BrowserContext {
    if (this.#context === undefined) throw new Error("the browser is not running");
    return this.#context;
  }

  async start(): Promise<void> {
    this.#context = await chromium.launchPersistentContext(this.#directory, {
      executablePath: requireChromium(),
      args: [...this.#flags],
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
    });
    this.#firstPage = this.#context.pages()[0];
  }

  /** The tab that the browser starts with, or else a new one. */
  async newPage(): Promise<Page> {
    const first = this.#firstPage;
    this.#firstPage = undefined;
    return first ?? (await this.context.newPage());
  }

  /** The processes that run the pages and workers of this profile. */
  async rendererPids(): Promise<number[]> {
    return await this.#pids("renderer");
  }

  /** The folders on disk that hold IndexedDB: by their names it can be told which form of it the browser has. */
  async databaseFolders(): Promise<string[]> {
    return await readdir(join(this.#directory, "Default", "IndexedDB"));
  }

  /** The files of IndexedDB's large rows, of which Chromium's older form of it keeps each in one. */
  async largeRows(): Promise<string[]> {
    const folder = join(this.#directory, "Default", "IndexedDB");
    const entries = await readdir(folder, { recursive: true, withFileTypes: true });
    const files = entries.filter((entry) => entry.isFile() && entry.parentPath.includes(".indexeddb.blob"));
    return files.map(({ parentPath, name }) => join(parentPath, name));
  }

  /** Ends every process of the browser with SIGKILL, as a power cut of its machine would, disk aside. */
  async kill(): Promise<void> {
    const [pid] = await this.#pids("browser");
    if (pid === undefined) throw new Error("the browser does not tell its process id");
    const closed = new Promise((resolve) => this.context.once("close", resolve));
    process.kill(-pid, "SIGKILL");
    await closed;
    this.#context = undefined;
  }

  async close(): Promise<void> {
    await this.#context?.close();
    this.#context = undefined;
    if (this.#temporary) await removeTemporaryFolder(this.#directory);
  }

  async #pids(type: string): Promise<number[]> {
    const session = await this.context.browser()?.newBrowserCDPSession();
    if (session === undefined) throw new Error("the browser has no control session");
    const { processInfo } = await session.send("SystemInfo.getProcessInfo");
    await session.detach();
    return processInfo.filter((info) => info.type === type).map((info) => info.id);
  }
}
