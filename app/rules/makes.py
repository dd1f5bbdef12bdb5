"""World manufacturer identifiers: the brand for the first three characters of a VIN, if they identify one brand.

The tables leave out uncertain codes: makers of fewer than 1,000 vehicles a year (third character 9), codes of a country
or a company, and codes whose brand changed.
"""

# Codes of vehicles of at most 10,000 pounds, whose VINs determine the 30-year cycle of the model year (49 CFR 565.15).
LIGHT_BY_MAKE = {
    "Acura": "19U 19V 2HN 5J8 JH4",
    "Alfa Romeo": "ZAR ZAS",
    "Aston Martin": "SCF SD7",
    "Audi": "TRU WA1 WAU WUA",
    "BMW": "4US 5UX 5YM WBA WBS WBX WBY",
    "Bentley": "SCB SJA",
    "Buick": "1G4 2G4 5GA KL4 LRB",
    "Cadillac": "1G6 1GY 2G6 3GY",
    "Chevrolet": "1G1 1GC 1GN 2G1 2GC 2GN 3G1 3GC 3GN KL7 KL8",
    "Chrysler": "2A4 2A8 4C3",
    "Dodge": "1B3 1B4 1B7 1D4 1D8 2B3 2D4 2D8 3D4 4B3",
    "Ferrari": "ZFF",
    "Ford": "1FA 1FM 1FT 2FA 2FM 2FT 3FA 3FM 3FT MAJ NM0 WF0",
    "GMC": "1GK 1GT 2GK 2GT 3GK 3GT",
    "Honda": "19X 1HG 2HG 2HK 3CZ 3HG 5FN 5J6 5KB JHL JHM SHH",
    "Hummer": "5GN 5GR 5GT",
    "Hyundai": "5NP KM8 NLH TMA",
    "Infiniti": "JNK JNR",
    "Jaguar": "SAD SAJ",
    "Jeep": "1J4 1J8",
    "Kia": "3KP 5XX KNA KND U5Y",
    "Lamborghini": "ZHW ZPB",
    "Land Rover": "SAL",
    "Lexus": "2T2 58A JT6 JT8 JTH JTJ",
    "Lincoln": "1LN 2LM 2LN 3LN 5L1 5LM",
    "Lotus": "SCC",
    "Maserati": "ZAM ZN6",
    "Mazda": "1YV 3MZ 4F2 4F4 JM1 JM3 JMZ",
    "McLaren": "SBM",
    "Mercedes-Benz": "4JG 55S W1K W1N WDC WDD",
    "Mercury": "1ME 2ME 3ME 4M2",
    "Mini": "WMW",
    "Mitsubishi": "4A3 4A4 JA3 JA4 JMB",
    "Nissan": "1N4 1N6 3N1 3N8 SJN",
    "Oldsmobile": "1G3",
    "Peugeot": "VF3",
    "Plymouth": "1P3",
    "Pontiac": "1G2 1GM 2G2 3G2 6G2",
    "Porsche": "WP0 WP1",
    "Rivian": "7FC 7PD",
    "Rolls-Royce": "SCA",
    "Saab": "YS3",
    "Saturn": "1G8 5GZ",
    "Škoda": "TMB",
    "Smart": "WME",
    "Subaru": "4S3 4S4 JF2",
    "Suzuki": "JS2 JS3 TSM",
    "Tesla": "5YJ 7G2 7SA LRW XP7",
    "Toyota": "2T1 2T3 3TM 4T1 4T3 4T4 5TB 5TD 5TE 5TF 5YF JT2 JT3 JT4 JTD JTE NMT SB1",
    "Volkswagen": "1V2 1VW 3VV 3VW 9BW WVG WVW",
    "Volvo": "7JR LVY YV1 YV4",
}
# Codes of light vehicles that several brands share: Chrysler, Dodge, Jeep, Ram and Fiat; Nissan and Infiniti; Hyundai,
# Genesis and Kia; Subaru, Toyota and Scion; Mazda and Toyota.
SHARED = "1C3 1C4 1C6 2C3 2C4 3C3 3C4 ZAC 5N1 JN1 JN8 5NM KMH KMT KMU 5XY JF1 JTK JTL JTM JTN 3MY"
# Codes of motorcycles, and of trucks that may be heavier.
OTHERS_BY_MAKE = {
    "Chevrolet": "1GB",
    "Ford": "1FC 1FD",
    "GMC": "1GD",
    "Harley-Davidson": "1HD 5HD",
    "Mercedes-Benz": "WDB",
    "Volkswagen": "WV1 WV2",
}

MAKES = {
    code: make for table in (LIGHT_BY_MAKE, OTHERS_BY_MAKE) for make, codes in table.items() for code in codes.split()
}
LIGHT = frozenset(SHARED.split()).union(*(codes.split() for codes in LIGHT_BY_MAKE.values()))
