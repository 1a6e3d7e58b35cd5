import assert from "node:assert/strict";
import { test } from "node:test";
import { coreRows } from "./matrix.ts";
import { checkBegun, checkPattern } from "./selection.ts";
import { checkTraces } from "./traces.ts";

const core = coreRows({ seeds: 10, minutes: 30 });

test("a pattern that no row has is refused with how rows are called", () => {
  assert.throws(() => checkPattern("nosuchrow", core, true), /No row's name has "nosuchrow".*capacity\/64 models/);
  checkPattern("/link/ours", core, false);
  checkPattern("overload/", core, false);
  checkPattern(undefined, core, false);
});

test("rows of traces need the traces, and rows of overload the capacity that they begin with", () => {
  assert.throws(() => checkPattern("Mooncake", core, false), /give their folder with --traces/);
  checkPattern("Mooncake", core, true);
  assert.throws(() => checkBegun("overload/", core), /has not run: run it first.*capacity\//);
  checkBegun("capacity/", core);
});

test("a folder without the traces is refused in words", () => {
  assert.throws(() => checkTraces("/no/such/folder", core), /There is no folder \/no\/such\/folder \(--traces\)/);
  assert.throws(() => checkTraces(import.meta.dirname, core), /lacks servegen-language-m-large-arrivals\.csv\.gz, /);
  checkTraces(undefined, core);
});
