import { BrokerBanner } from "../../inspector/broker-banner.ts";
import { GroupPicture } from "../../inspector/group-picture.ts";
import { GroupStateLine } from "../../inspector/group-state-line.ts";
import { NumberStrip } from "../../inspector/number-strip.ts";
import { reasonOf } from "../../inspector/reason.ts";
import { RebalanceList } from "../../inspector/rebalance-list.ts";
import { connected, durability, kafkaHere, missingFeatures } from "../this-tab.ts";
import { GroupControls } from "./group-controls.ts";
import { GroupPage } from "./group-page.ts";
import { ReaderLanes } from "./reader-lanes.ts";

customElements.define("tabstream-broker-banner", BrokerBanner);
customElements.define("tabstream-group-controls", GroupControls);
customElements.define("tabstream-group-picture", GroupPicture);
customElements.define("tabstream-group-state-line", GroupStateLine);
customElements.define("tabstream-number-strip", NumberStrip);
customElements.define("tabstream-reader-lanes", ReaderLanes);
customElements.define("tabstream-rebalance-list", RebalanceList);

const parameters = new URLSearchParams(location.search);
const kafka = kafkaHere();
const admin = kafka.admin();
const page = new GroupPage(kafka, admin, {
  groupId: parameters.get("group") || "order-readers",
  topic: parameters.get("topic") || "orders",
});
if (missingFeatures().length === 0) void start();

/** This tab is a broker like any other, so that the page works by itself. */
async function start(): Promise<void> {
  try {
    page.tab = await kafka.broker({ durability });
  } catch (error) {
    page.startError = reasonOf(error);
    page.changed();
  }
  await connected(kafka, admin);
  admin.watchCluster((view) => {
    page.view = view;
    page.changed();
  });
  page.run();
}
