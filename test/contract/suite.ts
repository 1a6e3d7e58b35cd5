import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";
import { type Answered, ContractClient, type ContractTarget, type Usage } from "./client.ts";

export type { Capabilities, ContractTarget } from "./client.ts";

const chat = "/v1/chat/completions";
const completions = "/v1/completions";
const prompts = [
  "What is the capital of France?",
  "Name three colours.",
  "Why is the sky blue?",
  "Write a line about the sea.",
  "Give me a short recipe.",
  "Who wrote Hamlet?",
];

const weather = {
  type: "function",
  function: {
    name: "get_weather",
    description: "The weather of a city.",
    parameters: {
      type: "object",
      properties: { city: { type: "string", enum: ["Berlin", "Paris"] }, days: { type: "integer" } },
      required: ["city", "days"],
      additionalProperties: false,
    },
  },
};
const clock = {
  type: "function",
  function: {
    name: "get_time",
    parameters: {
      type: "object",
      properties: { zone: { enum: ["UTC"] } },
      required: ["zone"],
      additionalProperties: false,
    },
  },
};

/**
 * What every engine and upstream must do, over HTTP, so that the gateway can treat them alike. `open` starts the server
 * or finds it; what the server lacks its capabilities say, and those tests are skipped by name.
 */
export function contractSuite(
  name: string,
  open: () => Promise<{ readonly target: ContractTarget; readonly close: () => Promise<void> }>,
  can: ContractTarget["can"],
): void {
  describe(`contract: ${name}`, () => {
    let client: ContractClient;
    let close: () => Promise<void>;
    before(async () => {
      const opened = await open();
      client = new ContractClient(opened.target);
      close = async () => {
        await client.close();
        await opened.close();
      };
    });
    after(() => close());
    answers(() => client, can);
    shapes(() => client, can);
    refusals(() => client, can);
    leavers(() => client, can);
    caches(() => client, can);
  });
}

type Client = () => ContractClient;
type Can = ContractTarget["can"];
const without = (has: boolean): { readonly skip: boolean } => ({ skip: !has });

function answers(client: Client, can: Can): void {
  test("the model is listed", async () => {
    const { data } = (await (await client().get("/v1/models")).body.json()) as { data: { id: string }[] };
    assert.ok(data.some(({ id }) => id === client().target.model));
  });

  test("streamed and whole chat answers agree, usage included", async () => {
    await agree(client(), chat, client().chatBody(prompts[0]!));
  });

  test("streamed and whole completions agree, usage included", without(can.completions), async () => {
    await agree(client(), completions, client().completionBody("The capital of France is"));
  });

  test("max_tokens ends an answer by length, at exactly so many tokens", async () => {
    const { choices, usage } = await client().chat(client().target.longPrompt, { max_tokens: 7 });
    assert.deepEqual([choices[0]?.finishReason, usage.completion_tokens], ["length", 7]);
    assert.equal(usage.total_tokens, usage.prompt_tokens + usage.completion_tokens);
  });

  test("a stop string ends an answer before it appears", async () => {
    const whole = (await client().chat(client().target.longPrompt)).choices[0]!.text;
    const middle = Math.floor(whole.length / 2);
    const stop = whole.slice(middle, middle + 4);
    for (const asked of [stop, ["never to be seen \u{1F980}", stop]]) {
      const body = client().chatBody(client().target.longPrompt, { stop: asked });
      const { choices } = await agree(client(), chat, body);
      assert.deepEqual([choices[0]!.text, choices[0]!.finishReason], [whole.slice(0, whole.indexOf(stop)), "stop"]);
    }
  });

  test("n answers are n choices; the prompt is counted once", async () => {
    const one = await client().chat(prompts[0]!, { max_tokens: 4 });
    const three = await client().chat(prompts[0]!, { max_tokens: 4, n: 3 });
    assert.equal(three.choices.length, 3);
    assert.ok(
      three.choices.every(({ text }) => text === one.choices[0]!.text),
      "greedy answers are alike",
    );
    assert.equal(three.usage.prompt_tokens, one.usage.prompt_tokens);
    if (can.countsEveryAnswer) assert.equal(three.usage.completion_tokens, 3 * one.usage.completion_tokens);
  });

  test("the same seed gives the same answer", async () => {
    const more = { temperature: 1, seed: 42, max_tokens: 12 };
    const [first, second] = [await client().chat(prompts[3]!, more), await client().chat(prompts[3]!, more)];
    assert.deepEqual(second.choices, first.choices);
  });

  test("answers under concurrency equal answers alone", async () => {
    const alone: Answered[] = [];
    for (const prompt of prompts) alone.push(await client().chat(prompt, { max_tokens: 16 }));
    for (let round = 0; round < 2; round++) {
      const together = await Promise.all(prompts.map((prompt) => client().chat(prompt, { max_tokens: 16 })));
      assert.deepEqual(
        together.map(({ choices }) => choices),
        alone.map(({ choices }) => choices),
      );
    }
  });

  test("a conversation of all roles is taken", async () => {
    const call = { id: "call_1", type: "function", function: { name: "get_time", arguments: '{"zone":"UTC"}' } };
    const messages = [
      { role: "system", content: "Be brief." },
      { role: "user", content: [{ type: "text", text: "What time is it?" }] },
      { role: "assistant", content: null, tool_calls: [call] },
      { role: "tool", tool_call_id: "call_1", content: "12:00" },
      { role: "user", content: "Thanks." },
    ];
    const { usage } = await client().chat("", {
      messages,
      max_tokens: 4,
      tools: can.forcedTools ? [clock] : undefined,
    });
    assert.ok(usage.prompt_tokens > 4);
  });
}

