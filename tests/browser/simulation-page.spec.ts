import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { savedRunText } from "../simulation/saved-run.ts";
import { drawSchedule } from "../simulation/schedule.ts";
import { screenshotPath } from "./demo-test.ts";
import { RUN_TIMEOUT_MS, runPath, simulationTest } from "./simulation-test.ts";

const ended = { timeout: RUN_TIMEOUT_MS };

async function open(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator("main")).toHaveAttribute("data-outcome", /paused|passed|failed/, ended);
}

simulationTest("a seed runs to its end, and the page says how it went", async ({ site: { url, page } }) => {
  await open(page, `${url}/${runPath(7, 3)}`);
  await expect(page.getByTestId("verdict")).toHaveText(/passed|failed/, ended);
  await expect(page.getByTestId("verdict")).toHaveText("passed");
  await expect(page.getByTestId("trace-hash")).toHaveText(/^[0-9a-f]{8}$/);
  for (const name of ["acknowledged", "read", "events"]) {
    expect(Number((await page.getByTestId(name).textContent())?.replaceAll(",", ""))).toBeGreaterThan(0);
  }
  await page.getByTestId("marks").locator("summary").click();
  await expect(page.getByTestId("marks")).toContainText("first leader");
  await expect(page).toHaveTitle("Seed 7, passed · Tabstream");
});

simulationTest("steps lead to the next event, fault, election and the end", async ({ site: { url, page } }) => {
  const schedule = {
    ...drawSchedule(7, 6), tabs: 4, partitions: 2, producers: 1, consumers: 1, sdkProducers: 0, sdkConsumers: 0,
    faults: [
      { atMs: 2_000, kind: "kill-tab", on: "time", aim: "leader", target: 0, other: 0, durationMs: 1_500 } as const,
    ],
  };
  await open(page, `${url}/simulation.html?seed=7&seconds=6&at=0`);
  await page.getByTestId("schedule-text").fill(savedRunText({ seed: 7, seconds: 6, schedule }));
  await page.getByTestId("schedule-run").click();
  await page.getByTestId("play").click();
  await page.getByTestId("restart").click();
  await expect(page.getByTestId("time")).toHaveText("0.000 s");
  await expect(page.getByTestId("tab-1")).toBeVisible();

  const events = () => counted(page, /([\d,]+) events/);
  const before = await events();
  await page.getByTestId("step-event").click();
  await expect.poll(events).toBe(before + 1);
  await page.keyboard.press("ArrowRight");
  await expect.poll(events).toBe(before + 2);
  await expect(page.getByTestId("last-event")).toHaveText(/^last event: (server|tab-\d), \w/);

  await page.getByTestId("step-fault").click();
  await expect.poll(() => counted(page, /(\d+) of 1 fault/)).toBe(1);
  await expect(page.locator(".tab[data-state=dead]")).toHaveCount(1);
  const elections = await counted(page, /([\d,]+) elections/);
  const atFault = await shownSeconds(page);
  expect(atFault).toBeGreaterThan(2);
  await page.getByTestId("step-election").click();
  await expect.poll(() => counted(page, /([\d,]+) elections/)).toBeGreaterThan(elections);
  expect(await shownSeconds(page)).toBeGreaterThan(atFault);
  await page.getByTestId("step-end").click();
  await expect(page.getByTestId("verdict")).toHaveText("passed", ended);
  await expect(page.locator(".tab[data-state=running]")).toHaveCount(4);
  await page.screenshot({ path: screenshotPath("simulation-passed"), fullPage: true });
});

simulationTest("at= shows a moment, and going back shows the same one again", async ({ site: { url, page } }) => {
  await open(page, `${url}/simulation.html?seed=7&seconds=5&at=2.5`);
  await expect(page.getByTestId("time")).toHaveText("2.500 s");
  const figures = await page.locator(".figures").textContent();
  const strips = await page.locator("tabstream-partition-strips svg").first().getAttribute("aria-label");
  await page.getByTestId("step-end").click();
  await expect(page.getByTestId("verdict")).toBeVisible(ended);
  expect(page.url()).not.toContain("at=2.5");
  for (const back of [() => open(page, `${url}/simulation.html?seed=7&seconds=5&at=2.5`), () => typed(page, "2.5")]) {
    await back();
    await expect(page.getByTestId("time")).toHaveText("2.500 s", ended);
    await expect(page.locator(".figures")).toHaveText(figures!);
    await expect(page.locator("tabstream-partition-strips svg").first()).toHaveAttribute("aria-label", strips!);
    // Several events may share a millisecond.
    await expect(async () => {
      await page.getByTestId("step-event").click();
      await expect(page.getByTestId("time")).not.toHaveText("2.500 s", { timeout: 200 });
    }).toPass({ timeout: 15_000 });
  }
  const timeline = page.getByTestId("timeline");
  await timeline.focus();
  await page.keyboard.press("Home");
  await expect(page.getByTestId("time")).toHaveText("0.000 s", ended);
  await page.keyboard.press("ArrowRight");
  await expect(page.getByTestId("time")).toHaveText("1.000 s", ended);
  expect(page.url()).toContain("seed=7&seconds=5&at=1");
  await expect(timeline).toHaveAttribute("aria-valuetext", "1.000 s");
  await timeline.click({ position: { x: 640, y: 40 } });
  await expect.poll(() => shownSeconds(page)).toBeGreaterThan(2);
});

