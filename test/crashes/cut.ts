import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import type { EmbeddedConnection } from "../../src/store/index.ts";
import { Messages } from "./messages.ts";

/** Which statement is the last one: it is not sent any more, or it is run, and nobody hears what came of it. */
export interface Cut {
  /** From 1 on, over all connections since `cutAt` was called. */
  readonly statement: number;
  readonly moment: "before" | "after";
  /** Who dies: PostgreSQL comes back, a process does not, and whatever it has left connects no more. */
  readonly who: "process" | "database";
}

/** Parse, Bind, Describe, Execute, Close: what a Sync then runs. */
const prepares = new Set(["P", "B", "D", "E", "C"]);
/** Query, Sync. */
const runs = new Set(["Q", "S"]);
const readyForQuery = "Z";

/**
 * A process's way to PostgreSQL, which can be cut at any of its statements: all its connections end at once, as they do when either
 * side is killed.
 */
export class Way {
  readonly #server: Server;
  readonly #to: EmbeddedConnection;
  readonly #clients = new Set<Socket>();
  /** PostgreSQL closes a connection once it has ended what it ran for it. */
  readonly #backends = new Set<Promise<unknown>>();
  #over: Promise<unknown> = Promise.resolve();
  #cut: Cut | undefined;
  #statements = 0;

  private constructor(to: EmbeddedConnection) {
    this.#to = to;
    this.#server = createServer((client) => void this.#join(client));
  }

  static async to(connection: EmbeddedConnection): Promise<Way> {
    const way = new Way(connection);
    way.#server.listen(0, "127.0.0.1");
    await once(way.#server, "listening");
    return way;
  }

  get connection(): EmbeddedConnection {
    const address = this.#server.address();
    if (address === null || typeof address === "string") throw new Error("the way to PostgreSQL is closed");
    return { ...this.#to, host: "127.0.0.1", port: address.port };
  }

  /** Statements since the last cut was asked for. */
  get statements(): number {
    return this.#statements;
  }

  /** undefined: counts alone. */
  cutAt(cut: Cut | undefined): void {
    this.#statements = 0;
    this.#cut = cut;
  }

  /** Resolves once nothing of what was cut goes on in PostgreSQL: its transaction is rolled back, its locks are free. */
  over(): Promise<unknown> {
    return this.#over;
  }

  async close(): Promise<void> {
    this.#server.close();
    this.#endAll();
    await this.over();
  }

  async #join(client: Socket): Promise<void> {
    this.#clients.add(client);
    client.once("close", () => this.#clients.delete(client));
    client.on("error", () => undefined); // It is cut while it writes.
    // A PostgreSQL that comes back has ended all that it ran.
    await this.over();
    if (client.destroyed) return;
    const { host, port } = this.#to;
    const backend = connect(join(host, `.s.PGSQL.${port}`));
    const ended = new Promise<void>((resolve) => backend.once("close", () => resolve()));
    this.#backends.add(ended);
    void ended.then(() => this.#backends.delete(ended));
    backend.on("error", () => undefined); // The same; it closes all the same.
    client.once("close", () => backend.end());
    backend.once("close", () => client.destroy());
    this.#pass(client, backend);
  }

  #pass(client: Socket, backend: Socket): void {
    let isLast = false;
    const asked = new Messages({ hasStart: true });
    let group: Buffer[] = [];
    client.on("data", (bytes: Buffer) => {
      for (const message of asked.take(bytes)) {
        group.push(message.bytes);
        // What is prepared is run with its Sync; before it nothing is.
        if (prepares.has(message.type)) continue;
        if (runs.has(message.type)) {
          this.#statements += 1;
          isLast = this.#statements === this.#cut?.statement;
          if (isLast && this.#cut?.moment === "before") return this.#end();
        }
        backend.write(Buffer.concat(group));
        group = [];
      }
    });
    const answered = new Messages({ hasStart: false });
    backend.on("data", (bytes: Buffer) => {
      const isDone = answered.take(bytes).some(({ type }) => type === readyForQuery);
      if (!isLast) client.write(bytes);
      else if (isDone) this.#end();
    });
  }

  #end(): void {
    if (this.#cut?.who === "process") this.#server.close();
    this.#cut = undefined;
    this.#endAll();
  }

  #endAll(): void {
    for (const client of this.#clients) client.destroy();
    this.#over = Promise.all(this.#backends);
  }
}
