import { readdir } from "node:fs/promises";
import { join } from "node:path";

/** The default model, which `npm start` pulls. */
export const benchModel = "smollm2-135m-instruct";

/** Where a data folder has its models. */
export function modelsFolderOf(dataFolder: string): string {
  return join(dataFolder, "models");
}

/** The file of the bench's model in a data folder; the error says what was looked for, and what brings it there. */
export async function modelFileIn(dataFolder: string): Promise<string> {
  const folder = join(modelsFolderOf(dataFolder), benchModel);
  const file = (await readdir(folder).catch(() => [])).find((name) => name.endsWith(".gguf"));
  if (file !== undefined) return join(folder, file);
  throw new Error(
    `no ${benchModel} is in ${folder} (a file that ends in .gguf was looked for). Name the data folder that has it with ` +
      `--data DIR, or pull it with \`npx bailiwick model pull ${benchModel} --data ${dataFolder}\``,
  );
}
