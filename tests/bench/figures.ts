import type { Figure, Report } from "./figure.ts";
import { median, ratios } from "./statistics.ts";

/** The figures of a report, by scenario and name. */
export class Figures {
  readonly #byName: ReadonlyMap<string, Figure>;

  constructor({ figures }: Pick<Report, "figures">) {
    this.#byName = new Map(figures.map((figure) => [key(figure.scenario, figure.name), figure]));
  }

  find(scenario: string, name: string): Figure | undefined {
    return this.#byName.get(key(scenario, name));
  }

  median(scenario: string, name: string): number | undefined {
    const figure = this.find(scenario, name);
    return figure === undefined ? undefined : median(figure.rounds);
  }

  /** The median over the rounds of what a figure is of another one of its scenario. */
  ratio(scenario: string, name: string, limit: string): number | undefined {
    const figure = this.find(scenario, name);
    const against = this.find(scenario, limit);
    if (figure === undefined || against === undefined) return undefined;
    return median(ratios(figure.rounds, against.rounds));
  }

  /** The same for the limit that the figure names itself. */
  shareOfLimit({ scenario, name, limit }: Figure): number | undefined {
    return limit === undefined ? undefined : this.ratio(scenario, name, limit);
  }
}

function key(scenario: string, name: string): string {
  return `${scenario}: ${name}`;
}
