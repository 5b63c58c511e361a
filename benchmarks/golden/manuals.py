"""Made-up documents in English, full of the jargon of their trade."""

from __future__ import annotations

from benchmarks.golden.model import Code, Heading, Items, Paragraph, Story, Table

PUMP = Story(
    "pump",
    "Overhaul of the KX-40 metering pump",
    "en",
    (
        Heading("Overhaul of the KX-40 metering pump", 1),
        Paragraph(
            "This instruction covers the plunger, the packing gland and the relief valve of the KX-40 family. It "
            "replaces circular 17-B; work begun under the circular is finished under it.",
            "Circular 17-B stays in force for pumps whose serial number begins with HV.",
        ),
        Heading("Before you begin", 2),
        Items(
            (
                "Lock out the starter and tag it with form 208.",
                "Bleed the discharge line to below 0.5 bar.",
                "Drain the crankcase while the oil is warm, at about 45 °C.",
            ),
            ordered=True,
        ),
        Paragraph(
            "A pump that has metered hypochlorite is flushed with demineralised water for twenty minutes. Skipping the "
            "flush embrittles the lantern ring, and the gland will weep within a week."
        ),
        Heading("Plunger and packing", 2),
        Heading("Wear limits", 3),
        Paragraph("Measure the plunger at three heights and take the smallest reading."),
        Table(
            (
                ("Part", "New", "Reject at", "Gauge"),
                ("Plunger, chromed", "40.00 mm", "39.88 mm", "MG-3"),
                ("Lantern ring", "6.50 mm", "6.15 mm", "MG-1"),
                ("Gland follower", "12.0 mm", "11.6 mm", ""),
                ("Crosshead pin", "22.00 mm", "21.93 mm", "MG-3"),
            ),
            "Table 1: Wear limits of the wet end",
        ),
        Heading("Repacking", 3),
        Paragraph(
            "Cut five rings of braided aramid at an angle of 45 degrees and stagger the joints by 90 degrees. Tighten "
            "the follower finger-tight only; the final torque is set under pressure.",
            "Over-tightened packing burns within minutes and scores the chrome.",
        ),
        Heading("Relief valve", 2),
        Paragraph(
            "Set the cracking pressure to 1.1 times the working pressure, but never above 96 bar. The reseat pressure "
            "must not fall below 84 % of the setting."
        ),
        Items(("Spring grey: 10 to 40 bar", "Spring ochre: 35 to 70 bar", "Spring violet: 65 to 96 bar")),
    ),
)

TRIAL = Story(
    "trial",
    "Protocol ZEPHYR-2 of the study drug velorastat",
    "en",
    (
        Heading("Protocol ZEPHYR-2 of the study drug velorastat", 1),
        Paragraph(
            "A randomised, double-blind, dose-ranging study in adults with steroid-refractory alveolitis. The primary "
            "endpoint is the change of forced vital capacity at week 24."
        ),
        Heading("Eligibility", 2),
        Items(
            (
                "Age 18 to 75 years at consent",
                "DLCO between 30 % and 79 % of predicted",
                "No exacerbation within the 28 days before screening",
                "QTcF of at most 450 ms on two tracings",
            )
        ),
        Heading("Schedule of assessments", 2),
        Table(
            (
                ("Assessment", "Screening", "Treatment", None, None, "Follow-up"),
                (None, "Day -28", "Week 1", "Week 12", "Week 24", "Week 28"),
                ("Informed consent", "X", "", "", "", ""),
                ("Spirometry", "X", "X", "X", "X", "X"),
                ("Troponin T", "X", "", "X", "X", ""),
                ("PK sampling", "", "pre-dose", "0.5, 1, 2 h", "pre-dose", ""),
            ),
            "Table 2: Visits and assessments",
            header_rows=2,
        ),
        Heading("Dose modification", 2),
        Paragraph(
            "Velorastat is withheld at the first grade 3 transaminase elevation and resumed at half the dose once the "
            "value is below 2.5 times the upper limit of normal.",
            "Hy's law cases are reported as serious within 24 hours.",
        ),
        Table(
            (
                ("Arm", "Loading dose", "Maintenance", "Patients"),
                ("A", "200 mg", "50 mg twice daily", "64"),
                ("B", "200 mg", "100 mg twice daily", "66"),
                ("C", "placebo", "placebo", "65"),
            ),
            "Table 3: Arms of the study",
        ),
        Paragraph("Unblinding needs the written consent of the medical monitor and is recorded on form UB-1."),
    ),
)

SUPPLY = Story(
    "supply",
    "Framework agreement on the supply of bearing steel",
    "en",
    (
        Heading("Framework agreement on the supply of bearing steel", 1),
        Paragraph(
            "Between Ostrava Rolling Works (the Supplier) and Merrow Bearings Limited (the Buyer), made on "
            "3 March 2025."
        ),
        Heading("1 Definitions", 2),
        Paragraph(
            "Heat means one melt of one furnace, identified by the heat number on the mill certificate. Call-off means "
            "a written order under this agreement that names a grade, a quantity and a delivery window."
        ),
        Heading("2 Price and adjustment", 2),
        Paragraph(
            "Prices are in euro per tonne, delivered at place, and follow the alloy surcharge of the month before "
            "dispatch.",
            "The surcharge is capped at 18.5 % of the base price.",
        ),
        Table(
            (
                ("Grade", "Base price", "Minimum lot", "Discount from 500 t"),
                ("100Cr6", "€ 1,284.50", "25 t", "2.5 %"),
                ("100CrMnSi6-4", "€ 1,391.00", "25 t", "2.0 %"),
                ("X108CrMo17", "€ 3,047.75", "5 t", "none"),
            ),
            "Schedule A: Prices",
        ),
        Heading("3 Liability", 2),
        Paragraph(
            "Neither party is liable for indirect loss. The aggregate liability of the Supplier in a contract year is "
            "limited to € 2,500,000, save for wilful default."
        ),
        Heading("3.1 Non-conforming heats", 3),
        Items(
            (
                "The Buyer notifies a defect within ten working days of discovery.",
                "The Supplier replaces or credits the heat at its choice.",
                "Cut or machined bar is credited at its value as scrap.",
            )
        ),
        Heading("4 Governing law", 2),
        Paragraph("This agreement is governed by the law of the Czech Republic; the seat of arbitration is Vienna."),
    ),
)

