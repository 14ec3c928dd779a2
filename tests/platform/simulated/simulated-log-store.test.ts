import { SimulatedDisk, SimulatedLogStore } from "../../../src/platform/simulated/simulated-log-store.ts";
import { describeLogStore } from "../../contracts/log-store.contract.ts";

describeLogStore("SimulatedLogStore", async () => {
  const disk = new SimulatedDisk();
  return { open: async () => new SimulatedLogStore(disk), remove: async () => {} };
});
