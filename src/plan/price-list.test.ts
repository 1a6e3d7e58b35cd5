import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { test } from "node:test";
import { parseAmount } from "../base/index.ts";
import { readPriceList } from "./price-list.ts";
import { fileFolder } from "./testing.ts";

test("a price list is read from YAML and from JSON, prices exactly", async (context) => {
  const write = await fileFolder(context);
  const list = {
    currency: "EUR",
    devices: [
      { device: "H100", pricePerHour: "0.000000000001", available: 3, note: "leased" },
      { device: "910b", pricePerHour: "1.1", origin: "NO", exportClassification: "as counsel wrote" },
    ],
  };
  const yaml =
    'currency: EUR\ndevices:\n  - device: H100\n    pricePerHour: "0.000000000001"\n    available: 3\n    note: leased\n' +
    '  - { device: 910b, pricePerHour: "1.1", origin: NO, exportClassification: as counsel wrote }\n';
  for (const path of [await write("a.json", JSON.stringify(list)), await write("a.yaml", yaml)]) {
    const { currency, offers } = await readPriceList(path);
    assert.equal(currency, "EUR");
    const [h100, ascend] = offers;
    assert.equal(h100?.pricePerHour, 1n);
    assert.deepEqual([h100.availableMax, h100.origin, h100.note], [3, "US", "leased"]);
    assert.equal(ascend?.pricePerHour, parseAmount("1.1"));
    assert.deepEqual(
      [ascend?.availableMax, ascend?.origin, ascend?.exportClassification],
      [undefined, "NO", "as counsel wrote"],
    );
  }
});

test("the example in docs/reference/plan.md can be used as it stands", async (context) => {
  const write = await fileFolder(context);
  const page = await readFile(new URL("../../docs/reference/plan.md", import.meta.url), "utf8");
  const example = /```yaml\n([\s\S]*?)```/.exec(page)?.[1] ?? "";
  const { offers } = await readPriceList(await write("example.yaml", example));
  assert.ok(offers.length > 1);
  assert.match(example, /placeholder/i);
});

test("what is wrong with a price list is told with its line", async (context) => {
  const write = await fileFolder(context);
  const device = (fields: string): string => `currency: EUR\ndevices:\n  - device: H100\n${fields}`;
  const cases: readonly [string, RegExp][] = [
    [device("    pricePerHour: 2.5\n"), /:4: .*pricePerHour.*string.*quotes/],
    [device('    pricePerHour: "-2"\n'), /:4: .*above 0/],
    [device('    pricePerHour: "0"\n'), /:4: .*above 0/],
    [device('    pricePerHour: "2"\n    available: -1\n'), /:5: .*available/],
    [device('    pricePerHour: "2"\n    orign: US\n'), /:5: `devices\[0\]\.orign` is no key .* mean "origin"/],
    [
      'currency: EUR\ndevice: []\ndevices:\n  - { device: H100, pricePerHour: "2" }\n',
      /:2: `device` is no key .*"device"/,
    ],
    [device('    pricePerHour: "2"\n    origin: USA\n'), /:5: .*"USA" is no country \(did you mean "US"\?\).*ISO 3166/],
    [device('    pricePerHour: "2"\n    origin: ZZ\n'), /:5: .*"ZZ" is no country; .*ISO 3166/],
    [device('    pricePerHour: "2"\n    origin: us\n'), /:5: .*did you mean "US"/],
    [device('    pricePerHour: "2"\n  - device: h100\n    pricePerHour: "1"\n'), /:5: .*second time/],
    ['currency: EUR\ndevices:\n  - device: H1000\n    pricePerHour: "2"\n', /:3: .*no device "H1000".*mean/],
    ["currency: euro\ndevices: []\n", /:1: .*ISO 4217/],
    ["currency: EUR\ndevices: []\n", /:2: .*devices/],
    ["currency: EUR\n", /devices.*required/],
    ["currency: [EUR\n", /:\d: /],
  ];
  for (const [text, message] of cases) await assert.rejects(readPriceList(await write("p.yaml", text)), message);
  await assert.rejects(readPriceList("/nowhere/prices.yaml"), /no such file/);
});
