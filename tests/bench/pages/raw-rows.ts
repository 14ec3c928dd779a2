/** A fresh database with one store, `rows`. */
export async function openRows(name: string): Promise<IDBDatabase> {
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => opening.result.createObjectStore("rows");
  return await settledValue(opening);
}

export async function settledValue<Value>(request: IDBRequest<Value>): Promise<Value> {
  await settled(request, "success");
  return request.result;
}

export function settled(target: EventTarget, event: "success" | "complete"): Promise<unknown> {
  return new Promise((resolve, reject) => {
    target.addEventListener(event, resolve, { once: true });
    target.addEventListener("error", () => reject(new Error("IndexedDB failed")), { once: true });
    target.addEventListener("abort", () => reject(new Error("IndexedDB aborted a transaction")), { once: true });
  });
}
