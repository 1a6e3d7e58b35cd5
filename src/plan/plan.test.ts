import assert from "node:assert/strict";
import { test } from "node:test";
import { runExperiment, parseFleet, parseShapes, modelsOf } from "../sim/index.ts";
import { ManualClock } from "../base/index.ts";
import { makePlan } from "./plan.ts";
import { offer, smallQuestion, solverFor } from "./testing.ts";

test("the same question has the same plan, which the simulator confirms, and the second best is another fleet", async (context) => {
  const offers = [offer("H100 2.5"), offer("L40S 0.9"), offer("910B 1.1 x2")];
  const question = await smallQuestion("synthetic:10x0.1", "qwen2.5-7b", offers, solverFor(context));
  const plan = await makePlan(question);
  assert.deepEqual(await makePlan(question), plan);
  assert.equal(plan.outcome, "planned");
  const { best, secondBest } = plan;
  assert.ok(secondBest !== null && secondBest.fleet !== best.fleet);
  assert.ok(Number(secondBest.pricePerHour) >= Number(best.pricePerHour));
  for (const { fleet, attainmentPerSeed } of [best, secondBest]) {
    const result = runExperiment({
      workloads: question.workloads,
      fleet: parseFleet(fleet),
      shapes: modelsOf(question.workloads[0]!).map((model) => question.shapes.get(model)!),
      policy: "ours",
      objective: question.objective,
      linkGBps: undefined,
      clock: new ManualClock(),
    });
    assert.deepEqual(result.attainmentPerSeed, attainmentPerSeed);
    assert.ok(result.attainmentPerSeed.every((share) => share >= question.attainment));
  }
  assert.ok(plan.tried.some(({ fleet, isMet }) => fleet === best.fleet && isMet));
  assert.ok(
    plan.tried
      .filter(({ isMet }) => isMet)
      .every(({ pricePerHour }) => Number(pricePerHour) >= Number(best.pricePerHour)),
  );
});

test("one device that is enough is the plan, and one that is dearer the second best", async (context) => {
  const offers = [offer("H100 2.5 x3"), offer("H200 2.4 x3")];
  const plan = await makePlan(await smallQuestion("synthetic:2x0.05", "qwen2.5-7b", offers, solverFor(context)));
  assert.ok(plan.outcome === "planned");
  assert.equal(plan.best.fleet, "1xH200");
  assert.equal(plan.secondBest?.fleet, "1xH100");
  assert.equal(plan.best.pricePerHour, "2.4");
  assert.ok(plan.why.some(({ text }) => text.includes("dearer by 0.1 EUR")));
  assert.deepEqual(
    plan.alternatives.map(({ device, devices, bound }) => [device, devices, bound]),
    [
      ["h100", 1, 1],
      ["h200", 1, 1],
    ],
  );
});

test("what is reserved is taken out of what can be had, and has to be had besides", async (context) => {
  const offers = [offer("H100 2.5 x3"), offer("H200 2.4 x3")];
  const question = await smallQuestion("synthetic:2x0.05", "qwen2.5-7b", offers, solverFor(context));
  const reserved = [...parseFleet("2xH200"), ...parseFleet("1xH200+1xH100")];
  const plan = await makePlan({ ...question, reserved });
  assert.ok(plan.outcome === "planned");
  assert.deepEqual(plan.reserved, {
    devices: [
      { device: "h100", name: "H100 SXM", count: 1 },
      { device: "h200", name: "H200 SXM", count: 3 },
    ],
    pricePerHour: "9.7",
  });
  assert.deepEqual([plan.best.fleet, plan.best.pricePerHour], ["1xH100", "2.5"], "no H200 is left");
  assert.deepEqual(plan.best.withReserved, { fleet: "2xH100+3xH200", pricePerHour: "12.2" });
  assert.equal((await makePlan(question)).reserved, null);
  const all = await makePlan({ ...question, reserved: parseFleet("3xH200+3xH100") });
  assert.ok(all.outcome === "none");
  assert.deepEqual(all.reasons, ["no device is left beside those that are reserved"]);
  await assert.rejects(
    makePlan({ ...question, reserved: parseFleet("4xH100") }),
    /4 x H100 SXM are reserved, and 3 can/,
  );
  await assert.rejects(makePlan({ ...question, reserved: parseFleet("L40S") }), /L40S is reserved, and the price list/);
  const excluded = await makePlan({ ...question, reserved: parseFleet("1xH200"), excludedOrigins: ["US"] });
  assert.equal(excluded.reserved?.pricePerHour, "2.4", "what is reserved is told also where nothing is bought");
});

