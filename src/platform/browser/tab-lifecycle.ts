/** What happens to a page that its broker, or a member of a group, must hear of. */
export interface TabLifecycleHandlers {
  /** The page is going away: there may be no time for more than one message. */
  readonly closing: () => void;
  /** The page runs again after it was frozen. */
  readonly resumed: (gapMs: number) => void;
  /** The page was left, after `closing`, and came back from the back/forward cache. */
  readonly returned: () => void;
}

/**
 * Watches the page's lifecycle; returns what stops the watch. `freeze` and `resume` exist in Chromium only. A worker has
 * no such events: there, `pagehide` and `pageshow` are those that the application passes on from its page.
 */
export function watchTabLifecycle(handlers: TabLifecycleHandlers): () => void {
  const watch = new AbortController();
  const { signal } = watch;
  let frozenAt = Date.now();
  globalThis.addEventListener("pagehide", () => handlers.closing(), { signal });
  const shown = (event: Event) => ("persisted" in event && event.persisted === true ? handlers.returned() : undefined);
  globalThis.addEventListener("pageshow", shown, { signal });
  if ("document" in globalThis) {
    document.addEventListener("freeze", () => (frozenAt = Date.now()), { signal });
    document.addEventListener("resume", () => handlers.resumed(Date.now() - frozenAt), { signal });
  }
  return () => watch.abort();
}
