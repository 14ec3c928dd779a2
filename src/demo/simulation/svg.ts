import { setAttributes } from "../../inspector/element.ts";
import type { Attributes, Child } from "../../inspector/element.ts";

export function svg<Tag extends keyof SVGElementTagNameMap>(
  tag: Tag,
  attributes: Attributes = {},
  ...children: readonly Child[]
): SVGElementTagNameMap[Tag] {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  setAttributes(made, attributes);
  made.append(...children.filter((child) => child !== undefined));
  return made;
}

/** One element per key, kept while the key is shown: what changes seldom costs nothing, and a transition runs on. */
export class Pool<E extends Element> {
  readonly #parent: Element;
  readonly #make: (key: string) => E;
  #elements = new Map<string, E>();

  constructor(parent: Element, make: (key: string) => E) {
    this.#parent = parent;
    this.#make = make;
  }

  show(keys: Iterable<string>): ReadonlyMap<string, E> {
    const before = this.#elements;
    this.#elements = new Map();
    for (const key of keys) {
      if (this.#elements.has(key)) continue;
      const known = before.get(key);
      const made = known ?? this.#make(key);
      if (known === undefined) this.#parent.append(made);
      before.delete(key);
      this.#elements.set(key, made);
    }
    for (const gone of before.values()) gone.remove();
    return this.#elements;
  }
}
