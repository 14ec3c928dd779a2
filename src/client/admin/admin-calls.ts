import type { AdminEnvironment } from "./admin-environment.ts";
import { ConfigAdmin } from "./config-admin.ts";
import { ReassignmentAdmin } from "./reassignment-admin.ts";
import { RecordAdmin } from "./record-admin.ts";
import { TopicAdmin } from "./topic-admin.ts";
import { GroupAdmin } from "../group/group-admin.ts";

/** All that an admin client can ask for. Loaded when an admin client connects, since few pages have one. */
export class AdminCalls {
  readonly topics: TopicAdmin;
  readonly configs: ConfigAdmin;
  readonly records: RecordAdmin;
  readonly reassignments: ReassignmentAdmin;
  readonly groups: GroupAdmin;

  constructor(environment: AdminEnvironment) {
    this.topics = new TopicAdmin(environment);
    this.configs = new ConfigAdmin(environment);
    this.records = new RecordAdmin(environment);
    this.reassignments = new ReassignmentAdmin(environment);
    this.groups = new GroupAdmin(environment);
  }
}
