import { mkdir, writeFile } from "node:fs/promises";
import { bundles } from "./bundle.ts";

/** The last step of `npm run build`: what browsers get, beside what Node runs. */
const folder = new URL("../../dist/browser/", import.meta.url);
const { fetch, verifier, page } = await bundles();
await mkdir(folder, { recursive: true });
await writeFile(new URL("fetch.js", folder), fetch);
await writeFile(new URL("verifier.js", folder), verifier);
await writeFile(new URL("verify.html", folder), page);
