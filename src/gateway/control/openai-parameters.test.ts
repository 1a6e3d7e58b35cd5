import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { errorCodes } from "../../base/index.ts";
import {
  type GenerationEndpoint,
  parameters,
  parseChatRequest,
  parseCompletionRequest,
} from "../../engine/openai/index.ts";
import { CallBody } from "../openai/call.ts";
import { endpoints } from "../openai/endpoints.ts";
import { startFakeControl } from "./fake-control.ts";

interface Operation {
  readonly requestBody: { readonly content: { readonly "application/json": { readonly schema: Schema } } };
  readonly responses: Readonly<Record<string, { readonly description: string; readonly content: object }>>;
}
interface Schema {
  readonly properties: Readonly<Record<string, { readonly description?: string }>>;
}

/** A body that each endpoint takes, and what a parameter needs beside it to be looked at for itself. */
const plain: Readonly<Record<GenerationEndpoint, Readonly<Record<string, unknown>>>> = {
  "chat.completions": { model: "m", messages: [{ role: "user", content: "hi" }] },
  completions: { model: "m", prompt: "hi" },
};
const tool = (name: string) => ({ type: "function", function: { name, parameters: { type: "object" } } });
const needed: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  stream_options: { stream: true },
  top_logprobs: { logprobs: true },
  tool_choice: { tools: [tool("f")] },
};

/** Values at and beyond every bound, and of every type. */
const values: readonly unknown[] = [
  [-3, -2, -1.5, -1, -0.1, 0, 0.5, 1, 1.5, 2, 2.1, 4, 5, 6, 8, 9, 20, 21, 128, 129, 2 ** 31, 2 ** 31 + 1, 2 ** 54],
  ["", "x", "x".repeat(100), "x".repeat(2_000), "none", "auto", "required", true, false, null, {}, []],
  [["a"], ["a", ""], ["a", "b", "c", "d"], ["a", "b", "c", "d", "e"], [1, 2], [[1], "a"], [1.5], [[]], [-1]],
  [Array.from({ length: 32 }, () => "p"), Array.from({ length: 33 }, () => "p")],
  [{ include_usage: true }, { include_usage: 1 }, { include_obfuscation: false }, { include_obfuscation: true }],
  [{ type: "text" }, { type: "json_object" }, { type: "json_schema" }, { type: "xml" }],
  [{ type: "json_schema", json_schema: { name: "n", schema: {} } }],
  [{ type: "json_schema", json_schema: { name: "a b", schema: {} } }],
  [[tool("f")], [tool("a b")], [{ type: "custom" }], [{ type: "function" }]],
  [{ type: "function", function: { name: "f" } }, { type: "function" }],
  [[{ role: "user", content: "x" }], [{ role: "robot", content: "x" }], [{ role: "user", content: 1 }]],
].flat();

async function document(context: TestContext): Promise<Record<string, { readonly post: Operation }>> {
  const control = await startFakeControl();
  context.after(control.close);
  return (control.openapi() as { paths: Record<string, { post: Operation }> }).paths;
}

test("the OpenAPI document allows exactly what the gateway and the engines' reader take", async (context) => {
  const paths = await document(context);
  for (const name of ["chat.completions", "completions"] as const) {
    const endpoint = endpoints.find((each) => each.name === name)!;
    const { schema } = paths[endpoint.path]!.post.requestBody.content["application/json"];
    const own = parameters.filter((each) => each.endpoints.includes(name));
    assert.deepEqual(
      Object.keys(schema.properties),
      own.map((each) => each.name),
    );
    const validate = new Ajv2020({ strict: false }).compile(schema);
    const differing: string[] = [];
    const parse = name === "completions" ? parseCompletionRequest : parseChatRequest;
    for (const parameter of own) {
      assert.ok(schema.properties[parameter.name]?.description?.includes(parameter.note), parameter.name);
      // What the project's rules decide on is no matter of the document's.
      if (parameter.treatment === "refused") continue;
      for (const value of values) {
        // An upstream may know more options of a stream: the document lets them pass.
        if (parameter.name === "stream_options" && JSON.stringify(value).startsWith('{"type"')) continue;
        const body = { ...plain[name], ...needed[parameter.name], [parameter.name]: value };
        const called = CallBody.parse(Buffer.from(JSON.stringify(body)), endpoint) instanceof CallBody;
        const taken = called && parse(body, { unsupported: "refuse" }).outcome === "parsed";
        if (validate(body) !== taken)
          differing.push(`${parameter.name}: ${JSON.stringify(value).slice(0, 80)} is taken: ${taken}`);
      }
    }
    assert.deepEqual(differing, [], name);
  }
});

test("what a request is refused with stands there by its status, with the error's shape", async (context) => {
  const paths = await document(context);
  for (const { path } of endpoints) {
    const { responses } = paths[path]!.post;
    const statuses = [
      "200",
      "400",
      "401",
      "403",
      "404",
      "408",
      "413",
      "415",
      "429",
      "500",
      "502",
      "503",
      "504",
      "default",
    ];
    assert.deepEqual(Object.keys(responses), statuses, path);
    for (const code of ["malformed_json", "model_not_permitted", "budget_exceeded", "engine_timeout"] as const) {
      const response = responses[errorCodes[code].status];
      assert.ok(response !== undefined && response.description.includes(`\`${code}\``), code);
      assert.match(JSON.stringify(response.content), /#\/components\/schemas\/Error/);
    }
  }
});
