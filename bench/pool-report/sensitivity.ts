import { defaultTuning, type Tuning } from "../../src/pool/index.ts";
import { acceleratorsCell } from "./cells.ts";
import { command, paragraph, section, table } from "./markdown.ts";
import { capacityName, capacityRow, type Scene, scenes } from "./matrix.ts";
import type { Results } from "./results.ts";
import type { CapacityRow } from "./row.ts";
import type { Extent } from "./workloads.ts";

/** One that is generated, and the quickest of the recorded ones. */
export const sensitivityScenes: readonly Scene[] = [
  scenes[0]!,
  scenes.find(({ title }) => title.startsWith("Azure conversation"))!,
];

const factors = { half: 0.5, double: 2 } as const;
type Factor = keyof typeof factors;
const factorNames = Object.keys(factors) as readonly Factor[];

type TunedNumber = {
  readonly [Name in keyof Tuning]: Tuning[Name] extends number ? Name : never;
}[keyof Tuning];

/** What share of the memory may be used is no number of a rule: half of it would be half of a device. */
export const tunedNumbers = (Object.keys(defaultTuning) as readonly (keyof Tuning)[]).filter(
  (name): name is TunedNumber => typeof defaultTuning[name] === "number" && name !== "memoryShare",
);

export function sensitivityName({ title }: Scene, name: TunedNumber, factor: Factor): string {
  return `sensitivity/${title}/${name}/${factor}`;
}

/** Ours with one number halved or doubled. */
export function sensitivityRows(extent: Extent): readonly CapacityRow[] {
  return sensitivityScenes.flatMap((scene) =>
    tunedNumbers.flatMap((name) =>
      factorNames.map((factor): CapacityRow => ({
        ...capacityRow(scene, "link", "ours", extent),
        name: sensitivityName(scene, name, factor),
        tuning: { [name]: defaultTuning[name] * factors[factor] },
      })),
    ),
  );
}

export function sensitivitySection(results: Results): string {
  const columns = sensitivityScenes.flatMap(({ title }) => factorNames.map((factor) => `${title}, ${factor}`));
  const asTheyAre = sensitivityScenes.flatMap((scene) => {
    const cell = acceleratorsCell(results, capacityName(scene, "link", "ours"), 0.99);
    return factorNames.map(() => cell);
  });
  const rows = tunedNumbers.map((name) => [
    name,
    String(defaultTuning[name]),
    ...sensitivityScenes.flatMap((scene) =>
      factorNames.map((factor) => acceleratorsCell(results, sensitivityName(scene, name, factor), 0.99)),
    ),
  ]);
  return section(
    "Sensitivity",
    paragraph(`Accelerators for 99 % of ours with one number of src/pool/tuning.ts halved or doubled, the others as they
      are.`),
    command("npm run report -- pool --traces DIR --only sensitivity/"),
    table(["number", "default", ...columns], [["none changed", "", ...asTheyAre], ...rows]),
  );
}
