import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { deviceTypes, findDevice } from "./devices.ts";

describe("device types", () => {
  it("have ids of their own, in lower case, and positive numbers", () => {
    assert.equal(new Set(deviceTypes.map(({ id }) => id)).size, deviceTypes.length);
    for (const device of deviceTypes) {
      assert.equal(device.id, device.id.toLowerCase());
      assert.match(device.makerCountry, /^[A-Z]{2}$/);
      for (const number of [device.memoryGiB, device.bandwidthTBps, device.bf16Tflops, device.linkGBps]) {
        assert.ok(number > 0, device.id);
      }
    }
  });

  it("take the middle of what is reported", () => {
    const ranges = deviceTypes.flatMap((device) => (device.reported ? [{ device, reported: device.reported }] : []));
    assert.deepEqual(
      ranges.map(({ device }) => device.id),
      ["910b"],
    );
    for (const { device, reported } of ranges) {
      assert.equal(device.bandwidthTBps, (reported.bandwidthTBps.least + reported.bandwidthTBps.most) / 2);
      assert.equal(device.bf16Tflops, (reported.bf16Tflops.least + reported.bf16Tflops.most) / 2);
    }
  });

  it("are found in any case, and an unknown one has the nearest beside it", () => {
    const found = findDevice("H100");
    assert.ok(found.known);
    assert.equal(found.device.name, "H100 SXM");
    assert.deepEqual(findDevice("h1000"), { known: false, nearest: "h100" });
    assert.deepEqual(findDevice("nothing like it"), { known: false, nearest: undefined });
  });
});
