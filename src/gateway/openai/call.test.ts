import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type BodyEdits, CallBody } from "./call.ts";
import { endpoints } from "./endpoints.ts";

const chat = endpoints[0]!;
const edits = (more: Partial<BodyEdits> = {}): BodyEdits => ({
  upstreamName: "m",
  cacheSalt: undefined,
  maxTokens: undefined,
  ...more,
});

function parse(text: string | Buffer): CallBody {
  const body = CallBody.parse(Buffer.from(text), chat);
  assert.ok(body instanceof CallBody, JSON.stringify(body));
  return body;
}

test("a body that needs no edit goes on as the very bytes that came", () => {
  const bytes = Buffer.from('{ "model" : "m", "seed": 12345678901234567890, "temperature": 1.0 }');
  assert.equal(parse(bytes).bytesFor(edits()).equals(bytes), true);
});

test("asking for the usage is spliced in, whatever else the body holds", () => {
  fc.assert(
    fc.property(fc.dictionary(fc.string(), fc.jsonValue()), fc.string(), (more, text) => {
      const value = { ...more, model: "m", stream: true, note: text };
      for (const name of ["n", "stream_options", "max_tokens", "max_completion_tokens"]) delete (value as never)[name];
      const sent = JSON.stringify(value);
      const edited = JSON.parse(parse(`${sent} \n`).bytesFor(edits()).toString()) as Record<string, unknown>;
      assert.deepEqual(edited, { ...(JSON.parse(sent) as object), stream_options: { include_usage: true } });
    }),
  );
});

test("options that are there already are kept", () => {
  const body = parse('{"model":"m","stream":true,"stream_options":{"other":1}}');
  assert.deepEqual(JSON.parse(body.bytesFor(edits({ upstreamName: "there", cacheSalt: "prj_1" })).toString()), {
    model: "there",
    stream: true,
    stream_options: { other: 1, include_usage: true },
    cache_salt: "prj_1",
  });
});

test("the operator's token limit is set where the client set none", () => {
  const limited = (text: string): unknown =>
    JSON.parse(
      parse(text)
        .bytesFor(edits({ maxTokens: 99 }))
        .toString(),
    );
  assert.deepEqual(limited('{"model":"m"}'), { model: "m", max_tokens: 99 });
  assert.deepEqual(limited('{"model":"m","max_tokens":null}'), { model: "m", max_tokens: 99 });
  assert.deepEqual(limited('{"model":"m","max_completion_tokens":5}'), { model: "m", max_completion_tokens: 5 });
});

test("every prompt of a list is answered n times", () => {
  const answers = (text: string): number => parse(text).fields.answers;
  assert.equal(answers('{"model":"m"}'), 1);
  assert.equal(answers('{"model":"m","n":3}'), 3);
  assert.equal(answers('{"model":"m","prompt":["a","b"],"n":3}'), 6);
  assert.equal(answers('{"model":"m","prompt":[1,2,3],"n":2}'), 2);
});

test("a tier is asked for where OpenAI has the field, and the body goes on untouched", () => {
  const asking = Buffer.from('{"model":"m","service_tier":"flex"}');
  const asked = endpoints.map((endpoint) => {
    const body = CallBody.parse(asking, endpoint);
    assert.ok(body instanceof CallBody && body.bytesFor(edits()).equals(asking));
    return [endpoint.name, body.fields.serviceTier];
  });
  assert.deepEqual(Object.fromEntries(asked), {
    "chat.completions": "flex",
    completions: "flex",
    embeddings: undefined,
    responses: "flex",
    messages: undefined,
  });
  assert.equal(parse('{"model":"m","service_tier":null}').fields.serviceTier, undefined);
  // Anthropic's word for its own field of that name.
  const messages = endpoints.find(({ name }) => name === "messages")!;
  const own = CallBody.parse(Buffer.from('{"model":"m","service_tier":"standard_only"}'), messages);
  assert.ok(own instanceof CallBody);
});

test("a client cannot choose the cache of another project", () => {
  const edited = parse('{"model":"m","cache_salt":"prj_other"}')
    .bytesFor(edits({ cacheSalt: "prj_mine" }))
    .toString();
  assert.deepEqual(JSON.parse(edited), { model: "m", cache_salt: "prj_mine" });
});

test("what is no JSON object, or has a wrong type where the gateway looks, is refused by name", () => {
  const cases: readonly [string | Buffer, string, string | undefined][] = [
    ["", "malformed_json", undefined],
    ["[]", "malformed_json", undefined],
    ['{"model":"m"', "malformed_json", undefined],
    [Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x7d]), "malformed_json", undefined],
    ["{}", "invalid_request", "model"],
    ['{"model":7}', "invalid_request", "model"],
    ['{"model":"m","stream":"yes"}', "invalid_request", "stream"],
    ['{"model":"m","stream_options":[]}', "invalid_request", "stream_options"],
    ['{"model":"m","stream_options":{"include_usage":1}}', "invalid_request", "stream_options.include_usage"],
    ['{"model":"m","n":0}', "invalid_request", "n"],
    ['{"model":"m","service_tier":"scale"}', "invalid_request", "service_tier"],
    ['{"model":"m","service_tier":["flex"]}', "invalid_request", "service_tier"],
    ['{"model":"m","max_tokens":-1}', "invalid_request", "max_tokens"],
    ['{"model":"m","max_completion_tokens":1.5}', "invalid_request", "max_completion_tokens"],
  ];
  for (const [text, code, param] of cases) {
    const refused = CallBody.parse(Buffer.from(text), chat);
    assert.ok("outcome" in refused, String(text));
    assert.deepEqual([refused.code, refused.param], [code, param]);
  }
});

test("a body that is nested deeper than anybody means is refused in words, however deep", () => {
  for (const levels of [200, 10_000, 400_000]) {
    const deep = `${"[".repeat(levels)}${"]".repeat(levels)}`;
    const refused = CallBody.parse(Buffer.from(`{"model":"m","metadata":${deep}}`), chat);
    assert.ok("outcome" in refused && refused.code === "invalid_request", String(levels));
  }
  const most = `${"[".repeat(199)}${"]".repeat(199)}`;
  parse(`{"model":"m","metadata":${most}}`);
});
