import type { Entry } from "./entry.ts";

/** Whoever asks for a model whose queue is full. */
export interface Newcomer {
  readonly tenant: string;
  readonly weight: number;
  readonly isPreemptible: boolean;
  /** How many answers it wants. */
  readonly choices: number;
}

/** What a tenant has of a queue, beside what it weighs. */
interface Standing {
  readonly weight: number;
  readonly waiting: number;
  /** Waiting and begun. */
  readonly all: number;
}

interface Party {
  weight: number;
  /** In the order in which they came. */
  readonly waiting: Set<Entry>;
  begun: number;
}

/** Who waits for a model and whose answers have begun, by tenant; and who gives his place to whom. */
export class Queue {
  readonly #parties = new Map<string, Party>();
  /** By the signal that all choices of a request share: those of which one has begun. */
  readonly #begunRequests = new WeakSet<AbortSignal>();
  #waiting = 0;
  #begun = 0;

  get waiting(): number {
    return this.#waiting;
  }
  get begun(): number {
    return this.#begun;
  }

  add(entry: Entry): void {
    const { tenant, weight = 1 } = entry.work.request;
    const party = this.#parties.get(tenant) ?? { weight, waiting: new Set(), begun: 0 };
    this.#parties.set(tenant, party);
    party.weight = weight;
    party.waiting.add(entry);
    this.#waiting++;
  }

  /** It waits no more. */
  begin(entry: Entry): void {
    const party = this.#parties.get(entry.work.request.tenant)!;
    party.waiting.delete(entry);
    party.begun++;
    this.#waiting--;
    this.#begun++;
    this.#begunRequests.add(entry.work.signal);
  }

  remove(entry: Entry): void {
    const { tenant } = entry.work.request;
    const party = this.#parties.get(tenant)!;
    if (party.waiting.delete(entry)) this.#waiting--;
    else {
      party.begun--;
      this.#begun--;
    }
    if (party.waiting.size === 0 && party.begun === 0) this.#parties.delete(tenant);
  }

  /**
   * Those that give `places` or more to the newcomer; undefined: so many are not to be had. What is preemptible gives its
   * place to what is not; else a tenant gives one that has more of the queue than the newcomer's will have then, by their
   * weights, so that none is passed to and fro. The latest request goes first, with all its choices; one that has begun stays.
   */
  whoGivesWay(newcomer: Newcomer, places: number): readonly Entry[] | undefined {
    const given = new Set<Entry>();
    while (given.size < places) {
      const next = this.#nextToGive(newcomer, given);
      if (next.length === 0) return undefined;
      for (const entry of next) given.add(entry);
    }
    return [...given];
  }

  #nextToGive(newcomer: Newcomer, given: ReadonlySet<Entry>): readonly Entry[] {
    const ranked = [...this.#parties.values()]
      .map((party) => ({ party, standing: standingOf(party, given) }))
      .sort((a, b) => compare(b.standing, a.standing));
    if (!newcomer.isPreemptible) {
      for (const { party } of ranked) {
        const latest = this.#latestOf(party, true, given);
        if (latest.length > 0) return latest;
      }
    }
    const own = standingOf(this.#parties.get(newcomer.tenant), given);
    const { weight, choices } = newcomer;
    const then = { weight, waiting: own.waiting + choices, all: own.all + choices };
    for (const { party, standing } of ranked) {
      if (compare(standing, then) <= 0) break;
      const latest = this.#latestOf(party, newcomer.isPreemptible, given);
      if (latest.length > 0) return latest;
    }
    return [];
  }

  /** All that wait of the party's latest request of this kind that can give its place. */
  #latestOf({ waiting }: Party, isPreemptible: boolean, given: ReadonlySet<Entry>): readonly Entry[] {
    let latest: AbortSignal | undefined;
    for (const entry of waiting) {
      const { request, signal } = entry.work;
      if ((request.isPreemptible ?? false) !== isPreemptible) continue;
      if (!given.has(entry) && !this.#begunRequests.has(signal)) latest = signal;
    }
    return latest === undefined ? [] : [...waiting].filter(({ work }) => work.signal === latest);
  }
}

function standingOf(party: Party | undefined, given: ReadonlySet<Entry>): Standing {
  if (party === undefined) return { weight: 1, waiting: 0, all: 0 };
  let waiting = party.waiting.size;
  for (const entry of given) if (party.waiting.has(entry)) waiting--;
  return { weight: party.weight, waiting, all: waiting + party.begun };
}

/** Who waits for more, by weight; where that is the same, who has more of the model altogether. */
function compare(a: Standing, b: Standing): number {
  return a.waiting * b.weight - b.waiting * a.weight || a.all * b.weight - b.all * a.weight;
}
