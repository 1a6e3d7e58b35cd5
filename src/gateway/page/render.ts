import { escapeHtml } from "../../base/index.ts";
import { type PageFile, securityHeaders } from "./files.ts";

/** What the page shows. Nothing in it belongs to a tenant: sums over all of them at most. */
export interface PageStatus {
  readonly version: string;
  readonly state: "ready" | "not ready" | "stopping";
  readonly site: { readonly name: string; readonly jurisdiction: string | null };
  readonly models: readonly PageModel[];
  readonly live: {
    /** Milliseconds since 1970 at which the numbers were read. */
    readonly atMs: number;
    /** Since the server started. */
    readonly requests: number;
    readonly inFlight: number;
    readonly outputTokens: number;
  };
}

export interface PageModel {
  readonly name: string;
  readonly ready: boolean;
  readonly contextTokens: number | null;
  /** Where it runs. */
  readonly places: readonly {
    readonly site: string;
    readonly jurisdiction: string | null;
    readonly engine: string;
  }[];
  /** Decimal strings per million tokens. */
  readonly price: {
    readonly currency: string;
    readonly inputPerMillion: string;
    readonly cachedInputPerMillion: string;
    readonly outputPerMillion: string;
  } | null;
}

/** A host header that may stand on the page: a name or an address, with a port. */
const hostPattern = /^([A-Za-z0-9.-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(:\d{1,5})?$/;

/** The page as it stands now; without a script it is all there, only its numbers stand still. */
export function renderPage(status: PageStatus, host: string | undefined): Omit<PageFile, "path"> {
  const address = host !== undefined && hostPattern.test(host) ? host : "localhost:8080";
  return {
    headers: { ...securityHeaders, "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
    body: document(status, `http://${address}`),
  };
}

function document(status: PageStatus, url: string): string {
  const { site, models, version } = status;
  const law = site.jurisdiction === null ? "no jurisdiction declared" : site.jurisdiction;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>Bailiwick · ${escapeHtml(site.name)}</title>
<link rel="icon" href="/page/icon.svg" type="image/svg+xml">
<link rel="stylesheet" href="/page/page.css">
<script src="/page/page.js" type="module"></script>
</head>
<body>
<header>
<p class="brand">Bailiwick</p>
<p class="site"><span class="label">Site</span> ${escapeHtml(site.name)} <span class="tag">${escapeHtml(law)}</span></p>
<p class="state" id="state" role="status" data-ready="${status.state === "ready"}">${stateText(status)}</p>
</header>
<main>
<section aria-labelledby="live">
<h2 id="live">Now</h2>
<dl class="numbers">
${number("Requests", "requests", String(status.live.requests), "since the start")}
${number("In flight", "in-flight", String(status.live.inFlight), "being answered")}
${number("Tokens per second", "rate", "–", "output, all models")}
${number("Output tokens", "tokens", String(status.live.outputTokens), "since the start")}
</dl>
</section>
<section aria-labelledby="models">
<h2 id="models">What runs, and what it costs</h2>
${models.length === 0 ? '<p class="empty">No model is served yet.</p>' : modelTable(models)}
</section>
<section aria-labelledby="call">
<h2 id="call">How to call it</h2>
<p>The OpenAI API, with a key of your project. Every answer names its receipt in the <code>bailiwick-receipt</code> header.</p>
<pre tabindex="0"><code>${escapeHtml(curlLine(url, models))}</code></pre>
</section>
</main>
<footer>
<p>Bailiwick ${escapeHtml(version)}</p>
<nav aria-label="Documents"><a href="/openapi.json">OpenAPI</a> <a href="/.well-known/bailiwick/keys">Receipt keys</a> <a href="/.well-known/bailiwick/jurisdiction">Jurisdiction</a> <a href="/readyz">Readiness</a></nav>
</footer>
</body>
</html>
`;
}

function number(label: string, id: string, value: string, note: string): string {
  return `<div><dt>${label}</dt><dd id="${id}">${value}</dd><dd class="note">${note}</dd></div>`;
}

function modelTable(models: readonly PageModel[]): string {
  const head = ["Model", "Runs on", "Where", "Context", "Input", "Cached", "Output"];
  const currencies = new Set(models.flatMap(({ price }) => (price === null ? [] : [price.currency])));
  const unit =
    currencies.size === 0
      ? ""
      : `<p class="note">Prices in ${escapeHtml([...currencies].join(", "))} per million tokens.</p>`;
  return `<div class="scroll" role="region" aria-labelledby="models" tabindex="0"><table>
<thead><tr>${head.map((name) => `<th scope="col">${name}</th>`).join("")}</tr></thead>
<tbody>
${models.map(modelRow).join("\n")}
</tbody>
</table></div>
${unit}`;
}

function modelRow(model: PageModel): string {
  const { name, price, places, contextTokens } = model;
  const unique = (texts: readonly string[]): string => escapeHtml([...new Set(texts)].join(", "));
  const where = places.map(({ site, jurisdiction }) => (jurisdiction === null ? site : `${site} (${jurisdiction})`));
  const cells: readonly [string, string][] = [
    ["Runs on", unique(places.map(({ engine }) => engine))],
    ["Where", unique(where)],
    ["Context", contextTokens === null ? "–" : contextTokens.toLocaleString("en")],
    ["Input", escapeHtml(price?.inputPerMillion ?? "–")],
    ["Cached", escapeHtml(price?.cachedInputPerMillion ?? "–")],
    ["Output", escapeHtml(price?.outputPerMillion ?? "–")],
  ];
  const rest = cells.map(([label, text]) => `<td data-label="${label}">${text}</td>`).join("");
  return `<tr data-model="${escapeHtml(name)}" data-ready="${model.ready}"><th scope="row">${escapeHtml(name)}<span class="tag">${model.ready ? "ready" : "not ready"}</span></th>${rest}</tr>`;
}

function curlLine(url: string, models: readonly PageModel[]): string {
  const model = models.find(({ ready }) => ready)?.name ?? models[0]?.name ?? "MODEL";
  const body = JSON.stringify({ model, messages: [{ role: "user", content: "Say hello." }], stream: true });
  return [
    `curl ${url}/v1/chat/completions \\`,
    `  -H "authorization: Bearer $BAILIWICK_KEY" \\`,
    `  -H "content-type: application/json" \\`,
    `  -d '${body.replaceAll("'", String.raw`'\''`)}'`,
  ].join("\n");
}

function stateText({ state }: PageStatus): string {
  return state.charAt(0).toUpperCase() + state.slice(1);
}
