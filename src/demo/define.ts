import { BrokerBanner } from "../inspector/broker-banner.ts";
import { ClusterPicture } from "../inspector/cluster-picture.ts";
import { GroupList } from "../inspector/group-list.ts";
import { LinkList } from "../inspector/link-list.ts";
import { NewsList } from "../inspector/news-list.ts";
import { NumberStrip } from "../inspector/number-strip.ts";
import { PartitionTable } from "../inspector/partition-table.ts";
import { ProduceForm } from "../inspector/produce-form.ts";
import { StorageCard } from "../inspector/storage-card.ts";
import { TopicList } from "../inspector/topic-list.ts";
import { TopicTail } from "../inspector/topic-tail.ts";
import { MagnitudeStrip } from "./magnitude-strip.ts";
import { QuakeMap } from "./quake-map.ts";
import { ReplayPanel } from "./replay-panel.ts";

/** Gives the components their tags. Done by the page, so that importing a component has no side effect. */
export function defineComponents(): void {
  customElements.define("tabstream-broker-banner", BrokerBanner);
  customElements.define("tabstream-cluster-picture", ClusterPicture);
  customElements.define("tabstream-group-list", GroupList);
  customElements.define("tabstream-link-list", LinkList);
  customElements.define("tabstream-news-list", NewsList);
  customElements.define("tabstream-number-strip", NumberStrip);
  customElements.define("tabstream-partition-table", PartitionTable);
  customElements.define("tabstream-produce-form", ProduceForm);
  customElements.define("tabstream-storage-card", StorageCard);
  customElements.define("tabstream-topic-list", TopicList);
  customElements.define("tabstream-topic-tail", TopicTail);
  customElements.define("tabstream-magnitude-strip", MagnitudeStrip);
  customElements.define("tabstream-quake-map", QuakeMap);
  customElements.define("tabstream-replay-panel", ReplayPanel);
}