function shapes(client: Client, can: Can): void {
  test("logprobs: one for each token, with as many alternatives as asked", without(can.logprobs), async () => {
    const plain = await client().chat(prompts[1]!, { max_tokens: 8 });
    const body = client().chatBody(prompts[1]!, { max_tokens: 8, logprobs: true, top_logprobs: 3 });
    const { choices } = await agree(client(), chat, body);
    const { text, logprobs = [] } = choices[0]!;
    assert.equal(text, plain.choices[0]!.text, "asking for logprobs changes no answer");
    assert.equal(Buffer.from(logprobs.flatMap(({ bytes }) => [...bytes])).toString("utf8"), text);
    for (const { token, logprob, top_logprobs } of logprobs) {
      assert.ok(logprob <= 0 && top_logprobs.length === 3);
      assert.deepEqual([top_logprobs[0]!.token, top_logprobs[0]!.logprob], [token, logprob], "greedy takes the first");
      const order = top_logprobs.map((each) => each.logprob);
      assert.deepEqual(
        order,
        order.toSorted((a, b) => b - a),
      );
    }
  });

  test("json_schema: the answer matches", without(can.jsonSchema), async () => {
    const schema = {
      type: "object",
      properties: { colour: { enum: ["red", "blue"] }, count: { type: "integer" }, sure: { type: "boolean" } },
      required: ["colour", "count", "sure"],
      additionalProperties: false,
    };
    const response_format = { type: "json_schema", json_schema: { name: "choice", schema, strict: true } };
    const body = client().chatBody("Choose a colour.", { response_format, max_tokens: 120 });
    const { choices } = await agree(client(), chat, body);
    const value = JSON.parse(choices[0]!.text) as Record<string, unknown>;
    assert.deepEqual(Object.keys(value).sort(), ["colour", "count", "sure"]);
    assert.ok(["red", "blue"].includes(String(value["colour"])) && Number.isInteger(value["count"]));
    assert.equal(typeof value["sure"], "boolean");
  });

  test("json_object: the answer is an object", without(can.jsonSchema), async () => {
    const response_format = { type: "json_object" };
    const { choices } = await client().chat("Answer in JSON: name a colour.", { response_format, max_tokens: 300 });
    if (choices[0]!.finishReason === "length") return;
    assert.equal(typeof JSON.parse(choices[0]!.text), "object");
  });

  test("a required and a named tool are called, with arguments that match", without(can.forcedTools), async () => {
    const named = { type: "function", function: { name: "get_time" } };
    for (const [tool_choice, expected] of [
      ["required", "get_weather"],
      [named, "get_time"],
    ] as const) {
      const tools = expected === "get_time" ? [weather, clock] : [weather];
      const body = client().chatBody("What is the weather in Paris?", { tools, tool_choice, max_tokens: 120 });
      const { choices } = await agree(client(), chat, body);
      const [call, ...others] = choices[0]!.calls;
      assert.deepEqual([choices[0]!.finishReason, call?.name, others], ["tool_calls", expected, []]);
      const given = JSON.parse(call!.arguments) as Record<string, unknown>;
      if (expected === "get_time") assert.deepEqual(given, { zone: "UTC" });
      else assert.ok(["Berlin", "Paris"].includes(String(given["city"])) && Number.isInteger(given["days"]));
    }
  });

  test("tool_choice none calls nothing", without(can.forcedTools), async () => {
    const { choices } = await client().chat("What is the weather?", { tools: [weather], tool_choice: "none" });
    assert.deepEqual(choices[0]!.calls, []);
  });
}

