/** A list or an object that the walk is in, and where in it. */
interface Level {
  readonly isList: boolean;
  step: string | number;
}

/**
 * The line, from 1, where a value of a JSON text begins, by the way to it: ["data", 3]. The text is known to be JSON;
 * the last line that the way reaches, where it leads nowhere.
 */
export function lineOfElement(text: string, steps: readonly (string | number)[]): number {
  const levels: Level[] = [];
  let line = 1;
  let reached = 1;
  let isKey = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at]!;
    if (character === "\n") line++;
    if (/[\s:]/.test(character)) {
      if (character === ":") isKey = false;
      continue;
    }
    if (character === "]" || character === "}") levels.pop();
    else if (character === ",") {
      const level = levels.at(-1)!;
      if (level.isList) (level.step as number)++;
      isKey = !level.isList;
    } else if (isKey) {
      const end = endOfString(text, at);
      levels.at(-1)!.step = JSON.parse(text.slice(at, end)) as string;
      at = end - 1;
      isKey = false;
    } else {
      const depth = levels.findIndex(({ step }, index) => step !== steps[index]);
      if (depth === -1 && levels.length <= steps.length) reached = line;
      if (depth === -1 && levels.length === steps.length) return line;
      if (character === "[" || character === "{") {
        levels.push({ isList: character === "[", step: character === "[" ? 0 : "" });
        isKey = character === "{";
      } else at = (character === '"' ? endOfString(text, at) : endOfWord(text, at)) - 1;
    }
  }
  return reached;
}

function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === "\\" ? 2 : 1;
  return at + 1;
}

function endOfWord(text: string, from: number): number {
  let at = from;
  while (at < text.length && !/[\s,\]}]/.test(text[at]!)) at++;
  return at;
}