simulationTest("an address or a field that names no run is refused", async ({ site: { url, page } }) => {
  for (const [query, reason] of [
    ["?seed=seven", "seed “seven”: give a whole number from 0 to 1,000,000,000"],
    ["?seed=1&seconds=86400", "seconds “86400”: give a whole number from 1 to 3,600"],
    ["?seed=1&at=1e9", "at “1e9”: give a number of seconds from 0 to 160"],
    ["?seed=1#schedule=AAAA", "The part of the address behind # is no schedule that can be run"],
  ] as const) {
    await page.goto("about:blank");
    await page.goto(`${url}/simulation.html${query}`);
    await expect(page.getByTestId("notice")).toContainText(reason);
    await expect(page.locator("main")).toHaveAttribute("data-outcome", "refused");
  }
  await page.getByTestId("seed").fill("-3");
  await page.getByTestId("run").click();
  await expect(page.getByTestId("refusal")).toHaveText("seed “-3”: give a whole number from 0 to 1,000,000,000");
  await page.getByTestId("schedule-text").fill('{ "version": 1, "seed": 1 }');
  await page.getByTestId("schedule-run").click();
  await expect(page.getByTestId("schedule-refusal")).toHaveText(/^This cannot be run: /);
  await page.getByTestId("seed").fill("4");
  await page.getByTestId("seconds").fill("2");
  await page.getByTestId("at").fill("1");
  await page.getByTestId("run").click();
  await expect(page.getByTestId("time")).toHaveText("1.000 s", ended);
  await expect(page.getByTestId("notice")).toHaveCount(0);
});

simulationTest("a violation is shown with its rule, its moment and its link", async ({ site: { url, page } }) => {
  const nobody = { producers: 0, consumers: 0, sdkProducers: 0, sdkConsumers: 0, faults: [] };
  const schedule = { ...drawSchedule(1, 3), ...nobody };
  await open(page, `${url}/simulation.html?seed=1&seconds=3&at=0&speed=most`);
  await page.getByTestId("schedule-text").fill(savedRunText({ seed: 1, seconds: 3, schedule }));
  await page.getByTestId("schedule-run").click();
  await expect(page.getByTestId("verdict")).toHaveText("failed", ended);
  await expect(page.getByTestId("rule")).toHaveText("nothing happened");
  await expect(page.getByTestId("evidence")).toContainText("0 acknowledged");
  await expect(page.locator("tabstream-run-outcome code")).toHaveText("npm run simulate -- --schedule FILE");
  await page.screenshot({ path: screenshotPath("simulation-failed") });
  const end = await shownSeconds(page);
  await page.getByTestId("watch-again").click();
  await expect.poll(() => shownSeconds(page)).toBeCloseTo(end - 2, 1);
  await expect(page.getByTestId("rule")).toHaveText("nothing happened");

  const link = page.url();
  expect(link).toMatch(/#schedule=/);
  await page.goto("about:blank");
  await open(page, link);
  await page.getByTestId("step-end").click();
  await expect(page.getByTestId("rule")).toHaveText("nothing happened", ended);
});

simulationTest("a phone shows all of it without scrolling sideways", async ({ site: { url, page } }) => {
  await page.setViewportSize({ width: 360, height: 740 });
  await open(page, `${url}/simulation.html?seed=7&seconds=5&at=3`);
  await expect(page.getByTestId("tab-1")).toBeVisible();
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360);
  await page.screenshot({ path: screenshotPath("simulation-phone"), fullPage: true });
});

simulationTest("the demo and the simulation lead to each other", async ({ site: { url, page } }) => {
  await page.goto(url);
  await page.getByRole("link", { name: "Watch a simulated cluster" }).click();
  await expect(page.getByRole("heading", { name: "Simulation" })).toBeVisible();
  await page.getByTestId("play").click();
  await page.getByRole("link", { name: "Back to the demo" }).click();
  await expect(page.getByRole("heading", { name: "Tabstream" })).toBeVisible();
});

/** The number in the line of figures. */
async function counted(page: Page, pattern: RegExp): Promise<number> {
  const [, number = "NaN"] = pattern.exec((await page.locator(".figures").textContent()) ?? "") ?? [];
  return Number(number.replaceAll(",", ""));
}

async function shownSeconds(page: Page): Promise<number> {
  return Number.parseFloat((await page.getByTestId("time").textContent()) ?? "");
}

async function typed(page: Page, at: string): Promise<void> {
  await page.getByTestId("at").fill(at);
  await page.getByTestId("run").click();
}
