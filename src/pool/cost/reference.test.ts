import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { describe, it } from "node:test";
import { calibrations } from "./calibration.ts";
import { deviceTypes } from "./devices.ts";

describe("docs/reference/cost-model.md", async () => {
  const text = await readFile(new URL("../../../docs/reference/cost-model.md", import.meta.url), "utf8");
  const rows = text.split("\n").map((line) =>
    line
      .split("|")
      .slice(1, -1)
      .map((cell) => cell.trim()),
  );

  it("lists the calibrated pairs, with their errors", () => {
    assert.deepEqual(
      rows.filter((cells) => cells.length === 10 && cells[0]!.startsWith("`")),
      calibrations.map(({ model, device, prefill, decode }) => [
        `\`${model}\``,
        `\`${device}\``,
        String(prefill.fixedMs),
        microseconds(prefill.tokenMs),
        String(prefill.points),
        `${percent(prefill.medianError)} / ${percent(prefill.ninetiethError)}`,
        String(decode.fixedMs),
        microseconds(decode.sequenceMs),
        String(decode.points),
        `${percent(decode.medianError)} / ${percent(decode.ninetiethError)}`,
      ]),
    );
  });

  it("lists the devices, and where each of their sources is", () => {
    assert.deepEqual(
      rows.filter((cells) => cells.length === 7 && cells[0]!.startsWith("`")),
      deviceTypes.map((device) => [
        `\`${device.id}\``,
        device.name,
        `${device.maker}, ${device.makerCountry}`,
        String(device.memoryGiB),
        String(device.bandwidthTBps),
        String(device.bf16Tflops),
        String(device.linkGBps),
      ]),
    );
    for (const { url } of deviceTypes.flatMap(({ sources }) => sources)) {
      if (url === undefined) continue;
      const path = url.replace("https://www.nvidia.com/en-us/data-center/", "");
      assert.ok(text.includes(path), `${url} is not named`);
    }
  });
});

function microseconds(ms: number): string {
  return String(Number((ms * 1000).toPrecision(4)));
}

function percent(share: number): string {
  return (share * 100).toFixed(1);
}
