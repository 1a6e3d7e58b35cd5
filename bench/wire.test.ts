import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { EventCounter, MessageReader } from "./wire.ts";

function messagesOf(pieces: readonly Buffer[]): { head: string; body: string }[] {
  const messages: { head: string; body: string }[] = [];
  let head = "";
  let body = "";
  const reader = new MessageReader({
    head: (text) => void ([head, body] = [text, ""]),
    body: (part) => void (body += part.toString()),
    end: () => void messages.push({ head, body }),
  });
  for (const piece of pieces) reader.read(piece);
  return messages;
}

/** The bytes, cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const ends = [...places.map((place) => place % bytes.length), bytes.length].toSorted((a, b) => a - b);
  return ends.map((end, index) => bytes.subarray(ends[index - 1] ?? 0, end));
}

const places = fc.array(fc.nat(), { maxLength: 40 });

test("messages are read however the network cuts them", () => {
  const text =
    "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello" +
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\ndata:\r\nA;x=y\r\n 123456789\r\n0\r\ntrailer: 1\r\n\r\n" +
    "HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n" +
    "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n";
  fc.assert(
    fc.property(places, (places) => {
      const messages = messagesOf(cut(Buffer.from(text), places));
      assert.deepEqual(
        messages.map(({ body }) => body),
        ["hello", "data: 123456789", "", ""],
      );
      assert.ok(messages[2]?.head.startsWith("HTTP/1.1 404"));
    }),
  );
});

test("a request without a body ends with its head", () => {
  assert.deepEqual(messagesOf([Buffer.from("GET /health HTTP/1.1\r\nhost: a\r\n\r\n")]), [
    { head: "GET /health HTTP/1.1\r\nhost: a", body: "" },
  ]);
});

test("what is no message is refused", () => {
  assert.throws(() => messagesOf([Buffer.from("HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")]), /length is unknown/);
  assert.throws(
    () => messagesOf([Buffer.from("HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n")]),
    /chunk size/,
  );
  assert.throws(() => messagesOf([Buffer.alloc(100_000, "a")]), /without end/);
});

test("events are counted however the stream is cut", () => {
  const text = 'data: {"a":1}\n\ndata: two\ndata: lines\n\n: comment\n\ndata: [DONE]\n\n';
  fc.assert(
    fc.property(places, (places) => {
      const counter = new EventCounter();
      for (const piece of cut(Buffer.from(text), places)) counter.read(piece);
      assert.equal(counter.count, 4);
    }),
  );
});
