/** What happens to a page that its broker, or a member of a group, must hear of. */
export interface TabLifecycleHandlers {
  /** The page is going away: there may be no time for more than one message. */
  readonly closing: () => void;
  /** The page runs again after it was frozen. */
  readonly resumed: (gapMs: number) => void;
  /** The page was left, after `closing`, and came back from the back/forward cache. */
  readonly returned: () => void;
}

/** Watches the page's lifecycle; returns what stops the watch. `freeze` and `resume` exist in Chromium only. */
export function watchTabLifecycle(handlers: TabLifecycleHandlers): () => void {
  const watch = new AbortController();
  const { signal } = watch;
  let frozenAt = Date.now();
  window.addEventListener("pagehide", () => handlers.closing(), { signal });
  window.addEventListener("pageshow", (event) => (event.persisted ? handlers.returned() : undefined), { signal });
  document.addEventListener("freeze", () => (frozenAt = Date.now()), { signal });
  document.addEventListener("resume", () => handlers.resumed(Date.now() - frozenAt), { signal });
  return () => watch.abort();
}
