/** The pages' whole style: no font, picture or script is fetched; on paper it is A4. */
export const style = `
:root { color-scheme: light; --ink: #16202b; --quiet: #55616d; --line: #c9d1d9; --tint: #f3f5f7; --accent: #0b5c8a; }
* { box-sizing: border-box; }
body { margin: 0 auto; padding: 2rem 1.5rem 4rem; max-width: 62rem; color: var(--ink); background: #fff;
  font: 15px/1.5 system-ui, "Segoe UI", "Noto Sans", "Liberation Sans", Arial, sans-serif; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: 0 0 .4rem; }
h2 { font-size: 1.2rem; margin: 2.2rem 0 .6rem; border-bottom: 2px solid var(--ink); padding-bottom: .2rem; }
h3 { font-size: 1rem; margin: 1.2rem 0 .3rem; }
p { margin: .4rem 0; }
.summary { font-size: 1.1rem; font-weight: 600; }
.note, .quiet { color: var(--quiet); }
.aid { border-left: 4px solid var(--accent); background: var(--tint); padding: .5rem .8rem; margin: .8rem 0; }
dl.about { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; margin: .8rem 0; font-size: .9rem; }
dl.about dt { color: var(--quiet); }
dl.about dd { margin: 0; overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; margin: .6rem 0 1rem; font-size: .9rem; }
caption { text-align: left; font-weight: 600; padding: .3rem 0; }
th, td { text-align: left; vertical-align: top; padding: .35rem .5rem; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; min-width: 5.5em; }
th { overflow-wrap: normal; }
thead th { background: var(--tint); border-bottom: 2px solid var(--line); }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; }
ul { margin: .2rem 0; padding-left: 1.1rem; }
article { break-inside: avoid; border-bottom: 1px solid var(--line); padding: .3rem 0 .7rem; }
.status { display: inline-block; min-width: 5.2rem; padding: 0 .45rem; border: 1px solid currentColor; border-radius: .2rem;
  font-size: .8rem; text-align: center; }
.computed { color: #0a5a3c; font-weight: 700; }
.attested { color: #0b4f86; }
.open { color: #6b4700; border-style: dashed; }
figure { margin: .6rem 0; }
figure svg { max-width: 100%; height: auto; }
footer { margin-top: 2.5rem; border-top: 1px solid var(--line); padding-top: .6rem; color: var(--quiet); font-size: .85rem; }
@page { size: A4; margin: 16mm 14mm 18mm; }
@media print {
  body { padding: 0; max-width: none; font-size: 10pt; }
  h2, h3 { break-after: avoid; }
  tr, article, figure, .aid { break-inside: avoid; }
  thead { display: table-header-group; }
  .aid, thead th { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
}
`;