test("where there is no fleet, it says what makes it so", async (context) => {
  const solver = solverFor(context);
  const large = await smallQuestion("synthetic:2x0.05", "qwen2.5-72b", [offer("H100 2"), offer("L40S 1")], solver);
  const homeless = await makePlan(large);
  assert.ok(homeless.outcome === "none");
  assert.match(
    homeless.reasons.join("\n"),
    /qwen2\.5-72b.*H100 SXM has room for 76\.0 GiB.*would run on Instinct MI300X \(not in the price list\)$/,
  );

  const barred = await makePlan({
    ...large,
    shapes: new Map([...large.shapes.keys()].map((name) => [name, parseShapes("llama3.1-70b")[0]!])),
    prices: { currency: "EUR", offers: [offer("910B 1"), offer("H200 3")] },
    excludedOrigins: ["US"],
  });
  assert.ok(barred.outcome === "none");
  assert.match(
    barred.reasons.join("\n"),
    /; of known devices only those of an excluded origin would do: H200 SXM \(US\), Instinct MI300X \(US\)$/,
    "whoever excludes an origin is not advised to buy what is of it, in the price list or not",
  );
  const none = await makePlan({
    ...large,
    prices: { currency: "EUR", offers: [offer("H100 2"), { ...offer("MI300X 3 x0"), origin: "DE" }] },
    excludedOrigins: ["CN"],
  });
  assert.ok(none.outcome === "none");
  assert.match(none.reasons.join("\n"), /would run on Instinct MI300X \(none to be had\)$/);

  const few = await smallQuestion("synthetic:12x0.3", "qwen2.5-7b", [offer("L40S 1 x1")], solver);
  const short = await makePlan(few);
  assert.ok(short.outcome === "none");
  assert.match(short.reasons.join("\n"), /all that can be had \(1 L40S\)/);

  const excluded = await makePlan({ ...few, excludedOrigins: ["US"] });
  assert.ok(excluded.outcome === "none");
  assert.match(excluded.reasons.join("\n"), /no device is left.*L40S \(US\)/);

  const hasty = await makePlan({ ...few, objective: { ttftMs: 1, tpotMs: 100 } });
  assert.ok(hasty.outcome === "none");
  assert.match(hasty.reasons.join("\n"), /one at a time.*no known device does/);
});

test("what was written of exports is repeated with a fleet that has the device, and not otherwise", async (context) => {
  const solver = solverFor(context);
  const offers = [{ ...offer("910B 1"), exportClassification: "ask counsel" }, offer("L4 9")];
  const question = await smallQuestion("synthetic:2x0.05", "qwen2.5-7b", offers, solver);
  const plan = await makePlan(question);
  assert.ok(plan.outcome === "planned");
  const warning = plan.warnings.find((text) => text.startsWith("Ascend 910B"));
  assert.match(warning ?? "", /General Prohibition 10.*The price list says: ask counsel\..*not legal advice/);
  const without = await makePlan({ ...question, excludedOrigins: ["CN"] });
  assert.ok(without.outcome === "none" || without.warnings.every((text) => !text.includes("910B")));
  assert.deepEqual(without.excluded, [{ device: "910b", origin: "CN" }]);
});
