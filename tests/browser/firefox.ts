import { existsSync } from "node:fs";
import puppeteer from "puppeteer-core";
import type { Browser, Page } from "puppeteer-core";
import { RUN_TIMEOUT_MS } from "./simulation-test.ts";

/** The path of a Firefox, or undefined: the one named by $FIREFOX, or Debian's. */
export function findFirefox(): string | undefined {
  const named = process.env["FIREFOX"];
  if (named !== undefined && named !== "") {
    if (existsSync(named)) return named;
    throw new Error(`no browser at FIREFOX=${named}: point it at a Firefox or unset it`);
  }
  return ["/usr/bin/firefox-esr", "/usr/bin/firefox"].find((path) => existsSync(path));
}

/** Says how to get one. */
export function toldNoFirefox(): void {
  console.error("SKIPPED: no Firefox found. On Debian: `apt-get install firefox-esr`, or set FIREFOX to its path.");
}

/** A page of a stock Firefox, driven over WebDriver BiDi: Playwright's own protocol needs a patched one. */
export class FirefoxPage {
  readonly #browser: Browser;
  readonly #page: Page;

  private constructor(browser: Browser, page: Page) {
    this.#browser = browser;
    this.#page = page;
  }

  static async launch(executablePath: string): Promise<FirefoxPage> {
    const browser = await puppeteer.launch({
      browser: "firefox",
      executablePath,
      headless: true,
      // Names instead of addresses need multicast, which not every machine of tests has.
      extraPrefsFirefox: { "media.peerconnection.ice.obfuscate_host_addresses": false },
    });
    return new FirefoxPage(browser, await browser.newPage());
  }

  /** Opens an address and waits until `read`, which runs in the page, gives something else than undefined. */
  async waitFor<T>(url: string, read: () => T | undefined): Promise<T | undefined> {
    await this.#page.goto(url);
    await this.#page.waitForFunction(read, { timeout: RUN_TIMEOUT_MS, polling: 100 });
    return await this.#page.evaluate(read);
  }

  async close(): Promise<void> {
    await this.#browser.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
