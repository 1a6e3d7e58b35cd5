import type { Recorded } from "./live-state.ts";
import type { Fact } from "./evidence.ts";
import { measured } from "./evidence.ts";
import { intellectualProperty, keys, location, models, subcontractors, transparency } from "./rules/data.ts";
import { open, type Outcome } from "./rules/finding.ts";
import { computing, dependency, exportControls, manufacture, origin } from "./rules/hardware.ts";
import { accessPaths, capital, control, foreignLaw, jurisdiction, operation } from "./rules/law.ts";
import { certificates, energy, interfaces, openSource } from "./rules/technology.ts";
import { nameOf, type Scene } from "./scene.ts";

type Look = (scene: Scene, recorded: Recorded) => Outcome;

/** What live state says to each criterion that it can say something to. */
const looks: Readonly<Record<string, Look>> = {
  "SOV-1.1": control,
  "SOV-1.4": capital,
  "SOV-1.8": cutOff,
  "SOV-2.1": jurisdiction,
  "SOV-2.2": foreignLaw,
  "SOV-2.3": accessPaths,
  "SOV-2.4": exportControls,
  "SOV-2.5": intellectualProperty,
  "SOV-3.1": keys,
  "SOV-3.2": transparency,
  "SOV-3.3": erasure,
  "SOV-3.4": location,
  "SOV-3.5": models,
  "SOV-4.2": operation,
  "SOV-4.6": subcontractors,
  "SOV-5.1": origin,
  "SOV-5.2": manufacture,
  "SOV-5.6": dependency,
  "SOV-6.1": interfaces,
  "SOV-6.3": openSource,
  "SOV-6.5": computing,
  "SOV-7.1": certificates,
  "SOV-7.4": logs,
  "SOV-8.4": energy,
};

/** What live state says to a criterion by its id. */
export function lookAt(id: string, scene: Scene, recorded: Recorded): Outcome {
  return looks[id]?.(scene, recorded) ?? open();
}

/** Models that a host here serves go on without anybody's leave; one that an upstream alone serves does not. */
function cutOff(scene: Scene): Outcome {
  const evidence = measured(scene.state.atMs);
  return open(
    scene.models.map((model): Fact => {
      const places = scene.destinations.filter(({ destination }) =>
        destination.models.some(({ name }) => name === model),
      );
      const isHere = places.some(({ destination }) => destination.kind === "host");
      const where = isHere
        ? "its weights are on a host here"
        : `it is answered by ${places.map(nameOf).join(", ")} alone`;
      return { text: `model ${model}: ${where}`, evidence };
    }),
  );
}

function erasure({ state }: Scene): Outcome {
  const evidence = measured(state.atMs);
  const kept = state.keeping.content ? "can be kept where a project asks for it" : "are not kept beyond their request";
  return open([
    { text: `prompts and answers ${kept}`, evidence },
    { text: "erasing a project's digest key makes the digests in its receipts unlinkable", evidence },
  ]);
}

function logs({ state }: Scene): Outcome {
  const text = `the transparency log of receipts is ${state.log.state}; it tells of requests, not of security events`;
  return open([{ text, evidence: measured(state.atMs) }]);
}
