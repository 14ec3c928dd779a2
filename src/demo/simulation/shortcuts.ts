const KEYS = new Map([
  [" ", "play"], ["ArrowRight", "event"], ["ArrowLeft", "back"], ["f", "fault"], ["e", "election"], ["v", "end"],
  ["Home", "restart"], ["+", "faster"], ["=", "faster"], ["-", "slower"], ["n", "next-seed"],
]);

/** Calls `act` for the keys that the page's footer lists, unless they mean something to what has the focus. */
export function onShortcut(act: (shortcut: string) => void): void {
  addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented) return;
    const shortcut = KEYS.get(event.key.length === 1 ? event.key.toLowerCase() : event.key);
    const [focused] = event.composedPath();
    if (shortcut === undefined || (focused instanceof HTMLElement && isMeantFor(focused, event.key))) return;
    event.preventDefault();
    act(shortcut);
  });
}

function isMeantFor(focused: HTMLElement, key: string): boolean {
  if (focused.matches("input, textarea, select")) return true;
  return key === " " && focused.matches("button, summary, a");
}
