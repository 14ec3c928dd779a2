import type { startBrokerTab } from "../../../src/platform/browser/browser-broker-tab.ts";

/** Another document of the same origin, with module instances of its own: what another tab is to this one. */
export async function otherPage(): Promise<{ startBrokerTab: typeof startBrokerTab; remove(): void }> {
  const frame = document.createElement("iframe");
  document.body.append(frame);
  const url = new URL("../../../src/platform/browser/browser-broker-tab.ts", import.meta.url).href;
  const window = frame.contentWindow as Window & { loaded?: Promise<{ startBrokerTab: typeof startBrokerTab }> };
  const script = frame.contentDocument!.createElement("script");
  script.textContent = `window.loaded = import(${JSON.stringify(url)});`;
  frame.contentDocument!.body.append(script);
  const { startBrokerTab: start } = await window.loaded!;
  return { startBrokerTab: start, remove: () => frame.remove() };
}
