import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { heldByCountry } from "../index.ts";
import { type HeldFromOutside, heldFromOutside } from "./ownership.ts";
import { company, factsOf } from "./testing.ts";

type Input = ReturnType<typeof company>;

function companiesOf(operators: readonly Input[]) {
  return new Map(factsOf({ operators: [...operators] }).operators.map((each) => [each.name, each]));
}

function fromOutside(name: string, ...operators: Input[]): HeldFromOutside {
  return heldFromOutside(name, companiesOf(operators), (country) => country === "DE" || country === "FR");
}

const person = (name: string, country: string, votesPercent: number, capitalPercent = votesPercent) => ({
  name,
  country,
  votesPercent,
  capitalPercent,
});
const through = (operator: string, votesPercent: number, capitalPercent = votesPercent) => ({
  operator,
  votesPercent,
  capitalPercent,
});

test("votes and capital are looked at apart", () => {
  const held = fromOutside("A", company("A", "DE", { owners: [person("x", "US", 24, 25), person("y", "DE", 76, 75)] }));
  assert.deepEqual(held, {
    largestVotesPercent: "24.0",
    largestCapitalPercent: "25.0",
    votesPercent: "24.0",
    capitalPercent: "25.0",
    hasRights: false,
  });
});

test("holdings multiply along a chain, exactly", () => {
  const held = fromOutside(
    "A",
    company("A", "DE", { owners: [through("B", 60), person("y", "DE", 40)] }),
    company("B", "DE", { owners: [person("x", "US", 40), person("z", "FR", 60)] }),
  );
  assert.equal(held.largestVotesPercent, "24.0");
  const third = fromOutside(
    "A",
    company("A", "DE", { owners: [through("B", 33.3333), person("y", "DE", 66.6667)] }),
    company("B", "DE", { owners: [through("C", 33.3333), person("y", "DE", 66.6667)] }),
    company("C", "DE", { owners: [person("x", "US", 33.3333), person("y", "DE", 66.6667)] }),
  );
  assert.equal(third.votesPercent, "3.7037", "3.70369..., rounded up");
});

test("one owner's holdings over several chains are one holding, and a chain counts once", () => {
  const held = fromOutside(
    "A",
    company("A", "DE", { owners: [through("F1", 20), through("F2", 10), person("P", "US", 5), person("y", "DE", 65)] }),
    company("F1", "US", { owners: [person("P", "US", 100)] }),
    company("F2", "US", { owners: [person("P", "US", 50)] }),
  );
  assert.equal(held.votesPercent, "35.0");
  assert.equal(held.largestVotesPercent, "30.0", "P: 20 + 5 + 5");
});

test("a company outside counts as outside, whoever owns it", () => {
  const held = fromOutside(
    "A",
    company("A", "DE", { owners: [through("H", 30), person("y", "DE", 70)] }),
    company("H", "KY", { owners: [person("y", "DE", 100)] }),
  );
  assert.equal(held.largestVotesPercent, "30.0");
});

test("what owners leave open is unknown: outside, and as if it were one owner's", () => {
  assert.deepEqual(fromOutside("A", company("A", "DE", { owners: [] })).largestVotesPercent, "100.0");
  const held = fromOutside(
    "A",
    company("A", "DE", { owners: [through("B", 50), person("y", "DE", 40, 50)] }),
    company("B", "DE", { owners: [person("y", "DE", 80, 100)] }),
  );
  assert.equal(held.votesPercent, "20.0");
  assert.equal(held.largestVotesPercent, "20.0", "10 of A itself, and half of 20 of B");
  assert.equal(held.capitalPercent, "0.0");
});

test("a veto or a majority of the board counts where who has it is outside, or is led from there", () => {
  const rights = ["veto" as const];
  const by = (owner: object, ...others: Input[]) =>
    fromOutside(
      "A",
      company("A", "DE", { owners: [{ ...through("B", 1), ...owner }, person("y", "DE", 99)] }),
      ...others,
    ).hasRights;
  assert.equal(by({ operator: undefined, ...person("x", "US", 1), rights }), true);
  assert.equal(by({ operator: undefined, ...person("x", "FR", 1), rights }), false);
  assert.equal(by({ rights }, company("B", "DE", { owners: [person("x", "US", 50), person("y", "DE", 50)] })), false);
  assert.equal(
    by({ rights }, company("B", "DE", { owners: [person("x", "US", 50.1), person("y", "DE", 49.9)] })),
    true,
  );
  assert.equal(by({}, company("B", "DE", { owners: [person("x", "US", 50.1), person("y", "DE", 49.9)] })), false);
});

test("by country it is who owns in the end, with what is unknown by its name", () => {
  const companies = companiesOf([
    company("A", "DE", { owners: [through("B", 50), person("y", "DE", 30)] }),
    company("B", "US", { owners: [person("x", "FR", 40), person("z", "US", 20)] }),
  ]);
  assert.deepEqual(Object.fromEntries(heldByCountry("A", companies)), {
    DE: { votesPercent: "30.0", capitalPercent: "30.0" },
    FR: { votesPercent: "20.0", capitalPercent: "20.0" },
    US: { votesPercent: "10.0", capitalPercent: "10.0" },
    unknown: { votesPercent: "40.0", capitalPercent: "40.0" },
  });
});

test("many chains through few companies are reckoned at once", () => {
  const layer = (at: number) => ["l", "r"].map((side) => `${side}${at}`);
  const operators = Array.from({ length: 15 }, (_, at) =>
    layer(at).map((name) => {
      const owners = at === 14 ? [person("x", "US", 100)] : layer(at + 1).map((above) => through(above, 50));
      return company(name, "DE", { owners });
    }),
  ).flat();
  assert.equal(fromOutside("l0", ...operators).largestVotesPercent, "100.0");
  const chain = Array.from({ length: 18 }, (_, at) =>
    company(`c${at}`, "DE", { owners: [through(`c${at + 1}`, 100)] }),
  );
  assert.throws(() => companiesOf([...chain, company("c18", "DE")]), /chain of more than 16 companies/);
});

test("by country all adds up to the whole, and nobody outside holds more than all of them together", () => {
  const owners = fc
    .array(fc.tuple(fc.constantFrom("DE", "FR", "US", "B"), fc.integer({ min: 0, max: 20 })), { maxLength: 5 })
    .map((list) =>
      list.map(([who, votes], at) => (who === "B" ? through("B", votes) : person(`${who}${at % 2}`, who, votes))),
    );
  fc.assert(
    fc.property(owners, owners, (first, second) => {
      const b = second.filter((owner) => !("operator" in owner));
      const operators = [company("A", "DE", { owners: first }), company("B", "DE", { owners: b })];
      const held = fromOutside("A", ...operators);
      assert.ok(Number(held.largestVotesPercent) <= Number(held.votesPercent) + 1e-9);
      const sum = [...heldByCountry("A", companiesOf(operators)).values()]
        .map(({ votesPercent }) => Number(votesPercent))
        .reduce((all, votes) => all + votes, 0);
      assert.ok(Math.abs(sum - 100) < 0.001, String(sum));
    }),
  );
});
