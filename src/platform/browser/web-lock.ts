/**
 * Takes an exclusive Web Lock and holds it until the returned function is called; the browser frees it when the tab
 * dies. Undefined when somebody else holds it and goes on holding it for `waitMs`. Nothing is ever stolen.
 *
 * `lost` is called when somebody steals the lock from this holder.
 */
export function holdLock(name: string, waitMs: number, lost: () => void): Promise<(() => void) | undefined> {
  const options: LockOptions = waitMs > 0 ? { signal: AbortSignal.timeout(waitMs) } : { ifAvailable: true };
  return new Promise((resolve, reject) => {
    let held = false;
    const hold = (lock: Lock | null) => {
      if (lock === null) return resolve(undefined);
      held = true;
      return new Promise<void>((release) => resolve(release));
    };
    navigator.locks.request(name, options, hold).catch((cause: unknown) => {
      if (held) lost();
      else if (cause instanceof DOMException && cause.name === "TimeoutError") resolve(undefined);
      else reject(cause);
    });
  });
}
