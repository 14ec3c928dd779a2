import type { PageWatcher } from "../../runtime/client-platform.ts";
import { watchTabLifecycle } from "./tab-lifecycle.ts";

/**
 * What is sent over a data channel leaves the page in another thread, and the browser may end the process as soon as
 * the page has nothing more to do. Without this pause messages are lost on a busy machine.
 */
const PARTING_MS = 10;

/** Tells its watchers when the page goes away, and sees to it that their last words are heard. */
export class PageEnd {
  readonly #watchers = new Set<PageWatcher>();
  #stop: () => void = () => {};

  readonly watch = (watcher: PageWatcher): (() => void) => {
    if (this.#watchers.size === 0) this.#start();
    this.#watchers.add(watcher);
    return () => {
      this.#watchers.delete(watcher);
      if (this.#watchers.size === 0) this.#stop();
    };
  };

  #start(): void {
    const unwatch = watchTabLifecycle({
      closing: () => {
        for (const { closing } of this.#watchers) closing();
      },
      returned: () => {
        for (const { returned } of [...this.#watchers]) returned();
      },
      resumed: () => {},
    });
    // A listener of its own, so that the promises of what comes before have had their turn. A worker sends by itself.
    const page = "window" in globalThis ? window : undefined;
    page?.addEventListener("pagehide", pause);
    this.#stop = () => {
      unwatch();
      page?.removeEventListener("pagehide", pause);
    };
  }
}

function pause(): void {
  const end = performance.now() + PARTING_MS;
  while (performance.now() < end);
}
