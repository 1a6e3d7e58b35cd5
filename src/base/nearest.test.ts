import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { nearest } from "./index.ts";

const shipped = ["smollm2-135m-instruct", "gemma-3-270m", "gemma-3-270m-it", "qwen3-0.6b", "qwen3-4b", "qwen3-8b"];

test("a slip, a beginning, a part, or a slip in a part finds the name that was meant", () => {
  const cases: [string, readonly string[], string | undefined][] = [
    ["smolm2-135m", shipped, "smollm2-135m-instruct"],
    ["smollm2-135m", shipped, "smollm2-135m-instruct"],
    ["smollm2", ["smollm2-135m-instruct"], "smollm2-135m-instruct"],
    ["SmolLM2-135M-Instruct", shipped, "smollm2-135m-instruct"],
    ["instruct", shipped, "smollm2-135m-instruct"],
    ["gemma", shipped, "gemma-3-270m"],
    ["qwen3-8", shipped, "qwen3-8b"],
    ["defalt", ["default", "hospital"], "default"],
    ["tempratur", ["temperature", "top_p"], "temperature"],
    ["nosuch", shipped, undefined],
    ["prot", ["port", "host"], "port"],
    ["alfa", ["alpha"], "alpha"],
    ["de", ["fr"], undefined],
    ["b300", ["a100", "h100", "a10"], undefined],
    ["h10", ["h100", "910b"], "h100"],
    ["it", ["something-quite-long-with-it"], undefined],
    ["", ["default"], undefined],
  ];
  for (const [word, names, meant] of cases) assert.equal(nearest(word, names), meant, word);
});

const name = fc.stringMatching(/^[a-z0-9.-]{5,40}$/);

test("a name finds itself among others, and a part of the only name finds it, also with a slip", () => {
  fc.assert(
    fc.property(fc.uniqueArray(name, { minLength: 1 }), fc.nat(), fc.nat(), fc.nat(), (names, pick, from, letters) => {
      const meant = names[pick % names.length]!;
      assert.equal(nearest(meant.toUpperCase(), names), meant);
      const start = from % (meant.length - 4);
      const part = meant.slice(start, start + 5 + (letters % (meant.length - 4)));
      assert.equal(nearest(part, [meant]), meant);
      assert.equal(nearest(`${part.slice(0, 2)}#${part.slice(2)}`, [meant]), meant);
    }),
  );
});

test("whatever is asked, the answer is a candidate or none, and none where no letter is shared", () => {
  const text = fc.string({ maxLength: 300 });
  fc.assert(
    fc.property(text, fc.array(text, { maxLength: 8 }), (word, names) => {
      const found = nearest(word, names);
      assert.ok(found === undefined || names.includes(found));
      assert.equal(nearest(`###${word.replaceAll(/[a-z0-9.-]/gi, "#")}`, ["abcdefgh.ijkl-mnop"]), undefined);
    }),
    { numRuns: 60 },
  );
});
