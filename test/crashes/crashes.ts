import assert from "node:assert/strict";
import { type EmbeddedConnection, isDatabaseAway } from "../../src/store/index.ts";
import type { TemporaryPostgres } from "../../src/store/testing.ts";
import { assertSound, booksIn } from "./books.ts";
import type { Cut } from "./cut.ts";
import { type Instance, startInstance } from "./instance.ts";
import { found, type Step, steps } from "./scenario.ts";

/** A step as it goes where nobody dies. */
export interface Rehearsed {
  readonly step: Step;
  /** A database in which it comes next. */
  readonly from: EmbeddedConnection;
  readonly statements: number;
  /** All that the books hold before it, and behind it. */
  readonly before: string;
  readonly after: string;
}

/** Goes through the scenario once, each step twice, and keeps a database for each. */
export async function rehearse(postgres: TemporaryPostgres): Promise<readonly Rehearsed[]> {
  const rehearsed: Rehearsed[] = [];
  let from = await postgres.emptyDatabase();
  await within(from, steps[0]!.at, ({ books }) => found(books));
  for (const step of steps) {
    const to = await postgres.copyOf(from);
    await within(to, step.at, async ({ way, books }) => {
      const before = await booksIn(books.db);
      way.cutAt(undefined);
      await step.ask(books);
      const { statements } = way;
      const after = await booksIn(books.db);
      assert.notEqual(after, before, `${step.name}: something comes of it`);
      await assertSound(books.db);
      await step.ask(books);
      assert.equal(await booksIn(books.db), after, `${step.name}: asked for once more, it changes nothing`);
      rehearsed.push({ step, from, statements, before, after });
    });
    from = to;
  }
  return rehearsed;
}

async function within(
  connection: EmbeddedConnection,
  at: string,
  work: (instance: Instance) => Promise<void>,
): Promise<void> {
  const instance = await startInstance(connection, at);
  try {
    await work(instance);
  } finally {
    await instance.end();
  }
}

/** Tries one of so many deaths of the whole scenario, and tells how many of each step. */
export async function dieInAll(
  postgres: TemporaryPostgres,
  rehearsed: readonly Rehearsed[],
  { stride, told }: { readonly stride: number; readonly told: (line: string) => void },
): Promise<void> {
  let place = 0;
  for (const each of rehearsed) {
    const all = cutsIn(each);
    const cuts = all.filter(() => place++ % stride === 0);
    if (cuts.length > 0) await die(postgres, each, cuts);
    told(`${each.step.name}: ${cuts.length} of ${all.length} deaths, in ${each.statements} statements`);
  }
}

/** Every death there is in a step. Processes die first: the one that sees PostgreSQL die goes on to the end. */
function cutsIn({ statements }: Pick<Rehearsed, "statements">): readonly Cut[] {
  return (["process", "database"] as const).flatMap((who) =>
    Array.from({ length: statements }, (_, at) =>
      (["before", "after"] as const).map((moment) => ({ statement: at + 1, moment, who })),
    ).flat(),
  );
}

/**
 * Has somebody die in a step, one death after the other, and the step asked for again by whoever heard nothing of it: by a process that was
 * started since, or by the one that lives on. The books are then what they are where nobody dies, so whatever comes next goes as it was
 * rehearsed. A death that leaves nothing leaves the next one all there was; behind one that leaves something the step is done, and
 * the next death begins with a copy.
 */
async function die(postgres: TemporaryPostgres, rehearsed: Rehearsed, cuts: readonly Cut[]): Promise<void> {
  let history = await History.of(postgres, rehearsed);
  for (const [at, cut] of cuts.entries()) {
    try {
      if (await history.dies(cut)) continue;
      await history.goesOn();
    } catch (error) {
      await history.end();
      const { step, statements } = rehearsed;
      const told = `${step.name}: the ${cut.who} dies ${cut.moment} statement ${cut.statement} of ${statements}`;
      throw new Error(told, { cause: error });
    }
    await history.end();
    if (at === cuts.length - 1) return;
    history = await History.of(postgres, rehearsed);
  }
  await history.goesOn();
  await history.end();
}

/** A step's own database, and the process that keeps its books. */
class History {
  readonly #postgres: TemporaryPostgres;
  readonly #rehearsed: Rehearsed;
  readonly #connection: EmbeddedConnection;
  #instance: Instance;

  private constructor(
    postgres: TemporaryPostgres,
    rehearsed: Rehearsed,
    of: { readonly connection: EmbeddedConnection; readonly instance: Instance },
  ) {
    this.#postgres = postgres;
    this.#rehearsed = rehearsed;
    this.#connection = of.connection;
    this.#instance = of.instance;
  }

  static async of(postgres: TemporaryPostgres, rehearsed: Rehearsed): Promise<History> {
    const connection = await postgres.copyOf(rehearsed.from);
    return new History(postgres, rehearsed, {
      connection,
      instance: await startInstance(connection, rehearsed.step.at),
    });
  }

  /** Returns whether nothing is left of what was asked. */
  async dies(cut: Cut): Promise<boolean> {
    const { step, before } = this.#rehearsed;
    const { way, books } = this.#instance;
    way.cutAt(cut);
    await assert.rejects(step.ask(books), isDatabaseAway);
    await way.over();
    if (cut.who === "process") {
      await this.#instance.end();
      this.#instance = await startInstance(this.#connection, step.at);
    }
    const { db } = this.#instance.books;
    await patiently(() => assertSound(db));
    return (await booksIn(db)) === before;
  }

  async goesOn(): Promise<void> {
    const { step, after } = this.#rehearsed;
    const { books } = this.#instance;
    await patiently(() => step.ask(books));
    assert.equal(await booksIn(books.db), after);
    await assertSound(books.db);
  }

  async end(): Promise<void> {
    await this.#instance.end();
    await this.#postgres.drop(this.#connection);
  }
}

/** More connections than a process has, each of which may have to find out that it is broken. */
const triesMost = 10;

async function patiently(work: () => Promise<unknown>): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      await work();
      return;
    } catch (error) {
      if (tries === triesMost || !isDatabaseAway(error)) throw error;
    }
  }
}
