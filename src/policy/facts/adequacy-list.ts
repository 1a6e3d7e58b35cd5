/** The date of this list; a decision's digest holds it. */
export const adequacyListVersion = "2026-10-08";

/** A finding that data is protected well enough at its destination (GDPR, Art. 45). */
export interface Adequacy {
  /** The group or country that found so. */
  readonly from: string;
  /** The country that was found so. */
  readonly to: string;
  readonly decidedOn: string;
  readonly source: string;
  /** The last day on which it holds. */
  readonly until?: string | undefined;
  /**
   * Where it covers some recipients only: the certificate by which an operator shows that it is one of them. Without
   * it in force the decision does not cover that operator.
   */
  readonly scheme?: string | undefined;
}

/**
 * The European Commission's decisions under Art. 45 GDPR, and those under Directive 95/46/EC that hold on by Art. 45(9).
 * Put together from the decisions, each with its CELEX number, and from what was reported of the Commission's page "Data
 * protection adequacy for non-EU countries". The decision about the European Patent Organisation, (EU) 2025/1382, is not here: an organisation is no
 * jurisdiction in which a site could stand. In Iceland, Liechtenstein and Norway a decision holds once the EEA Joint
 * Committee has taken it over.
 */
export const shippedAdequacy: readonly Adequacy[] = [
  decision("AD", "2010-10-19", "Decision 2010/625/EU", "32010D0625"),
  decision("AR", "2003-06-30", "Decision 2003/490/EC", "32003D0490"),
  decision("BR", "2026-01-26", "Implementing Decision (EU) 2026/179", "32026D0179"),
  // Recipients under the Personal Information Protection and Electronic Documents Act: commercial organisations.
  decision("CA", "2001-12-20", "Decision 2002/2/EC", "32002D0002", { scheme: "PIPEDA" }),
  decision("CH", "2000-07-26", "Decision 2000/518/EC", "32000D0518"),
  decision("FO", "2010-03-05", "Decision 2010/146/EU", "32010D0146"),
  // Renewed on 2025-12-19 for six years; the number of the renewal is to be looked up on the Commission's page.
  decision("GB", "2021-06-28", "Implementing Decision (EU) 2021/1772, as renewed on 2025-12-19", "32021D1772", {
    until: "2031-12-27",
  }),
  decision("GG", "2003-11-21", "Decision 2003/821/EC", "32003D0821"),
  decision("IL", "2011-01-31", "Decision 2011/61/EU", "32011D0061"),
  decision("IM", "2004-04-28", "Decision 2004/411/EC", "32004D0411"),
  decision("JE", "2008-05-08", "Decision 2008/393/EC", "32008D0393"),
  // Business operators under the Act on the Protection of Personal Information, with the Supplementary Rules.
  decision("JP", "2019-01-23", "Implementing Decision (EU) 2019/419", "32019D0419", { scheme: "APPI" }),
  decision("KR", "2021-12-17", "Implementing Decision (EU) 2022/254", "32022D0254"),
  decision("NZ", "2012-12-19", "Implementing Decision 2013/65/EU", "32013D0065"),
  // Organisations on the list of the EU-US Data Privacy Framework, which certify anew every year.
  decision("US", "2023-07-10", "Implementing Decision (EU) 2023/1795", "32023D1795", { scheme: "EU-US-DPF" }),
  decision("UY", "2012-08-21", "Implementing Decision 2012/484/EU", "32012D0484"),
];

/** Whether two name the same pair. The EU decides, and the EEA follows: as the origin of data they are one. */
export function isAbout(a: Pick<Adequacy, "from" | "to">, b: Pick<Adequacy, "from" | "to">): boolean {
  return a.to === b.to && origin(a.from) === origin(b.from);
}

function origin(from: string): string {
  return from === "EU" ? "EEA" : from;
}

function decision(
  to: string,
  decidedOn: string,
  title: string,
  celex: string,
  more: Pick<Adequacy, "until" | "scheme"> = {},
): Adequacy {
  const source = `${title}, https://eur-lex.europa.eu/legal-content/EN/TXT/?uri=CELEX:${celex}`;
  return { from: "EEA", to, decidedOn, source, ...more };
}
