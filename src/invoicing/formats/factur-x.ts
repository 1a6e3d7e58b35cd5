/** How the CII lies in the PDF: Factur-X 1.0, section 6.2. */
export const facturXFile = {
  name: "factur-x.xml",
  type: "text/xml",
  relationship: "Alternative",
  description: "The invoice for machines",
} as const;

const namespace = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#";

const properties: readonly (readonly [name: string, value: string, description: string])[] = [
  ["DocumentFileName", facturXFile.name, "Name of the embedded XML invoice file"],
  ["DocumentType", "INVOICE", "INVOICE"],
  ["Version", "1.0", "Version of the Factur-X XML schema"],
  ["ConformanceLevel", "EN 16931", "Conformance level of the Factur-X data"],
];

/** Says in the PDF's metadata which file in it is the invoice, and what these words are (PDF/A-3, 6.6.2.3.3). */
export function describeFacturX(document: { appendXML(xml: string): void }): void {
  document.appendXML(`<rdf:Description rdf:about="" xmlns:fx="${namespace}">
${properties.map(([name, value]) => `<fx:${name}>${value}</fx:${name}>`).join("\n")}
</rdf:Description>
<rdf:Description rdf:about="" xmlns:pdfaExtension="http://www.aiim.org/pdfa/ns/extension/"
 xmlns:pdfaSchema="http://www.aiim.org/pdfa/ns/schema#" xmlns:pdfaProperty="http://www.aiim.org/pdfa/ns/property#">
<pdfaExtension:schemas><rdf:Bag><rdf:li rdf:parseType="Resource">
<pdfaSchema:schema>Factur-X PDFA Extension Schema</pdfaSchema:schema>
<pdfaSchema:namespaceURI>${namespace}</pdfaSchema:namespaceURI>
<pdfaSchema:prefix>fx</pdfaSchema:prefix>
<pdfaSchema:property><rdf:Seq>
${properties.map(propertyOf).join("\n")}
</rdf:Seq></pdfaSchema:property>
</rdf:li></rdf:Bag></pdfaExtension:schemas>
</rdf:Description>`);
}

function propertyOf([name, , description]: (typeof properties)[number]): string {
  return `<rdf:li rdf:parseType="Resource"><pdfaProperty:name>${name}</pdfaProperty:name>
<pdfaProperty:valueType>Text</pdfaProperty:valueType><pdfaProperty:category>external</pdfaProperty:category>
<pdfaProperty:description>${description}</pdfaProperty:description></rdf:li>`;
}
