import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { parseSynthetic } from "./synthetic-grammar.ts";
import { WorkloadError } from "./workload.ts";

test("what is not said has its default", () => {
  assert.deepEqual(parseSynthetic("64x0.1"), {
    models: 64,
    ratePerSecond: 0.1,
    arrivals: { kind: "poisson" },
    inputFactor: 1,
    outputFactor: 1,
    zipfExponent: 0,
    tenants: undefined,
    lengths: "trace",
  });
});

test("every key is read, in any order", () => {
  assert.deepEqual(
    parseSynthetic("2x.5,lengths=lognormal,tenants=4,zipf=1.1,output=0.5,input=2.0,cv=2,arrivals=gamma"),
    {
      models: 2,
      ratePerSecond: 0.5,
      arrivals: { kind: "gamma", cv: 2 },
      inputFactor: 2,
      outputFactor: 0.5,
      zipfExponent: 1.1,
      tenants: 4,
      lengths: "lognormal",
    },
  );
  assert.deepEqual(parseSynthetic("1x1,arrivals=weibull,cv=0.5").arrivals, { kind: "weibull", cv: 0.5 });
  assert.deepEqual(parseSynthetic("1x1,arrivals=poisson").arrivals, { kind: "poisson" });
  assert.deepEqual(parseSynthetic("1x1,off=240,on=60").arrivals, { kind: "onOff", onS: 60, offS: 240 });
  assert.deepEqual(parseSynthetic("1x1,every=300,on=20").arrivals, { kind: "scheduled", onS: 20, everyS: 300 });
});

test("an error names the bad part and says what may stand there", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["", /"" must be models x requests\/s/],
    ["64", /"64" must be models x/],
    ["64 x 0.1", /"64 x 0.1" must be models x/],
    ["-1x2", /"-1x2" must be models x/],
    ["64x1e3", /"64x1e3" must be models x/],
    ["0x1", /"0x1" has "0" where a number from 1 to 10000/],
    ["1x0", /"1x0" has "0" where a number from/],
    ["1x1,", /"" must be key=value/],
    ["1x1,gamma", /"gamma" must be key=value/],
    ["1x1,zip=1", /"zip=1" has an unknown key; .*Did you mean zipf\?/],
    ["1x1,zipf=1,zipf=2", /"zipf=2" gives zipf a second time/],
    ["1x1,zipf=", /"zipf=" has "" where a number from 0 to 5/],
    ["1x1,zipf=-1", /"zipf=-1" has "-1" where/],
    ["1x1,input=NaN", /"input=NaN" has "NaN" where/],
    ["1x1,input=1000", /"input=1000" has "1000" where a number from 0.01 to 100/],
    ["1x1,tenants=1.5", /"tenants=1.5" must be a whole number/],
    ["1x1,arrivals=gama,cv=2", /"arrivals=gama" has an unknown value; .*Did you mean gamma\?/],
    ["1x1,arrivals=gamma", /"arrivals=gamma" needs cv/],
    ["1x1,arrivals=gamma,cv=20", /"cv=20" has "20" where a number from 0.1 to 10/],
    ["1x1,cv=2", /"cv=2" needs arrivals=gamma or arrivals=weibull/],
    ["1x1,arrivals=poisson,cv=2", /"cv=2" needs arrivals=gamma/],
    ["1x1,on=60", /"on=60" needs off=SECONDS or every=SECONDS/],
    ["1x1,every=60", /"every=60" needs on=SECONDS/],
    ["1x1,on=60,every=60", /"every=60" must be longer than on/],
    ["1x1,on=60,every=90,off=30", /"off=30" cannot be with every/],
    ["1x1,on=60,every=90,cv=2", /"cv=2" cannot be with on and off/],
    ["1x1,off=60", /"off=60" needs on=SECONDS/],
    ["1x1,on=60,off=60,arrivals=gamma,cv=2", /"arrivals=gamma" cannot be with on and off/],
    ["1x1,on=60,off=60,cv=2", /"cv=2" cannot be with on and off/],
    ["1x1,lengths=normal", /"lengths=normal" has an unknown value.*Did you mean lognormal\?/],
  ];
  for (const [text, message] of cases) {
    assert.throws(() => parseSynthetic(text), { name: WorkloadError.name, message }, text);
  }
});

test("whatever the text, it is read or refused with a WorkloadError", () => {
  const word = fc.constantFrom(
    "64x0.1",
    "1x",
    ",",
    "=",
    "cv",
    "on",
    "off",
    "zipf",
    "arrivals",
    "gamma",
    "2",
    "-",
    ".",
    "",
  );
  const text = fc.oneof(
    fc.string(),
    fc.array(word).map((words) => words.join("")),
  );
  fc.assert(
    fc.property(text, (text) => {
      try {
        assert.ok(parseSynthetic(text).models >= 1);
      } catch (error) {
        assert.ok(error instanceof WorkloadError, String(error));
      }
    }),
  );
});