function refusals(client: Client, can: Can): void {
  test("what is malformed is refused, and the server goes on", async () => {
    assert.match(await client().refusal(chat, "{"), /^400/);
    assert.match(await client().refusal(chat, client().chatBody("a", { messages: "a" })), /^400/);
    assert.match(await client().refusal(chat, client().chatBody("a", { temperature: "hot" })), /^4/);
    assert.equal((await client().chat("a", { max_tokens: 1 })).usage.completion_tokens, 1);
  });

  test("fields at fault are named by their path", without(can.namesParameters), async () => {
    const at = (more: object): Promise<string> => client().refusal(chat, client().chatBody("a", more));
    assert.equal(await at({ messages: [{ role: "boss", content: "a" }] }), "400 invalid_request messages[0].role");
    assert.equal(await at({ top_p: 2 }), "400 invalid_request top_p");
    assert.equal(await at({ model: "no-such-model" }), "404 model_not_found model");
  });

  test(
    "unknown and unsupported parameters are refused by name, or named under warn",
    without(can.namesParameters),
    async () => {
      const body = client().chatBody("a", { logit_bias: { 1: 1 }, temprature: 1, max_tokens: 1 });
      assert.match(await client().refusal(chat, body), /^400 unsupported_parameter (logit_bias|temprature)$/);
      if (!can.hostProtocol) return;
      const warned = await client().post(chat, body, { "bailiwick-unsupported": "warn" });
      assert.deepEqual([warned.statusCode, warned.headers["bailiwick-ignored"]], [200, "logit_bias, temprature"]);
      await warned.body.dump();
      const harmless = client().chatBody("a", { user: "u", metadata: {}, store: false, max_tokens: 1 });
      await client().whole(chat, harmless);
    },
  );

  test("a schema that nothing matches is refused", without(can.jsonSchema && can.namesParameters), async () => {
    const refusalOf = (schema: object): Promise<string> => {
      const response_format = { type: "json_schema", json_schema: { name: "s", schema } };
      return client().refusal(chat, client().chatBody("a", { response_format }));
    };
    assert.match(await refusalOf({ $ref: "#" }), /^400 unsupported_schema/);
    assert.match(await refusalOf({ type: "string", not: { const: "a" } }), /^400 unsupported_schema/);
  });

  test("a prompt longer than the context is refused", async (context) => {
    const { contextTokens } = client().target;
    if (contextTokens === undefined) return context.skip("its context is not known");
    const long = client().chatBody("word ".repeat(contextTokens + 10));
    assert.match(await client().refusal(chat, long), /^400/);
  });
}

