/** An HTTP/1.1 client that asks one prepared question over and over, on as many kept-alive connections as that takes. */
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { EventCounter, MessageReader } from "./wire.ts";

export interface Answer {
  readonly status: number;
  /** Server-sent events in the body; 0 where it is no event stream. */
  readonly events: number;
  /** Pieces that the body arrived in. */
  readonly pieces: number;
  /** The body's beginning, where the status is not 200. */
  readonly excerpt: string;
}

interface Question {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

const maximumConnections = 2000;
const answerTimeoutMs = 30_000;

export class Client {
  readonly #question: Question;
  readonly #request: Buffer;
  readonly #idle: Connection[] = [];
  readonly #all = new Set<Connection>();

  constructor(question: Question) {
    this.#question = question;
    const headers = {
      host: `${question.host}:${question.port}`,
      "content-type": "application/json",
      "content-length": String(Buffer.byteLength(question.body)),
      ...question.headers,
    };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.#request = Buffer.from(`POST ${question.path} HTTP/1.1\r\n${lines.join("")}\r\n${question.body}`);
  }

  /** Opens connections before they are needed. */
  async connect(count: number): Promise<void> {
    const opened = Array.from({ length: count }, () => this.#open());
    await Promise.all(opened.map((connection) => connection.connected()));
    this.#idle.push(...opened);
  }

  /** Rejects where the connection fails, the answer is no HTTP, or it does not end within 30 s. */
  async ask(): Promise<Answer> {
    const connection = this.#idle.pop() ?? this.#open();
    try {
      const answer = await connection.ask(this.#request);
      this.#idle.push(connection);
      return answer;
    } catch (error) {
      this.#all.delete(connection);
      connection.close();
      throw error;
    }
  }

  close(): void {
    for (const connection of this.#all) connection.close();
  }

  #open(): Connection {
    if (this.#all.size >= maximumConnections) throw new Error(`${maximumConnections} requests wait for an answer`);
    const connection = new Connection(connect(this.#question.port, this.#question.host));
    this.#all.add(connection);
    return connection;
  }
}

class Connection {
  readonly #socket: Socket;
  readonly #reader: MessageReader;
  #settle: { resolve: (answer: Answer) => void; reject: (error: Error) => void } | undefined;
  #status = 0;
  #isEventStream = false;
  #events = new EventCounter();
  #pieces = 0;
  #excerpt = "";

  constructor(socket: Socket) {
    this.#socket = socket;
    this.#reader = new MessageReader({
      head: (head) => this.#begin(head),
      body: (part) => this.#continue(part),
      end: () => this.#finish(),
    });
    socket.setNoDelay(true);
    socket.setTimeout(answerTimeoutMs, () => this.#fail(new Error(`no answer within ${answerTimeoutMs} ms`)));
    socket.on("data", (bytes) => {
      try {
        this.#reader.read(bytes);
      } catch (error) {
        this.#fail(error instanceof Error ? error : new Error(String(error)));
      }
    });
    socket.on("error", (error) => this.#fail(error));
    socket.on("close", () => this.#fail(new Error("the connection was closed")));
  }

  async connected(): Promise<void> {
    if (this.#socket.connecting) await once(this.#socket, "connect");
  }

  ask(request: Buffer): Promise<Answer> {
    if (this.#socket.destroyed) return Promise.reject(new Error("the connection was closed between two requests"));
    return new Promise((resolve, reject) => {
      this.#settle = { resolve, reject };
      this.#socket.write(request);
    });
  }

  close(): void {
    this.#socket.destroy();
  }

  #begin(head: string): void {
    this.#status = Number(head.slice(9, 12));
    this.#isEventStream = /\ncontent-type: *text\/event-stream/i.test(head);
    this.#events = new EventCounter();
    this.#pieces = 0;
    this.#excerpt = "";
  }

  #continue(part: Buffer): void {
    this.#pieces += 1;
    if (this.#isEventStream) this.#events.read(part);
    if (this.#status !== 200 && this.#excerpt.length < 500) this.#excerpt += part.toString("utf8", 0, 500);
  }

  #finish(): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.resolve({ status: this.#status, events: this.#events.count, pieces: this.#pieces, excerpt: this.#excerpt });
  }

  #fail(error: Error): void {
    const settle = this.#settle;
    this.#settle = undefined;
    settle?.reject(error);
    this.#socket.destroy();
  }
}
