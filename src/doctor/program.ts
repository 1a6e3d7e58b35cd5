import { resolve } from "node:path";
import type { Finding } from "./report.ts";
import type { DoctorWorld, FileKind, ServingProgram } from "./world.ts";

/** Where the C library looks for programs where no PATH says it. */
const usualPath = "/usr/bin:/bin";
const setting = "the first element of engine.server.command";

/** Whether the program is there and may be run, found as its start would find it. It is not started. */
export async function checkProgram(program: ServingProgram, world: DoctorWorld): Promise<Finding> {
  const { kind, command, environment } = program;
  const [name = ""] = command;
  if (/\{\w+\}/.test(name)) {
    const detail = `${kind}: ${name} is another program for each model, and was not looked for`;
    return { name: "engine", status: "unknown", detail };
  }
  const searched = environment["PATH"] ?? world.environment["PATH"] ?? usualPath;
  const places = name.includes("/") ? [""] : searched.split(":");
  const paths = places.map((place) => resolve(world.currentFolder, place, name));
  const looked = await Promise.all(paths.map(async (path) => ({ path, is: await world.fileAt(path) })));
  const found = looked.find(({ is }) => is === "program");
  if (found === undefined) {
    const near = looked.find(({ is }) => is !== "absent");
    const { detail, next } = near === undefined ? absence(name, searched) : hindrance(near);
    return { name: "engine", status: "problem", detail: `${kind}: ${detail}`, next };
  }
  const isRelative = name.includes("/") && found.path !== name;
  const from = isRelative ? ", seen from this folder: `up` has to be started in it, too" : "";
  return { name: "engine", status: "ok", detail: `${kind}: ${found.path}${from}` };
}

interface Fault {
  readonly detail: string;
  readonly next: string;
}

function absence(name: string, searched: string): Fault {
  if (name.includes("/")) return { detail: `there is no ${name}`, next: `Install it there, or correct ${setting}.` };
  const next =
    `Install it, or write its whole path as ${setting}. It is looked for on the PATH that \`up\` is started with, ` +
    `unless engine.server.environment has one.`;
  return { detail: `no ${name} on the PATH (${searched})`, next };
}

function hindrance({ path, is }: { readonly path: string; readonly is: FileKind }): Fault {
  if (is === "folder") return { detail: `${path} is a folder`, next: `Name the program in it as ${setting}.` };
  return {
    detail: `${path} may not be run by this user`,
    next: `Make it executable (chmod +x), run as a user who may, or name another program as ${setting}.`,
  };
}
