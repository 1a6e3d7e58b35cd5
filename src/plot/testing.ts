import assert from "node:assert/strict";

/** An element of an SVG file, as far as tests look. */
export interface Element {
  readonly name: string;
  readonly attributes: ReadonlyMap<string, string>;
  readonly children: readonly Element[];
  readonly text: string;
}

type Open = Omit<Element, "children" | "text"> & { children: Element[]; text: string };

/** Reads SVG as XML would be read: what is not closed, or closed by another name, fails. */
export function readSvg(svg: string): Element {
  const root: Open = { name: "", attributes: new Map(), children: [], text: "" };
  const open = [root];
  for (const [, closing, name, attributes = "", single, text] of svg.matchAll(
    /<(\/?)([\w:]+)((?:\s+[\w:-]+="[^"<]*")*)\s*(\/?)>|([^<]+|<)/g,
  )) {
    if (text !== undefined) {
      assert.notEqual(text, "<", "a tag that is none");
      open.at(-1)!.text += text;
    } else if (closing === "/") assert.equal(open.pop()!.name, name);
    else {
      const element: Open = { name: name!, attributes: attributesOf(attributes), children: [], text: "" };
      open.at(-1)!.children.push(element);
      if (single !== "/") open.push(element);
    }
  }
  assert.equal(open.length, 1, "everything is closed");
  const [svgElement, ...more] = root.children;
  assert.deepEqual([svgElement?.name, more.length], ["svg", 0]);
  return svgElement!;
}

function attributesOf(text: string): ReadonlyMap<string, string> {
  return new Map([...text.matchAll(/([\w:-]+)="([^"]*)"/g)].map(([, name, value]) => [name!, value!]));
}

/** What is drawn by the marks of that name: one child each, but of lines that are several. */
export function marksOf(svg: Element, name: string): readonly Element[] {
  const isNamed = (element: Element): boolean =>
    (element.attributes.get("class") ?? "").split(" ").includes(`${name.replaceAll("-", "_")}_marks`);
  return everyElement(svg)
    .filter(isNamed)
    .flatMap(({ children }) => children);
}

/** All words, in the order in which they are drawn. */
export function wordsOf(svg: Element): readonly string[] {
  return everyElement(svg).flatMap(({ name, text }) => (name === "text" || name === "tspan" ? [text] : []));
}

function everyElement(element: Element): readonly Element[] {
  return [element, ...element.children.flatMap(everyElement)];
}
