import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type Candidate,
  compileAside,
  compilePolicies,
  createPolicy,
  parsePolicies,
  parsePoliciesByTurns,
  policySchema,
  shippedFiles,
} from "../index.ts";

const shipped = { schema: policySchema, files: shippedFiles };
const own = (text: string) => ({ schema: policySchema, files: [{ name: "own.cedar", text }] });

/** What came of some work, and how many turns of the event loop others had meanwhile. */
async function turnsDuring<Result>(work: () => Promise<Result>): Promise<{ result: Result; turns: number }> {
  let [turns, isOver] = [0, false];
  const count = (): void => {
    turns++;
    if (!isOver) setImmediate(count);
  };
  setImmediate(count);
  const result = await work();
  isOver = true;
  return { result, turns };
}

test("policies are compiled aside: the same comes of it, and the event loop goes on meanwhile", async () => {
  const { result, turns } = await turnsDuring(() => compileAside(shipped));
  assert.deepEqual(result, compilePolicies(shipped));
  assert.ok(turns > 100, `${turns} turns: an event loop that validates by itself has hardly one`);
  const wrong = own('@id("a")\npermit(principal, action, resource) when { resource.wihtin };');
  const both = await Promise.all([compileAside(wrong), compileAside(own("nonsense"))]);
  assert.deepEqual(both, [compilePolicies(wrong), compilePolicies(own("nonsense"))]);
});

test("a thread that fails fails what it was to compile, and nothing that comes after", async () => {
  const torn = { schema: policySchema, files: [{ name: "torn.cedar", text: 7 as unknown as string }] };
  const [failed, next] = await Promise.allSettled([compileAside(torn), compileAside(own(""))]);
  assert.equal(failed.status, "rejected");
  assert.ok(next.status === "fulfilled" && next.value.outcome === "compiled");
});

test("policies are parsed by turns: the same comes of it, and others have their turns", async () => {
  const { result, turns } = await turnsDuring(() => parsePoliciesByTurns(shipped));
  const parsed = parsePolicies(shipped);
  assert.deepEqual(result, parsed);
  assert.ok(parsed.outcome === "compiled" && turns >= Math.floor(parsed.policies.size / 8), `${turns} turns`);
});

test("a policy is made ready for what the one before has met, a turn for each, and then has met the same", async () => {
  const candidate: Candidate = { kind: "host", name: "h", site: { name: "s", jurisdiction: "DE" } };
  const before = createPolicy();
  const regimes = [["open"], ["de-health", "eu-personal-data"], ["national"]];
  for (const [index, some] of regimes.entries()) {
    const project = { id: `prj_${index}`, dataClass: "personal", processing: [], regimes: some } as const;
    before.decide({ action: "infer", model: "m", project }, [candidate]);
  }
  assert.deepEqual(before.met, regimes);
  const parsed = parsePolicies({ schema: policySchema, files: [...shippedFiles, ...own("").files] });
  assert.ok(parsed.outcome === "compiled");
  const after = createPolicy({ policies: parsed });
  assert.deepEqual(after.met, []);
  const { turns } = await turnsDuring(() => after.prepare(before.met));
  assert.ok(turns >= regimes.length, `${turns} turns`);
  assert.deepEqual(after.met, before.met);
});
