import { escapeHtml } from "../../base/index.ts";

/** HTML that is safe to stand in a page: made by `html` alone. */
export class Markup {
  readonly text: string;

  constructor(text: string) {
    this.text = text;
  }
}

type Value = string | number | Markup | null | undefined | false | readonly Value[];

/**
 * A template whose values are escaped, whatever they hold: texts and values of attributes in double quotes. Only what
 * another `html` has made goes through as it is. null, undefined and false are nothing.
 */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return new Markup(texts.map((text, at) => text + (at < values.length ? shown(values[at]) : "")).join(""));
}

function shown(value: Value): string {
  if (value === null || value === undefined || value === false) return "";
  if (value instanceof Markup) return value.text;
  if (typeof value === "object") return value.map(shown).join("");
  return escapeHtml(String(value));
}
