import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { FolderDelivery } from "./folder-delivery.ts";

const paper = {
  invoice: "INV-2026-000001",
  extension: "ubl.xml",
  mediaType: "application/xml",
  bytes: Buffer.from("<a/>"),
};

test("a paper lies under its number; again it is the same one, with other bytes it is refused and stays", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-delivery-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const delivery = new FolderDelivery(join(folder, "out"));
  const place = join(folder, "out", "INV-2026-000001.ubl.xml");
  assert.deepEqual(await delivery.deliver(paper), { outcome: "delivered", place, isNew: true });
  assert.deepEqual(await delivery.deliver(paper), { outcome: "delivered", place, isNew: false });
  const other = await delivery.deliver({ ...paper, bytes: Buffer.from("<b/>") });
  assert.equal(other.outcome === "refused" && other.code, "delivery_conflict");
  assert.equal(readFileSync(place, "utf8"), "<a/>");
  assert.deepEqual(readdirSync(join(folder, "out")), ["INV-2026-000001.ubl.xml"]);
});

test("of many at once under one number one is there, whole, and every other is told", async (context) => {
  const folder = mkdtempSync(join(tmpdir(), "bailiwick-delivery-"));
  context.after(() => rmSync(folder, { recursive: true, force: true }));
  const tried = await Promise.all(
    Array.from({ length: 20 }, (_, index) =>
      new FolderDelivery(folder).deliver({ ...paper, bytes: Buffer.alloc(100_000, index) }),
    ),
  );
  assert.equal(tried.filter(({ outcome }) => outcome === "delivered").length, 1);
  const bytes = readFileSync(join(folder, "INV-2026-000001.ubl.xml"));
  assert.deepEqual([bytes.length, new Set(bytes).size], [100_000, 1]);
  assert.equal(readdirSync(folder).length, 1);
});
