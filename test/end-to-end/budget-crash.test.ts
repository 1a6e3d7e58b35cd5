import assert from "node:assert/strict";
import { join } from "node:path";
import { after, test } from "node:test";
import { ask, errorIn, makeKey, usageOf } from "./asking.ts";
import { eventually, type RunningCloud, startCloud, temporaryFolder } from "./cloud.ts";

const folder = temporaryFolder();
let cloud: RunningCloud | undefined;
after(async () => {
  await cloud?.kill();
  folder.remove();
});

test("a budget knows after a crash what ran when it came: set aside until it is settled, spent from then on", async () => {
  const start = async (): Promise<RunningCloud> =>
    startCloud({ data: join(folder.path, "data"), arguments: ["--engine", "fake", "--site", "DE"] });
  cloud = await start();
  const key = await makeKey(cloud, "crashing", { limits: { monthlyBudget: "0.01" } });
  for (let crash = 1; crash <= 2; crash++) {
    const { url } = cloud;
    let seen = 0;
    const content = "[[fake:tokens=2000]] [[fake:token-ms=5]]";
    const running = Array.from({ length: 4 }, () =>
      ask({ url, key, stream: true, content, more: { max_tokens: 2_000 }, onPart: () => seen++ }),
    );
    await eventually("tokens", () => seen > 200);
    await cloud.kill();
    await Promise.all(running);
    cloud = await start();
    await eventually("the settlements", async () => (await usageOf(cloud!, "crashing")).requests === 4 * crash);
    const { amount, unrated } = await usageOf(cloud, "crashing");
    assert.equal(unrated, 0);
    assert.ok(Number(amount) > 0);
    const refused = await ask({ url: cloud.url, key, more: { max_tokens: 4_000, n: 8 } });
    const { code, message } = errorIn(refused);
    assert.equal(code, "budget_exceeded", refused.text);
    assert.ok(message.includes(`${amount} EUR is spent`), `${message} (usage says ${amount})`);
  }
});
