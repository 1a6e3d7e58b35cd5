import assert from "node:assert/strict";
import { test } from "node:test";
import { canonicalForm } from "./canonical.ts";
import { isTooNested } from "./nesting.ts";

/**
 * From the test data of github.com/cyberphone/json-canonicalization, which the authors of RFC 8785 keep: inputs, and the
 * bytes that their implementations make of them, in hexadecimal.
 */
const vectors = [
  [
    String.raw`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`,
    `7b226c69746572616c73223a5b6e756c6c2c747275652c66616c73655d2c226e756d62657273223a5b3333333333333333332e333333333333332c31652b33302c342e352c302e3030322c31652d32375d2c22737472696e67223a22e282ac245c75303030665c6e4127425c225c5c5c5c5c222f227d`,
  ],
  [
    String.raw`{"1":{"f":{"f":"hi","F":5},"\n":56.0},"10":{},"":"empty","a":{},"111":[{"e":"yes","E":"no"}],"A":{}}`,
    `7b22223a22656d707479222c2231223a7b225c6e223a35362c2266223a7b2246223a352c2266223a226869227d7d2c223130223a7b7d2c22313131223a5b7b2245223a226e6f222c2265223a22796573227d5d2c2241223a7b7d2c2261223a7b7d7d`,
  ],
  [
    String.raw`{"\u20ac":"Euro Sign","\r":"Carriage Return","\u000a":"Newline","1":"One","\u0080":"Control\u007f","\ud83d\ude02":"Smiley","\u00f6":"Latin Small Letter O With Diaeresis","\ufb33":"Hebrew Letter Dalet With Dagesh","</script>":"Browser Challenge"}`,
    `7b225c6e223a224e65776c696e65222c225c72223a2243617272696167652052657475726e222c2231223a224f6e65222c223c2f7363726970743e223a2242726f77736572204368616c6c656e6765222c22c280223a22436f6e74726f6c7f222c22c3b6223a224c6174696e20536d616c6c204c6574746572204f205769746820446961657265736973222c22e282ac223a224575726f205369676e222c22f09f9882223a22536d696c6579222c22efacb3223a22486562726577204c65747465722044616c6574205769746820446167657368227d`,
  ],
] as const;

test("what others make of the RFC's own test data", () => {
  for (const [input, hex] of vectors) {
    const made = Buffer.from(canonicalForm(JSON.parse(input))!).toString("hex");
    assert.equal(made, hex);
  }
});

test("numbers are written as the RFC's appendix B writes them", () => {
  for (const [ieee, expected] of numbers) {
    const bytes = Buffer.from(ieee, "hex");
    assert.equal(canonicalForm(bytes.readDoubleBE()), expected, ieee);
  }
});

/** RFC 8785, appendix B: the bits of a double, and the text; and the samples of the test data's README. */
const numbers = [
  ["0000000000000000", "0"],
  ["8000000000000000", "0"],
  ["0000000000000001", "5e-324"],
  ["8000000000000001", "-5e-324"],
  ["7fefffffffffffff", "1.7976931348623157e+308"],
  ["ffefffffffffffff", "-1.7976931348623157e+308"],
  ["4340000000000000", "9007199254740992"],
  ["c340000000000000", "-9007199254740992"],
  ["4430000000000000", "295147905179352830000"],
  ["44b52d02c7e14af5", "9.999999999999997e+22"],
  ["44b52d02c7e14af6", "1e+23"],
  ["44b52d02c7e14af7", "1.0000000000000001e+23"],
  ["444b1ae4d6e2ef4e", "999999999999999700000"],
  ["444b1ae4d6e2ef4f", "999999999999999900000"],
  ["444b1ae4d6e2ef50", "1e+21"],
  ["3eb0c6f7a0b5ed8c", "9.999999999999997e-7"],
  ["3eb0c6f7a0b5ed8d", "0.000001"],
  ["41b3de4355555553", "333333333.3333332"],
  ["41b3de4355555554", "333333333.33333325"],
  ["41b3de4355555555", "333333333.3333333"],
  ["41b3de4355555556", "333333333.3333334"],
  ["41b3de4355555557", "333333333.33333343"],
  ["becbf647612f3696", "-0.0000033333333333333333"],
  ["43143ff3c1cb0959", "1424953923781206.2"],
  ["4340000000000001", "9007199254740994"],
  ["4340000000000002", "9007199254740996"],
] as const;

test("what has no canonical form has none: infinities, half surrogates, what is no JSON", () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, "\ud800", { "\udc00": 1 }, [1n], () => 1]) {
    assert.equal(canonicalForm(value), undefined);
  }
  assert.equal(canonicalForm({ b: undefined, a: [undefined, -0] }), '{"a":[null,0]}');
});

test("what is nested deeper than anybody means has none, however deep", () => {
  const nested = (levels: number): unknown => JSON.parse(`${"[".repeat(levels)}1${"]".repeat(levels)}`);
  assert.equal(canonicalForm(nested(200)), `${"[".repeat(200)}1${"]".repeat(200)}`);
  for (const levels of [201, 10_000, 500_000]) {
    assert.equal(canonicalForm(nested(levels)), undefined);
    assert.equal(canonicalForm({ a: nested(levels) }), undefined);
    assert.equal(isTooNested(nested(levels)), true);
  }
  assert.equal(isTooNested(nested(200)), false);
});
