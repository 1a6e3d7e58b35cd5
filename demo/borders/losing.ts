/** A site is lost while it answers: what becomes of streams, of what nobody has seen yet, and of what comes next. */
import { control, eventsOf } from "../../test/end-to-end/asking.ts";
import { eventually, pause } from "../../test/end-to-end/cloud.ts";
import { hostIs } from "../../test/end-to-end/sites.ts";
import { type Question, send, type Sent } from "./asking.ts";
import type { Access, Borders } from "./cloud.ts";
import type { SiteName } from "./facts.ts";

const lost: SiteName = "fr";
/** How far the stream is when its site dies. */
const eventsBefore = 10;
/** Two fill the site elsewhere, and what comes when it has said so goes to the one that is to be lost; more are for chance. */
const unseenMax = 16;
/** Hosts say every second how soon they can begin. */
const saidAfterMs = 1_200;

/** The fake engine takes its length from the question, and as long to read it as it is told to. */
const contents = {
  stream: "Write a very long story about a river. [[fake:tokens=400]] [[fake:token-ms=20]]",
  unseen: "Write a long story about a ship. [[fake:slow-prefill=2000]] [[fake:tokens=5]]",
};

/** Kills the site in France under a stream of a tenant that may be nowhere else, and under one that may. */
export async function loseSite(borders: Borders): Promise<readonly Sent[]> {
  const { tenants, cloud } = borders;
  const [clinic, hospital] = [accessOf(tenants, "clinic"), accessOf(tenants, "hospital")];
  let events = 0;
  const onPart = (text: string): void => void (events = eventsOf(text).length);
  const step = "its only site dies under its stream";
  const told = { access: clinic, step, stream: true, tokens: 1_500, content: contents.stream, onPart } as const;
  const stream = send(borders, { ...told, expected: "broken-off" });
  await eventually("the stream", () => events >= eventsBefore);
  const unseen = await sendUntilThere(borders, {
    access: hospital,
    step: "what nobody has seen goes on elsewhere",
    content: contents.unseen,
    tokens: 160,
  });
  const machine = borders.machineAt(lost);
  await machine.kill();
  await hostIs(cloud, machine.host, "away");
  const meanwhile = [
    await send(borders, { access: clinic, step: "its only site is away", expected: "refused" }),
    await send(borders, { access: hospital, step: "one of its sites is away", permitted: ["de"] }),
  ];
  const moved = (await Promise.all(unseen)).map((each) => ({ ...each, permitted: ["de"] as const }));
  await borders.restart(lost);
  const back = await send(borders, { access: clinic, step: "its site is back" });
  return [await stream, ...moved, ...meanwhile, back];
}

/** Whole answers, until one of them is computed where the stream is. */
async function sendUntilThere(borders: Borders, question: Question): Promise<readonly Promise<Sent>[]> {
  const sent: Promise<Sent>[] = [];
  const isThere = async (): Promise<boolean> => (await runningAt(borders, lost)) >= 2;
  while (sent.length < unseenMax) {
    sent.push(send(borders, question));
    if (await within(sent.length < 2 ? 100 : saidAfterMs, isThere)) return sent;
  }
  throw new Error(`nothing but the stream runs at ${lost}`);
}

/** Whether something comes true in that time: what runs may be over before one looks again. */
async function within(ms: number, holds: () => Promise<boolean>): Promise<boolean> {
  for (const endMs = performance.now() + ms; performance.now() < endMs; await pause(50)) if (await holds()) return true;
  return holds();
}

interface Destination {
  readonly site: { readonly name: string };
  readonly running: number;
}

async function runningAt({ cloud }: Borders, site: SiteName): Promise<number> {
  const { items } = await control<{ items: readonly Destination[] }>(cloud, "GET", "/destinations");
  return items.find((each) => each.site.name === site)?.running ?? 0;
}

function accessOf(tenants: readonly Access[], name: string): Access {
  const found = tenants.find(({ tenant }) => tenant.name === name);
  if (found === undefined) throw new Error(`there is no tenant ${name}`);
  return found;
}
