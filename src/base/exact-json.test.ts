import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { InexactNumber, readExactJson } from "./exact-json.ts";

/** What is said of one number: itself, or its text where a double does not keep it. */
function read(number: string): unknown {
  const { value } = readExactJson(`{"a": ${number}}`);
  const { a } = value as { a: unknown };
  return a instanceof InexactNumber ? a.source : a;
}

test("a number that a double keeps is one, however it is written, and any other is told as it stands there", () => {
  for (const [text, value] of [
    ["0.1", 0.1],
    ["1.10", 1.1],
    ["-0.0", -0],
    ["1e-7", 1e-7],
    ["0.0000001", 1e-7],
    ["12.5E+2", 1250],
    ["123456789.1234567", 123456789.1234567],
    ["9007199254740992", 2 ** 53],
    ["10000000000000000000000", 1e22],
  ] as const) {
    assert.equal(read(text), value, text);
  }
  for (const text of [
    "123456789.123456789",
    "999999999999.999999999",
    "9007199254740993",
    "1e400",
    "-1e-400",
    "1.00000000000000000001",
  ]) {
    assert.equal(read(text), text, text);
  }
  assert.equal(JSON.stringify(readExactJson('[ 123456789.123456789, "1e400" ]').value), '[123456789.12345679,"1e400"]');
});

test("a member that is there twice is told with the object of its list, however it is spelt, and a text that looks like one is not", () => {
  const twiceIn = (text: string) => readExactJson(text).twice;
  assert.deepEqual(twiceIn('{"a":1,"b":{"c":1,"c":2}}'), { name: "c", place: 0 });
  assert.deepEqual(twiceIn('[{"a":1},\n{"b":[{}]},{"a": 1, "\\u0061" :2}]'), { name: "a", place: 2 });
  assert.deepEqual(twiceIn('{"__proto__":1,"__proto__":2}'), { name: "__proto__", place: 0 });
  for (const text of [
    '{"a":"\\",\\"a\\":1", "b":"a"}',
    '[{"a":1}, {"a":1}]',
    '{"a":{"a":1}, "b":[["a","a"]]}',
    ' "a" ',
  ]) {
    assert.equal(twiceIn(text), undefined, text);
  }
  assert.throws(() => readExactJson("{"), SyntaxError);
});

test("what JSON.parse takes without a loss is read as it does", () => {
  fc.assert(
    fc.property(fc.json(), fc.constantFrom(undefined, 2), (text, indent) => {
      const written = JSON.stringify(JSON.parse(text), undefined, indent);
      assert.deepEqual(readExactJson(written), { value: JSON.parse(written) as unknown, twice: undefined });
    }),
  );
});

test("a long text takes no longer than its length", () => {
  const long = JSON.stringify({ a: `${'\\"'.repeat(1 << 18)}${"x".repeat(1 << 19)}` });
  assert.equal(readExactJson(` ${long}`).twice, undefined);
  assert.deepEqual(readExactJson(`[${long},{"b":1,"b":2}]`).twice, { name: "b", place: 1 });
});
