import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { report } from "./cluster-test.ts";
import { demoTest, screenshotPath } from "./demo-test.ts";

const QUAKES = 1_707;
const TWELVE_HOURS_PER_SECOND = "3";

demoTest("a record sent in one tab arrives in the others", async ({ demo }) => {
  const [first, second, third] = demo.tabs as [Page, Page, Page];
  const ids = await Promise.all(demo.tabs.map((page) => page.getByTestId("broker-id").textContent()));
  expect(new Set(ids).size).toBe(3);

  await first.getByTestId("topic-name").fill("orders");
  await first.getByTestId("topic-create").click();
  for (const page of [second, third]) await page.getByRole("button", { name: "orders", exact: true }).first().click();
  await expect(first.getByTestId("produce-send")).toBeEnabled();
  await first.getByTestId("produce-key").fill("customer 7");
  await first.getByTestId("produce-value").fill("<b>two teapots</b> 🫖");
  await first.getByTestId("produce-send").click();
  await expect(first.getByTestId("produce-outcome")).toHaveText(/Acknowledged after .*: partition \d, offset 0\./);
  for (const page of demo.tabs) {
    await expect(page.getByTestId("tail")).toContainText("<b>two teapots</b> 🫖");
    await expect(page.getByTestId("tail")).toContainText("customer 7");
  }
});

demoTest("earthquakes stream on while a tab is closed and reopened", async ({ demo }) => {
  const [first, second, third] = demo.tabs as [Page, Page, Page];
  await first.getByTestId("replay-speed").fill(TWELVE_HOURS_PER_SECOND);
  await first.getByTestId("replay").click();
  await expect.poll(() => counted(first, "acked-count")).toBeGreaterThan(200);

  const closedId = await third.getByTestId("broker-id").textContent();
  const profile = third.context();
  await third.close();
  await expect(first.getByTestId("news")).toContainText(`Broker ${closedId} is gone.`);
  await expect(first.getByTestId("news")).toContainText(/Broker \d leads .*earthquakes\./);
  const atClose = await counted(first, "acked-count");
  await expect.poll(() => counted(first, "acked-count")).toBeGreaterThan(atClose + 200);
  const reopened = await profile.newPage();
  await reopened.goto(demo.server.url);
  await expect(reopened.getByTestId("broker-state")).toHaveText("running");
  await expect(first.getByTestId("news")).toContainText(`Broker ${closedId} is up.`);
  expect(await reopened.getByTestId("broker-id").textContent()).toBe(closedId);

  await expect(first.getByTestId("replay")).toHaveText("Replay again", { timeout: 40_000 });
  expect(await counted(first, "acked-count")).toBe(QUAKES);
  await expect.poll(() => counted(first, "read-back-count")).toBe(QUAKES);
  expect(await counted(first, "lost-count")).toBe(0);
  const cells = second.getByTestId("partition-cell");
  await expect(cells).toHaveCount(9);
  await expect(cells.filter({ hasText: "leader" })).toHaveCount(3);
  await expect(cells.filter({ hasText: "in sync" })).toHaveCount(6);
  report("failover gap that the page shows", await counted(first, "failover-gap"));
  await first.screenshot({ path: screenshotPath("demo"), fullPage: true });
});

demoTest("a tab is crashed, others lead, and it starts again from what it holds", async ({ demo }) => {
  const [first, second] = demo.tabs as [Page, Page, Page];
  await first.getByTestId("topic-name").fill("orders");
  await first.getByTestId("topic-create").click();
  const cells = second.getByTestId("partition-cell");
  await expect(cells.filter({ hasText: "leader" })).toHaveCount(3);
  await expect(cells.filter({ hasText: "in sync" })).toHaveCount(6);
  const id = await first.getByTestId("broker-id").textContent();

  await first.getByTestId("crash-broker").click();
  await expect(first.getByTestId("broker-state")).toHaveText("stopped");
  await expect(first.getByTestId("notice").first()).toContainText("without a goodbye");
  const own = second.locator(`[data-testid=partition-cell][data-broker="${id}"]`);
  await expect(own.filter({ hasText: "offline" })).toHaveCount(3);
  await expect(cells.filter({ hasText: "leader" })).toHaveCount(3);

  await first.getByTestId("stop-broker").click();
  await expect(first.getByTestId("broker-state")).toHaveText("running");
  expect(await first.getByTestId("broker-id").textContent()).toBe(id);
  await expect(cells.filter({ hasText: "in sync" })).toHaveCount(6);
});

async function counted(page: Page, testId: string): Promise<number> {
  return Number((await page.getByTestId(testId).textContent())?.replace(/\D/g, ""));
}
