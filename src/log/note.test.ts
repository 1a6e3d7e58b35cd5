import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { openCheckpoint, formatVerifierKey, parseVerifierKey, type VerifierKey, verifierKeyOf } from "./index.ts";
import { type Checkpoint, formatCheckpoint, parseCheckpoint } from "./checkpoint.ts";
import { cosignedText, readCosignature } from "./cosignature.ts";
import { cosignText, signText } from "./keys.ts";
import { checkNote, formatNote, formatSignature, type Note, noteBytesMax, parseNote } from "./note.ts";
import { privateKey, sha256 } from "./testing.ts";

/** The example of c2sp.org/signed-note, "Example". */
const exampleKey = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k";
const example =
  "This is an example message.\n\n— example.com/foo " +
  "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n";

const log = { name: "example.com/log", privateKey: privateKey(1) };
const other = { name: "example.com/log", privateKey: privateKey(2) };
const witness = { name: "witness.example/w1", privateKey: privateKey(3) };
const text = formatCheckpoint({ origin: log.name, size: 5, root: sha256(Buffer.of(5)), extensions: [] });

function key(vkey: string): VerifierKey {
  const parsed = parseVerifierKey(vkey);
  assert.ok(parsed.outcome === "read", vkey);
  return parsed.key;
}

function read(bytes: Buffer | string): Note {
  const parsed = parseNote(Buffer.from(bytes));
  assert.ok(parsed.outcome === "read", parsed.outcome === "malformed" ? parsed.reason : "");
  return parsed.note;
}

test("the specification's example verifies with its key, and with no bit flipped", () => {
  const keys = [key(exampleKey)];
  const note = read(example);
  assert.equal(note.text, "This is an example message.\n");
  assert.equal(checkNote(note, keys).outcome, "signed");
  assert.equal(formatNote(note), example);
  const bytes = Buffer.from(example);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const flipped = Buffer.from(bytes);
    flipped[bit >> 3]! ^= 1 << (bit & 7);
    const parsed = parseNote(flipped);
    if (parsed.outcome === "read") assert.notEqual(checkNote(parsed.note, keys).outcome, "signed", `bit ${bit}`);
  }
});

test("a verifier key is read in one form only, and written in it", () => {
  assert.equal(formatVerifierKey(key(exampleKey)), exampleKey);
  for (const type of ["ed25519", "cosignature"] as const) {
    for (let byte = 0; byte < 40; byte++) {
      const own = verifierKeyOf(type, { name: "é.example/+".slice(0, 10), privateKey: privateKey(byte) });
      assert.deepEqual(formatVerifierKey(key(formatVerifierKey(own))), formatVerifierKey(own));
    }
  }
  const [name, id, encoded] = exampleKey.split("+");
  const bad = [
    "",
    name,
    `${name}+${id}`,
    `+${id}+${encoded}`,
    `example com+${id}+${encoded}`,
    `${name}+530D903A+${encoded}`,
    `${name}+530d903b+${encoded}`,
    `${name}+${id}+${encoded}=`,
    `${name}x+${id}+${encoded}`,
    `${name}+${id}+${Buffer.alloc(33, 2).toString("base64")}`,
    `${name}+${id}+AQ==`,
  ];
  for (const vkey of bad) assert.equal(parseVerifierKey(vkey!).outcome, "malformed", vkey);
  assert.throws(() => verifierKeyOf("ed25519", { name: "a b", privateKey: privateKey(1) }), RangeError);
});

test("one key has another id for each type of signature", () => {
  const [signs, cosigns] = [verifierKeyOf("ed25519", witness), verifierKeyOf("cosignature", witness)];
  assert.notEqual(signs.keyId, cosigns.keyId);
  const note = { text, signatures: [cosignText(text, witness, 1_679_315_147)] };
  assert.equal(checkNote(note, [signs]).outcome, "unsigned");
  assert.equal(checkNote(note, [cosigns]).outcome, "signed");
});

test("notes that are not of the one form are malformed", () => {
  const [line] = example.split("\n\n").slice(1);
  const bad: (string | Buffer)[] = [
    "",
    "\n",
    "text\n",
    "text\n\n",
    `text\n${line}`,
    `text\n\n${line}\n`,
    `text\n\n${line}${line}more`,
    example.slice(0, -1),
    example.replace("—", "-"),
    example.replace("— ", "—  "),
    example.replace("example.com/foo", "example.com/f+o"),
    example.replace("example.com/foo", "example.com/f\u00a0o"),
    example.replace("example.com/foo", ""),
    example.replace("aQM=", "aQM"),
    example.replace("aQM=", "aQN="),
    example.replace("message", "mess\tage"),
    example.replace("message", "mess\rage"),
    example.replace("message", "mess\0age"),
    Buffer.from(example.replace("message", "m\u00e9ssage"), "latin1"),
    "text\n\n— example.com/foo Uw2QOg==\n",
    `${"x".repeat(noteBytesMax)}${example}`,
    `text\n\n${line!.repeat(65)}`,
  ];
  for (const bytes of bad) assert.equal(parseNote(Buffer.from(bytes)).outcome, "malformed", String(bytes).slice(0, 80));
});

test("a text may have blank lines, and a byte order mark is a character of it", () => {
  const own = "\ufeffa\n\nb\n";
  const note = read(formatNote({ text: own, signatures: [signText(own, log)] }));
  assert.equal(note.text, own);
  assert.equal(checkNote(note, [verifierKeyOf("ed25519", log)]).outcome, "signed");
});

