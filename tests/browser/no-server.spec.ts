import { expect } from "@playwright/test";
import type { Page } from "playwright";
import { demoTest } from "./demo-test.ts";

demoTest("without the server the page says what works and what waits, and comes back by itself", async ({ demo }) => {
  const [first, second] = demo.tabs as [Page, Page, Page];
  await first.getByTestId("topic-name").fill("orders");
  await first.getByTestId("topic-create").click();
  await send(first, "before");
  await expect(second.getByTestId("tail")).toContainText("before");

  await demo.server.stop("SIGKILL");
  for (const page of demo.tabs) {
    const notice = page.getByTestId("notice");
    await expect(notice).toContainText("metadata server cannot be reached");
    await expect(notice).toContainText("Reading and writing go on");
    await expect(notice).toContainText("new topics");
  }
  await send(first, "meanwhile");
  await expect(second.getByTestId("tail")).toContainText("meanwhile");

  await demo.server.start();
  for (const page of demo.tabs) await expect(page.getByTestId("notice")).toHaveCount(0);
  await send(first, "afterwards");
  await expect(second.getByTestId("tail")).toContainText("afterwards");
});

async function send(page: Page, value: string): Promise<void> {
  await page.getByTestId("produce-value").fill(value);
  await page.getByTestId("produce-send").click();
  await expect(page.getByTestId("produce-outcome")).toContainText("Acknowledged");
}
