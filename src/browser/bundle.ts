import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { build as esbuild, type Plugin } from "esbuild";

/** What browsers get, as texts. */
export interface Bundles {
  /** The wrapper for `fetch`, as a module. */
  readonly fetch: string;
  /** The verifier, as a script that defines `bailiwick`. */
  readonly verifier: string;
  /** A page with that script in it. */
  readonly page: string;
}

const source = new URL("..", import.meta.url).pathname;
const at = (path: string): string => new URL(path, import.meta.url).pathname;

export async function bundles(): Promise<Bundles> {
  const [fetch, verifier] = await Promise.all([bundle("../fetch/index.ts", "esm"), bundle("./verifier.ts", "iife")]);
  const page = await readFile(at("./verify.html"), "utf8");
  // A function, as in a text of the replacement "$" has a meaning.
  return { fetch, verifier, page: page.replace("/* verifier */", () => verifier.replaceAll("</script", "<\\/script")) };
}

async function bundle(entry: string, format: "esm" | "iife"): Promise<string> {
  const { outputFiles, metafile } = await esbuild({
    entryPoints: [at(entry)],
    bundle: true,
    format,
    ...(format === "iife" ? { globalName: "bailiwick" } : {}),
    platform: "browser",
    target: "es2022",
    write: false,
    metafile: true,
    legalComments: "inline",
    inject: [at("./buffer.ts")],
    logLevel: "silent",
    plugins: [ourFoldersAreApart],
  });
  const needed = Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
  if (needed.length > 0) throw new Error(`a bundle for browsers asks for ${needed.join(", ")}`);
  return outputFiles[0]!.text;
}

/**
 * A folder's index.ts names all that it has, servers' parts among it. Nothing of ours does anything by being there, so that
 * what nobody uses is left out, and what Node has goes with it.
 */
const ourFoldersAreApart: Plugin = {
  name: "our folders are apart",
  setup(build) {
    build.onResolve({ filter: /^\.\.?\// }, ({ path, resolveDir, kind }) =>
      kind === "import-statement" && resolveDir.startsWith(source)
        ? { path: join(resolveDir, path), sideEffects: false }
        : undefined,
    );
    build.onResolve({ filter: /^node:/ }, ({ path }) =>
      path === "node:crypto" ? { path: at("./node-crypto.ts") } : { path, external: true, sideEffects: false },
    );
  },
};
