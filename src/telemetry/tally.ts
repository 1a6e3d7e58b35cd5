import { Histogram, type Registry } from "prom-client";

/** One series of a histogram: an observation is a few additions. */
export class Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly #bounds: readonly number[];
  /** Observations in each bucket alone, the last one above every bound. */
  readonly counts: number[];
  sum = 0;

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  observe(value: number): void {
    let bucket = 0;
    while (bucket < this.#bounds.length && value > this.#bounds[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.sum += value;
  }
}

export interface TallyOptions {
  readonly name: string;
  readonly help: string;
  readonly labelNames: readonly string[];
  /** Upper bounds, ascending. */
  readonly buckets: readonly number[];
  readonly registry: Registry;
}

/**
 * A histogram of prom-client's that is told its series instead of their observations, because its own `observe` looks
 * its labels up anew each time, which costs more than a stage of a request. What is scraped is the same.
 */
export class Tally extends Histogram {
  readonly #options: TallyOptions;
  readonly #series: Series[] = [];

  constructor(options: TallyOptions) {
    const { name, help, labelNames, buckets, registry } = options;
    super({ name, help, labelNames: [...labelNames], buckets: [...buckets], registers: [registry] });
    this.#options = options;
  }

  series(labels: Readonly<Record<string, string>>): Series {
    const series = new Series(labels, this.#options.buckets);
    this.#series.push(series);
    return series;
  }

  /** What the registry asks for, and prom-client's own `get` after it. */
  getForPromString() {
    const { name, help } = this.#options;
    const values = this.#series.flatMap((series) => this.#valuesOf(series));
    return Promise.resolve({ name, help, type: "histogram", aggregator: "sum", values });
  }

  #valuesOf({ labels, counts, sum }: Series) {
    const { name, buckets } = this.#options;
    let below = 0;
    const cumulative = counts.map((count, bucket) => {
      below += count;
      return { metricName: `${name}_bucket`, labels: { le: buckets[bucket] ?? "+Inf", ...labels }, value: below };
    });
    return [
      ...cumulative,
      { metricName: `${name}_sum`, labels, value: sum },
      { metricName: `${name}_count`, labels, value: below },
    ];
  }
}