function leavers(client: Client, can: Can): void {
  test("the counts of a request are those of its usage", without(can.hostProtocol), async () => {
    for (const path of [chat, completions]) {
      const body = path === chat ? client().chatBody(prompts[2]!) : client().completionBody(prompts[2]!);
      for (const way of ["whole", "streamed"] as const) {
        const request = client().nextRequest();
        const { usage } = await client()[way](path, body, { "bailiwick-request": request });
        const kept = await counts(client(), request);
        assert.deepEqual([kept.inputTokens, kept.outputTokens], [usage.prompt_tokens, usage.completion_tokens]);
      }
    }
  });

  test(
    "a client that leaves mid-stream ends its answer, and what it had is counted",
    without(can.hostProtocol),
    async () => {
      const request = client().nextRequest();
      const body = client().chatBody(client().target.longPrompt, { stream: true, max_tokens: 500 });
      const response = await client().post(chat, body, { "bailiwick-request": request });
      response.body.on("error", () => response.body.destroy());
      let seen = 0;
      for await (const part of response.body as AsyncIterable<Buffer>) {
        seen += part.toString().split('"delta":{"content"').length - 1;
        if (seen >= 3) break;
      }
      response.body.destroy();
      const kept = await counts(client(), request);
      assert.equal(kept.ending, "abort");
      assert.ok(kept.outputTokens >= seen && kept.outputTokens < 400, `${seen} seen, ${kept.outputTokens} counted`);
      assert.equal((await client().chat("a", { max_tokens: 1 })).usage.completion_tokens, 1);
    },
  );
}

function caches(client: Client, can: Can): void {
  test(
    "a tenant's prompt is cached for it alone, until its host is told to forget it",
    without(can.hostProtocol),
    async () => {
      const prompt = "Once upon a time there was a miller. ".repeat(20);
      const cached = async (tenant: string): Promise<number> => {
        const { usage } = await client().whole(chat, client().chatBody(prompt, { max_tokens: 2 }), {
          "bailiwick-tenant": tenant,
        });
        return usage.prompt_tokens_details?.cached_tokens ?? 0;
      };
      assert.equal(await cached("prj_forgotten"), 0);
      assert.equal(await cached("prj_kept"), 0);
      const before = await cached("prj_forgotten");
      const { statusCode, body } = await client().post("/host/v1/forget", { tenant: "prj_forgotten" });
      assert.equal(statusCode, 200);
      assert.deepEqual(await body.json(), { running: 0 });
      assert.equal(await cached("prj_forgotten"), 0);
      // A program that cannot keep two tenants' caches apart keeps none.
      if (before > 0) assert.ok((await cached("prj_kept")) > 0);
    },
  );
}

/** Streamed and whole: the same choices and the same usage. Returns the whole one. */
async function agree(client: ContractClient, path: string, body: object): Promise<Answered> {
  const whole = await client.whole(path, body);
  const streamed = await client.streamed(path, body);
  assert.deepEqual(streamed.choices, whole.choices);
  assert.deepEqual(tokensOf(streamed.usage), tokensOf(whole.usage));
  return whole;
}

function tokensOf({ prompt_tokens, completion_tokens, total_tokens }: Usage): readonly number[] {
  return [prompt_tokens, completion_tokens, total_tokens];
}

async function counts(
  client: ContractClient,
  request: string,
): Promise<{ readonly inputTokens: number; readonly outputTokens: number; readonly ending: string }> {
  const { statusCode, body } = await client.get(`/host/v1/counts/${request}`);
  assert.equal(statusCode, 200);
  const { usage, ending } = (await body.json()) as {
    usage: { inputTokens: number; outputTokens: number };
    ending: string;
  };
  return { ...usage, ending };
}