RAN = Story(
    "ran",
    "Radio link supervision in the Larkspur access network",
    "en",
    (
        Heading("Radio link supervision in the Larkspur access network", 1),
        Heading("Scope", 2),
        Paragraph(
            "This specification defines how a terminal detects radio link failure and which counters and timers the "
            "base station configures by dedicated signalling."
        ),
        Heading("Timers and counters", 2),
        Paragraph("A value that is not signalled takes its default. Timer L310 runs only in connected mode."),
        Table(
            (
                ("Name", "Started by", "Stopped by", "Default"),
                ("L300", "Connection request", "Connection setup", "1000 ms"),
                ("L301", "Re-establishment request", "Re-establishment", "600 ms"),
                ("L310", "N310 out-of-sync indications", "N311 in-sync indications", "2000 ms"),
                ("L311", "Start of cell selection", "Suitable cell found", "10000 ms"),
                ("N310", "", "", "6"),
                ("N311", "", "", "2"),
            ),
            "Table 4: Timers and counters of link supervision",
        ),
        Heading("Procedure", 2),
        Items(
            (
                "On expiry of L310 the terminal suspends all bearers but the signalling bearer.",
                "It starts L311 and selects a cell by the stored-information method.",
                "On success it sends the re-establishment request with its short integrity code.",
            ),
            ordered=True,
        ),
        Heading("Configuration", 3),
        Code("link-supervision:\n  l310: 2000\n  n310: 6\n  bearers: [srb1, srb2]"),
        Paragraph(
            "The key lpm-guard widens every timer by one eighth during handover between layers.",
            "Terminals of release 3 ignore lpm-guard.",
        ),
    ),
)

DRONE = Story(
    "drone",
    "Ordinance on unmanned cargo flight",
    "en",
    (
        Heading("Ordinance on unmanned cargo flight", 1),
        Heading("Part I General", 2),
        Heading("Section 1 Purpose", 3),
        Paragraph("This Ordinance governs the carriage of goods by unmanned aircraft below flight level 45."),
        Heading("Section 2 Interpretation", 3),
        Paragraph(
            "Corridor means airspace that the Authority has designated under section 7. Payload means everything "
            "carried that is not needed for flight."
        ),
        Heading("Part II Operation", 2),
        Heading("Section 7 Corridors", 3),
        Paragraph(
            "The Authority designates a corridor by notice in the Gazette, stating its lateral limits, its hours and "
            "the noise category admitted.",
            "Inserted by the Amending Ordinance of 2024.",
        ),
        Table(
            (
                ("Category", "Noise at 60 m", "Hours admitted"),
                ("N1", "below 52 dB(A)", "00:00 to 24:00"),
                ("N2", "52 to 63 dB(A)", "06:00 to 22:00"),
                ("N3", "above 63 dB(A)", "09:00 to 17:00"),
            ),
            "Schedule 1: Noise categories",
        ),
        Heading("Section 8 Offences", 3),
        Paragraph(
            "A person who operates outside a corridor commits an offence and is liable to a fine not exceeding level 4 "
            "on the standard scale."
        ),
    ),
)

CRYO = Story(
    "cryo",
    "Cryostat commissioning log of beamline 9",
    "en",
    (
        Heading("Cryostat commissioning log of beamline 9", 1),
        Paragraph(
            "The superconducting undulator was cooled three times between April and June. Each cycle ended in a quench "
            "at a lower current than the one before, until the current leads were re-clamped."
        ),
        Heading("Observations", 2),
        Paragraph(
            "During the second cycle the helium return line iced over, although the shield had settled at 63 kelvin. A "
            "thermoacoustic oscillation at 11 hertz was found in the fill tube, and it vanished with a piston damper. "
            "Instrumentation drift was excluded by exchanging the Cernox sensors."
        ),
        Paragraph(
            "The magnetisation loop of the third cycle is symmetric to within one part in two thousand. Persistent "
            "currents decay logarithmically, so that a waiting time of forty minutes before each measurement is "
            "sufficient for reproducibility at the level of a microtesla."
        ),
        Heading("Consequences", 2),
        Paragraph(
            "Ramp rates above 0.8 amperes per second stay forbidden. The interlock compares the voltage of both coil "
            "halves with a threshold of 120 millivolts and a validation time of 15 milliseconds."
        ),
        Paragraph(
            "Recommissioning after a warm-up begins with a leak test of the insulation vacuum. A leak rate above "
            "two times ten to the minus nine millibar litres per second is unacceptable."
        ),
    ),
)

STORIES = {story.name: story for story in (PUMP, TRIAL, SUPPLY, RAN, DRONE, CRYO)}
