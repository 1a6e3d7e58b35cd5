/** Where a value stands in a document, for people: `models[2].name`, `tiers["a b"]`. */
export function memberPath(path: readonly PropertyKey[]): string {
  let text = "";
  for (const step of path) {
    const name = String(step).slice(0, 100);
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[A-Za-z][A-Za-z0-9-]*$/.test(name)) text += `[${JSON.stringify(name)}]`;
    else text += text === "" ? name : `.${name}`;
  }
  return text;
}
