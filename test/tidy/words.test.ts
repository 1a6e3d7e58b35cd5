import assert from "node:assert/strict";
import { test } from "node:test";
import { errorCodes } from "../../src/base/index.ts";
import { read, root, trackedFiles } from "./source.ts";

const readable = trackedFiles().filter((path) => /\.(ts|js|md|yaml|yml|json|sh|html|css|cedar)$|^\.ci\//.test(path));

test("nothing names a machine's paths or a package registry's host", () => {
  // Written in pieces, so that this file does not find itself.
  const patterns = [
    ["", "work", "(main|shared)"].join("/"),
    ["", "root", "[.a-z]"].join("/"),
    ["registry", "npmjs"].join("\\."),
    ["files", "pythonhosted"].join("\\."),
    ["pypi", "org"].join("\\."),
    ["deb", "debian"].join("\\."),
  ];
  const found = readable.flatMap((path) => {
    const text = read(path) ?? "";
    return patterns.filter((pattern) => new RegExp(pattern).test(text)).map((pattern) => `${path}: ${pattern}`);
  });
  assert.ok(readable.length > 20, root);
  assert.deepEqual(found, []);
});

test("the lockfile pins every package by version and digest, and no download address", () => {
  const lock = JSON.parse(read("package-lock.json")!) as {
    packages: Record<string, { version?: string; integrity?: string; resolved?: string; link?: boolean }>;
  };
  const loose = Object.entries(lock.packages)
    .filter(([name, entry]) => name !== "" && (!entry.version || !entry.integrity || entry.resolved !== undefined))
    .map(([name]) => name);
  assert.deepEqual(loose, []);
});

test("direct dependencies are pinned exactly", () => {
  const manifest = JSON.parse(read("package.json")!) as Record<string, Record<string, string>>;
  const loose = ["dependencies", "devDependencies", "optionalDependencies"].flatMap((kind) =>
    Object.entries(manifest[kind] ?? {}).filter(([, version]) => !/^\d+\.\d+\.\d+(-[\w.]+)?$/.test(version)),
  );
  assert.deepEqual(loose, []);
});

test("docs/reference/errors.md lists every error as the code has it", () => {
  const rows = [
    ...(read("docs/reference/errors.md") ?? "").matchAll(
      /^\| +`(\w+)` +\| +(\d+) +\| +`(\w+)` +\| +(yes|no) +\| +(.*?) +\|$/gm,
    ),
  ];
  const documented = rows.map(([, code, status, type, retry, next]) => ({ code, status, type, retry, next }));
  const coded = Object.entries(errorCodes).map(([code, entry]) => ({
    code,
    status: String(entry.status),
    type: entry.type,
    retry: entry.retry ? "yes" : "no",
    next: entry.next,
  }));
  assert.deepEqual(documented, coded);
});
