import { readFileSync } from "node:fs";

/** A file of the page, whole, with the headers that it is sent with. */
export interface PageFile {
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** What every answer of the page says to browsers: its own files and nothing else, in nobody's frame. */
export const securityHeaders: Readonly<Record<string, string>> = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

/** What a document that stands alone is sent with: its style is in it, and nothing is fetched or run. */
export const documentHeaders: Readonly<Record<string, string>> = {
  ...securityHeaders,
  "content-security-policy":
    "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "content-type": "text/html; charset=utf-8",
  "cache-control": "no-store",
};

const contentTypes = {
  "page.css": "text/css; charset=utf-8",
  "page.js": "text/javascript; charset=utf-8",
  "icon.svg": "image/svg+xml",
} as const;

/** The page's style, script and icon, below /page. */
export function pageFiles(): readonly PageFile[] {
  return Object.entries(contentTypes).map(([name, contentType]) => ({
    path: `/page/${name}`,
    headers: { ...securityHeaders, "content-type": contentType, "cache-control": "no-cache" },
    body: readFileSync(new URL(`./static/${name}`, import.meta.url), "utf8"),
  }));
}
