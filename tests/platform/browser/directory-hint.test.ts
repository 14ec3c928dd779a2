import { afterEach, expect, test, vi } from "vitest";
import { DirectoryHint } from "../../../src/platform/browser/directory-hint.ts";

afterEach(() => void vi.unstubAllGlobals());

/** As much of the browser's storage as hints use. */
function storage() {
  const items = new Map<string, string>();
  return {
    getItem: (name: string) => items.get(name) ?? null,
    setItem: (name: string, value: string) => void items.set(name, value),
  };
}

test("a tab remembers its own directory; another one knows which was used last", () => {
  vi.stubGlobal("localStorage", storage());
  vi.stubGlobal("sessionStorage", storage());
  const hint = new DirectoryHint("demo");
  expect([hint.own, hint.latest]).toEqual([undefined, undefined]);
  hint.write("first");
  vi.stubGlobal("sessionStorage", storage());
  expect([hint.own, hint.latest]).toEqual([undefined, "first"]);
  hint.write("second");
  expect([hint.own, hint.latest]).toEqual(["second", "second"]);
  const elsewhere = new DirectoryHint("other");
  expect([elsewhere.own, elsewhere.latest]).toEqual([undefined, undefined]);
});

test("a full session storage does not keep the profile from remembering", () => {
  const full = () => {
    throw new DOMException("the quota has been exceeded", "QuotaExceededError");
  };
  vi.stubGlobal("localStorage", storage());
  vi.stubGlobal("sessionStorage", { ...storage(), setItem: full });
  const hint = new DirectoryHint("demo");
  hint.write("first");
  expect([hint.own, hint.latest]).toEqual([undefined, "first"]);
});

test("where storage is denied altogether there is no hint", () => {
  // Any mention of the globals throws, as where a browser blocks a site's data.
  const denied = () => {
    throw new DOMException("access is denied for this document", "SecurityError");
  };
  for (const name of ["localStorage", "sessionStorage"]) {
    vi.stubGlobal(name, undefined);
    Object.defineProperty(globalThis, name, { get: denied, configurable: true });
  }
  const hint = new DirectoryHint("demo");
  hint.write("first");
  expect([hint.own, hint.latest]).toEqual([undefined, undefined]);
});
