import type { ClusterView } from "../index.ts";
import { button, element, field, openShadow, setText, styleSheet } from "./element.ts";
import { countOf } from "./figures.ts";
import { look } from "./look.ts";
import { reasonOf } from "./reason.ts";
import { byPurpose, isInternal } from "./replica-grid.ts";
import { visibleText } from "./visible-text.ts";

export interface NewTopic {
  readonly name: string;
  readonly partitions: number;
  readonly replicationFactor: number;
}

export interface TopicActions {
  create(topic: NewTopic): Promise<void>;
  remove(name: string): Promise<void>;
}

const TOPICS_LISTED = 100;

/** The topics of the cluster, and a form for a new one. Fires `topic-selected`. */
export class TopicList extends HTMLElement {
  readonly #list = element("ul", { class: "topics" });
  readonly #name = element("input", {
    required: true,
    maxlength: 249,
    pattern: "[A-Za-z0-9._\\-]+",
    title: "Letters, digits, dot, underscore and hyphen",
    placeholder: "orders",
    autocomplete: "off",
    "data-testid": "topic-name",
  });
  readonly #partitions = element("input", {
    type: "number",
    min: 1,
    max: 1000,
    value: 3,
    "data-testid": "topic-partitions",
  });
  readonly #factor = element("input", { type: "number", min: 1, max: 9, value: 3, "data-testid": "topic-replication" });
  readonly #create = element("button", { class: "primary", "data-testid": "topic-create" }, "Create");
  readonly #outcome = element("p", { class: "small", role: "status" });
  readonly #form = element(
    "form",
    {},
    field("New topic", this.#name),
    field("Partitions", this.#partitions),
    field("Copies aimed at", this.#factor),
    this.#create,
  );
  #actions: TopicActions | undefined;
  #shown = "";

  constructor() {
    super();
    openShadow(this, listLook, look).append(element("h2", {}, "Topics"), this.#list, this.#form, this.#outcome);
    this.#form.addEventListener("submit", (event) => {
      event.preventDefault();
      void this.#submit();
    });
  }

  show(topics: ClusterView["topics"], selected: string | undefined, actions: TopicActions): void {
    this.#actions = actions;
    const listed = [...topics].sort(byPurpose).slice(0, TOPICS_LISTED);
    const key = JSON.stringify([
      selected,
      listed.map((t) => [t.name, t.partitions.length, t.replicationFactor]),
      topics.length,
    ]);
    if (key === this.#shown) return;
    this.#shown = key;
    const more = topics.length - listed.length;
    this.#list.replaceChildren(
      ...listed.map((topic) => this.#entry(topic, topic.name === selected)),
      ...(more > 0
        ? [element("li", { class: "muted small" }, `and ${countOf(more, "more topic", "more topics")}`)]
        : []),
    );
  }

  #entry(topic: ClusterView["topics"][number], selected: boolean): HTMLLIElement {
    const partitions = countOf(topic.partitions.length, "partition", "partitions");
    const shape = `${partitions}, target of ${topic.replicationFactor}`;
    const select = button(visibleText(topic.name, 80), { class: "name", "aria-pressed": selected }, () => {
      this.dispatchEvent(new CustomEvent("topic-selected", { detail: topic.name }));
    });
    const remove = button(
      "Delete",
      { class: "quiet small", "aria-label": `Delete topic ${visibleText(topic.name, 80)}` },
      () => {
        if (remove.dataset["armed"] === undefined) {
          remove.dataset["armed"] = "";
          setText(remove, "Delete every copy?");
          return;
        }
        void this.#attempt(
          async () => this.#actions?.remove(topic.name),
          `Topic ${visibleText(topic.name, 80)} is deleted.`,
        );
      },
    );
    remove.addEventListener("blur", () => {
      delete remove.dataset["armed"];
      setText(remove, "Delete");
    });
    const description = element("span", { class: "muted small shape" }, shape);
    return element("li", {}, select, description, isInternal(topic.name) ? undefined : remove);
  }

  async #submit(): Promise<void> {
    const name = this.#name.value;
    const topic = { name, partitions: Number(this.#partitions.value), replicationFactor: Number(this.#factor.value) };
    this.#create.disabled = true;
    const created = await this.#attempt(
      async () => this.#actions?.create(topic),
      `Topic ${visibleText(name, 80)} is created.`,
    );
    this.#create.disabled = false;
    if (!created) return;
    this.#name.value = "";
    this.dispatchEvent(new CustomEvent("topic-selected", { detail: name }));
  }

  async #attempt(action: () => Promise<unknown>, done: string): Promise<boolean> {
    try {
      await action();
      this.#outcome.className = "small muted";
      setText(this.#outcome, done);
      return true;
    } catch (error) {
      this.#outcome.className = "small error";
      setText(this.#outcome, reasonOf(error));
      return false;
    }
  }
}

const listLook = styleSheet(`
  .topics { list-style: none; margin: 8px 0 12px; max-height: 210px; overflow-y: auto; }
  .topics li { display: flex; align-items: center; gap: 10px; padding: 3px 0; border-bottom: 1px solid var(--line); }
  .name { border: 0; background: none; padding: 3px 0; font-weight: 500; overflow: hidden; text-overflow: ellipsis; }
  .name[aria-pressed="true"] {
    background: none; text-decoration: underline 2px var(--accent); text-underline-offset: 5px;
  }
  .shape { flex: 1; white-space: nowrap; }
  form { display: grid; grid-template-columns: 1fr 84px 104px auto; gap: 10px; align-items: end; }
  form > button, input { height: 34px; }
  :host { container-type: inline-size; }
  @container (max-width: 420px) { form { grid-template-columns: 1fr 1fr; } }
`);
