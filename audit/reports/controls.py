"""Which places in standards each report speaks to: references for whoever assesses, never claims. Pure data."""

from __future__ import annotations

from audit.reports.model import Control

SOC_CC6_1 = Control("SOC 2", "CC6.1", "Logical access security over protected information assets.")
SOC_CC6_2 = Control("SOC 2", "CC6.2", "Credentials are issued to authorised users and removed when access ends.")
SOC_CC6_3 = Control(
    "SOC 2",
    "CC6.3",
    "Access is authorised, changed and removed by role, with least privilege and segregation of duties.",
)
SOC_CC7_2 = Control("SOC 2", "CC7.2", "System components are monitored for anomalies, which are analysed.")
SOC_CC7_3 = Control("SOC 2", "CC7.3", "Security events are evaluated for whether they are incidents.")
SOC_CC8_1 = Control(
    "SOC 2",
    "CC8.1",
    "Changes to infrastructure, data, software and procedures are authorised, documented and approved.",
)
ISO_LOGGING = Control(
    "ISO/IEC 27001:2022",
    "A.8.15",
    "Logs of activities, exceptions and events are produced, stored, protected and analysed.",
)
ISO_PRIVILEGED = Control("ISO/IEC 27001:2022", "A.8.2", "Privileged access rights are restricted and managed.")
ISO_MASKING = Control(
    "ISO/IEC 27001:2022", "A.8.11", "Data are masked in line with access control and legal requirements."
)
ISO_DUTIES = Control("ISO/IEC 27001:2022", "A.5.3", "Conflicting duties and areas of responsibility are segregated.")
ISO_CHANGE = Control("ISO/IEC 27001:2022", "A.8.32", "Changes follow change management procedures.")
PCI_ACCESS = Control("PCI DSS 4.0.1", "10.2.1.1", "Audit logs capture all individual user access to cardholder data.")
PCI_ADMIN = Control(
    "PCI DSS 4.0.1", "10.2.1.2", "Audit logs capture all actions by individuals with administrative access."
)
PCI_INVALID = Control("PCI DSS 4.0.1", "10.2.1.4", "Audit logs capture all invalid logical access attempts.")
PCI_CREDENTIALS = Control(
    "PCI DSS 4.0.1", "10.2.1.5", "Audit logs capture changes to identification and authentication credentials."
)
PCI_PROTECTED = Control(
    "PCI DSS 4.0.1", "10.3", "Audit logs are protected from destruction and unauthorised modification."
)
PCI_CHANGE = Control(
    "PCI DSS 4.0.1", "6.5.1", "Changes to production components have a documented reason, impact, approval and tests."
)
HIPAA_AUDIT = Control(
    "HIPAA",
    "45 CFR 164.312(b)",
    "Mechanisms record and examine activity in systems that hold electronic health information.",
)
HIPAA_INTEGRITY = Control(
    "HIPAA",
    "45 CFR 164.312(c)(1)",
    "Electronic health information is protected from improper alteration or destruction.",
)
GDPR_RECORDS = Control(
    "GDPR", "Art. 30", "Records of processing activities name purposes, categories of data and of recipients."
)
AI_LOGS = Control(
    "EU AI Act", "Art. 12", "High-risk AI systems allow events to be recorded automatically over their lifetime."
)
AI_OVERSIGHT = Control("EU AI Act", "Art. 14", "High-risk AI systems can be overseen effectively by natural persons.")

CONTROLS: dict[str, tuple[Control, ...]] = {
    "sensitive-data": (
        SOC_CC6_1, SOC_CC7_2, ISO_LOGGING, ISO_MASKING, PCI_ACCESS, HIPAA_AUDIT, GDPR_RECORDS, AI_LOGS,
    ),
    "privileged": (
        SOC_CC6_2, SOC_CC6_3, SOC_CC7_2, SOC_CC7_3, ISO_LOGGING, ISO_PRIVILEGED, PCI_ADMIN, PCI_INVALID, PCI_CREDENTIALS,
        HIPAA_AUDIT, AI_LOGS,
    ),
    "approvals": (SOC_CC6_3, SOC_CC8_1, ISO_DUTIES, ISO_CHANGE, PCI_CHANGE, HIPAA_AUDIT, AI_LOGS, AI_OVERSIGHT),
    "policy-changes": (SOC_CC6_3, SOC_CC8_1, ISO_LOGGING, ISO_CHANGE, PCI_ADMIN, HIPAA_AUDIT, GDPR_RECORDS),
    "integrity": (SOC_CC7_2, ISO_LOGGING, PCI_PROTECTED, HIPAA_AUDIT, HIPAA_INTEGRITY, AI_LOGS),
}  # fmt: skip
FRAMING = (
    "These are references for whoever assesses: places in standards that ask about what this report shows. They are no"
    " claim that a control is met, which also depends on what an organisation does elsewhere."
)
