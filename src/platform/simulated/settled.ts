/**
 * Resolves when every promise that can settle by itself has settled: in a task of its own, which an engine begins only
 * when no microtask is left.
 */
export const settled: () => Promise<void> = newTask();

declare function setImmediate(callback: () => void): unknown;

function newTask(): () => Promise<void> {
  if (typeof setImmediate === "function") return () => new Promise((resolve) => setImmediate(resolve));
  // Unlike a timer, a message is never clamped to some milliseconds.
  const { port1, port2 } = new MessageChannel();
  const waiting: (() => void)[] = [];
  port1.onmessage = () => waiting.shift()?.();
  return () =>
    new Promise((resolve) => {
      waiting.push(resolve);
      port2.postMessage(undefined);
    });
}