test("signatures of unknown keys are ignored; a known key's that does not hold spoils the note", () => {
  const keys = [verifierKeyOf("ed25519", log)];
  const [good, foreign] = [signText(text, log), signText(text, other)];
  const sameName = { ...foreign, name: log.name };
  const sameId = { ...good, name: "other.example", bytes: Buffer.alloc(64) };
  const spoilt = { ...good, bytes: Buffer.alloc(64) };
  const outcome = (...signatures: Note["signatures"]) =>
    checkNote(read(formatNote({ text, signatures })), keys).outcome;
  assert.equal(outcome(good), "signed");
  assert.equal(outcome(sameName, sameId, good), "signed");
  assert.equal(outcome(sameName, sameId), "unsigned");
  assert.equal(outcome(good, spoilt), "forged");
  assert.equal(outcome({ ...good, bytes: good.bytes.subarray(1) }), "forged");
  const checked = checkNote(read(formatNote({ text, signatures: [good, good] })), keys);
  assert.equal(checked.outcome === "signed" && checked.by.length, 1, "a key counts once");
});

test("sixteen signatures of five kilobytes are taken", () => {
  const large = Array.from({ length: 15 }, (_, at) => ({
    name: `pq.example/${at}`,
    keyId: at,
    bytes: Buffer.alloc(5_000),
  }));
  const note = read(formatNote({ text, signatures: [...large, signText(text, log)] }));
  assert.equal(checkNote(note, [verifierKeyOf("ed25519", log)]).outcome, "signed");
});

test("a cosignature covers its time and the whole text", () => {
  const signature = cosignText(text, witness, 1_679_315_147);
  assert.equal(readCosignature(signature.bytes)?.timestampSeconds, 1_679_315_147);
  assert.equal(cosignedText(text, 1_679_315_147), `cosignature/v1\ntime 1679315147\n${text}`);
  const cosigner = verifierKeyOf("cosignature", witness);
  assert.ok(cosigner.verifies(text, signature.bytes));
  assert.ok(!cosigner.verifies(`${text}extension\n`, signature.bytes));
  for (const at of [0, 7, 8, 71]) {
    const changed = Buffer.from(signature.bytes);
    changed[at]! ^= 1;
    assert.ok(!cosigner.verifies(text, changed), `byte ${at}`);
  }
  assert.ok(!cosigner.verifies(text, signature.bytes.subarray(8)));
});

test("a checkpoint is read in one form only; its extension lines are kept", () => {
  const root = sha256(Buffer.of(1)).toString("base64");
  const good = parseCheckpoint(`go.sum database tree\n35\n${root}\nsome line\nanother\n`);
  assert.ok(good.outcome === "read");
  assert.deepEqual(good.checkpoint.extensions, ["some line", "another"]);
  assert.equal(formatCheckpoint(good.checkpoint), `go.sum database tree\n35\n${root}\nsome line\nanother\n`);
  const bad = [
    `o\n35\n`,
    `o\n35\n${root}`,
    `\n35\n${root}\n`,
    `o\n35\n${root}\n\n`,
    `o\n035\n${root}\n`,
    `o\n+35\n${root}\n`,
    `o\n35 \n${root}\n`,
    `o\n3.5\n${root}\n`,
    `o\n-1\n${root}\n`,
    `o\n9007199254740992\n${root}\n`,
    `o\n35\n${root.slice(0, -4)}\n`,
    `o\n35\n${root.slice(0, -1)}\n`,
  ];
  for (const each of bad) assert.equal(parseCheckpoint(each).outcome, "malformed", each);
});

test("what is written as a checkpoint is read as the same one", () => {
  const line = fc
    .string({ unit: "grapheme", minLength: 1, maxLength: 20 })
    .filter((each) => !/\p{Cc}/u.test(each) && each.isWellFormed());
  const checkpoint: fc.Arbitrary<Checkpoint> = fc.record(
    {
      origin: line,
      size: fc.maxSafeNat(),
      root: fc.uint8Array({ minLength: 32, maxLength: 32 }).map((bytes) => Buffer.from(bytes)),
      extensions: fc.array(line, { maxLength: 3 }),
    },
    { noNullPrototype: true },
  );
  fc.assert(
    fc.property(checkpoint, (checkpoint) => {
      const text = formatCheckpoint(checkpoint);
      const signatures = [signText(text, log), cosignText(text, witness, 7)];
      const trusted = { origin: checkpoint.origin, keys: [verifierKeyOf("ed25519", log)] };
      const opened = openCheckpoint(Buffer.from(formatNote({ text, signatures })), [trusted]);
      assert.ok(opened.outcome === "signed");
      assert.deepEqual(opened.checkpoint, checkpoint);
    }),
    { numRuns: 50 },
  );
});

test("a checkpoint counts only where its log is trusted and a key of that log has signed it", () => {
  const note = Buffer.from(formatNote({ text, signatures: [signText(text, log)] }));
  const keys = [verifierKeyOf("ed25519", log)];
  assert.equal(openCheckpoint(note, [{ origin: log.name, keys }]).outcome, "signed");
  assert.equal(openCheckpoint(note, [{ origin: "example.com/other", keys }]).outcome, "foreign");
  assert.equal(
    openCheckpoint(note, [{ origin: log.name, keys: [verifierKeyOf("ed25519", other)] }]).outcome,
    "unsigned",
  );
  const line = formatSignature(signText("another text\n", log));
  assert.equal(openCheckpoint(Buffer.from(`${text}\n${line}`), [{ origin: log.name, keys }]).outcome, "forged");
  assert.equal(
    openCheckpoint(Buffer.from(`no checkpoint\n\n${line}`), [{ origin: log.name, keys }]).outcome,
    "malformed",
  );
});
