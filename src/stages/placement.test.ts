import assert from "node:assert/strict";
import { test } from "node:test";
import type { Candidate, Question } from "../policy/index.ts";
import { placementBytesMax, Placements, placementText } from "./placement.ts";

const site = { name: "berlin", jurisdiction: "DE" };
const candidates: readonly (Candidate & { readonly secret: string })[] = [
  { kind: "host", name: "host_A", site, secret: "of a destination's own" },
];

/** As requests have it: their holder's project holds more than policy looks at. */
function asked(processing: readonly string[] = ["DE"]): Question {
  const project = { id: "prj_A", dataClass: "personal", processing, digestKey: { secret: "salt" } };
  return { action: "infer", project, model: "m", narrowing: { purpose: "care" } };
}

test("a placement keeps what a decision turns on and nothing else, and is made once for each decision", () => {
  const placements = new Placements();
  const made = placements.of("d1", asked(), candidates);
  assert.deepEqual(JSON.parse(placementText(made)), {
    question: {
      action: "infer",
      project: { id: "prj_A", dataClass: "personal", processing: ["DE"] },
      model: "m",
      narrowing: { purpose: "care" },
    },
    candidates: [{ kind: "host", name: "host_A", site }],
  });
  assert.equal(placements.of("d1", asked(), candidates), made);
});

test("one that is too long is not kept, and is said to be missing", () => {
  const placements = new Placements();
  const long = asked(Array.from({ length: placementBytesMax / 4 }, () => "DE"));
  assert.equal(placements.of("d2", long, candidates), null);
  assert.equal(placementText(null), "null");
});

test("each decision is settled first once, of as many as are remembered", () => {
  const placements = new Placements();
  assert.deepEqual(
    ["d1", "d1", "d2"].map((digest) => placements.isFirst(digest)),
    [true, false, true],
  );
  for (let number = 0; number < 4_096; number++) placements.isFirst(`other-${number}`);
  assert.equal(placements.isFirst("d1"), true, "it was forgotten, and is told again");
});
