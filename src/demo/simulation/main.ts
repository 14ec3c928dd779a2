import { BrokerBanner } from "../../inspector/broker-banner.ts";
import { ClusterScene } from "./cluster-scene.ts";
import { SimulationPage } from "./page.ts";
import { PartitionStrips } from "./partition-strips.ts";
import { RunControls } from "./run-controls.ts";
import { RunForm } from "./run-form.ts";
import { RunLog } from "./run-log.ts";
import { RunOutcome } from "./run-outcome.ts";
import { RunTimeline } from "./run-timeline.ts";
import { ScheduleBox } from "./schedule-box.ts";

customElements.define("tabstream-broker-banner", BrokerBanner);
customElements.define("tabstream-cluster-scene", ClusterScene);
customElements.define("tabstream-partition-strips", PartitionStrips);
customElements.define("tabstream-run-controls", RunControls);
customElements.define("tabstream-run-form", RunForm);
customElements.define("tabstream-run-log", RunLog);
customElements.define("tabstream-run-outcome", RunOutcome);
customElements.define("tabstream-run-timeline", RunTimeline);
customElements.define("tabstream-schedule-box", ScheduleBox);

await new SimulationPage().start();
