import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { demoTest, screenshotPath } from "./demo-test.ts";

const FASTEST = "5";
/** Nothing here is measured: a hand-over may take what a busy machine needs, and the session of a killed reader. */
const SETTLES = { timeout: 30_000 };

demoTest("a page shows a group: who reads what, what moves, and what lags", async ({ demo }) => {
  // Ten states are waited for, one of them for the session of a reader that was killed.
  demoTest.setTimeout(240_000);
  const [, second, third] = demo.tabs as [Page, Page, Page];
  const page = await demo.profiles[0]!.newPage();
  await page.goto(`${demo.server.url}/group.html`);
  await expect(page.getByTestId("broker-state")).toHaveText("running");
  await page.getByTestId("write").click();
  await expect.poll(() => sharesOf(page), SETTLES).toEqual({ "Reader 1": 3, "Reader 2": 3 });
  await expect(page.getByTestId("group-state")).toHaveText("Stable");
  await expect(newest(page)).toHaveText(/Reader 2 joined.*Took/);

  await page.getByTestId("add-reader").click();
  await expect.poll(() => sharesOf(page), SETTLES).toEqual({ "Reader 1": 2, "Reader 2": 2, "Reader 3": 2 });
  // The page takes rebalances that follow each other at once for one, of several causes.
  await expect(newest(page)).toHaveText(/Reader 3 joined.*Took/);

  await reader(page, "Reader 1").getByTestId("remove").click();
  await expect.poll(() => sharesOf(page), SETTLES).toEqual({ "Reader 2": 3, "Reader 3": 3 });
  await expect(newest(page)).toHaveText(/Reader 1 left.*Took/);

  await expect(third.getByTestId("group")).toContainText("order-readers");
  await second.goto(`${demo.server.url}/group.html`);
  await expect.poll(() => readersOf(second), SETTLES).toEqual(await readersOf(page));
  await expect(reader(second, "Reader 2")).toContainText("another page");

  await reader(page, "Reader 2").getByTestId("kill").click();
  await expect(page.locator("[data-testid=partition][data-hold=silent]")).toHaveCount(3);
  await expect(page.getByTestId("partitions-read")).toHaveText("3 of 6");
  await page.screenshot({ path: screenshotPath("group"), fullPage: true });
  await expect.poll(() => sharesOf(page), SETTLES).toEqual({ "Reader 3": 6 });
  await expect(newest(page)).toHaveText(/Reader 2 fell silent.*Took/);
  await expect.poll(() => sharesOf(second), SETTLES).toEqual({ "Reader 3": 6 });

  await page.getByTestId("read-rate").fill(FASTEST);
  await page.getByTestId("write").click();
  for (const either of [page, second]) await expect(either.getByTestId("total-lag")).toHaveText("0", SETTLES);
  await expect(page.getByTestId("notice")).toHaveCount(0);
});

function reader(page: Page, name: string) {
  return page.getByTestId("reader").filter({ hasText: name });
}

function newest(page: Page) {
  return page.getByTestId("rebalance").first();
}

/** Who reads each partition, in their order; those that nobody reads have an empty name. */
async function readersOf(page: Page): Promise<string[]> {
  return page.getByTestId("partition").evaluateAll((rows) =>
    rows.map((row) => (row.getAttribute("data-hold") === "read" ? (row.getAttribute("data-reader") ?? "") : "")),
  );
}

async function sharesOf(page: Page): Promise<Record<string, number>> {
  const shares: Record<string, number> = {};
  for (const name of await readersOf(page)) shares[name] = (shares[name] ?? 0) + 1;
  return shares;
}
