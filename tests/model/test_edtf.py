"""What is read as a date, what it means, how it is said, and what is refused and why."""

# ruff: noqa: E501  (a golden case is one line)

import calendar
import contextlib
import io
import re
import subprocess
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from typing import get_args

import pytest
from edtf_strategies import (
    canonical,
    component_qualified,
    days,
    months,
    plain,
    points,
    qualifiers,
    unspecified,
    years,
)
from hypothesis import example, given, settings
from hypothesis import strategies as st

from timeline.errors import InvalidValue
from timeline.model import edtf_words
from timeline.model.edtf import Occurred, Precision, _edtf_package, numbers, parse, phrase, sortable

# --- golden vectors -----------------------------------------------------------------------
# input | canonical EDTF (= as the input) | from | to (= as from) | precision | year | month | phrase

GOLDEN = """
# Level 0
2025 | = | 2025-01-01 | 2025-12-31 | year | 2025 | - | 2025
2025-04 | = | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | April 2025
2025-04-15 | = | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
2024-02-29 | = | 2024-02-29 | = | day | 2024 | 2024-02 | 29 February 2024
2025-12 | = | 2025-12-01 | 2025-12-31 | month | 2025 | 2025-12 | December 2025
2000-02 | = | 2000-02-01 | 2000-02-29 | month | 2000 | 2000-02 | February 2000
1900-02 | = | 1900-02-01 | 1900-02-28 | month | 1900 | 1900-02 | February 1900
0000 | = | 0000-01-01 | 0000-12-31 | year | 0 | - | 1 BC
0000-02-29 | = | 0000-02-29 | = | day | 0 | 0000-02 | 29 February 1 BC
0001 | = | 0001-01-01 | 0001-12-31 | year | 1 | - | 1 AD
0987 | = | 0987-01-01 | 0987-12-31 | year | 987 | - | 987 AD
0987-05-07 | = | 0987-05-07 | = | day | 987 | 0987-05 | 7 May 987 AD
9999 | = | 9999-01-01 | 9999-12-31 | year | 9999 | - | 9999
-0001 | = | -999999999999-01-01 | -999999999999-12-31 | year | -1 | - | 2 BC
-0043 | = | -999999999957-01-01 | -999999999957-12-31 | year | -43 | - | 44 BC
-0043-03-15 | = | -999999999957-03-15 | = | day | -43 | - | 15 March 44 BC
-0044-02 | = | -999999999956-02-01 | -999999999956-02-29 | month | -44 | - | February 45 BC
-9999-12-31 | = | -999999990001-12-31 | = | day | -9999 | - | 31 December 10000 BC
# Times
2025-04-15T10:15:30 | = | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30
2025-04-15T10:15:30Z | = | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30 UTC
2025-04-15T10:15:30+02:00 | = | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30 +02:00
2025-04-15T10:15:30-05:30 | = | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30 -05:30
2025-04-15T23:59:59+14:00 | = | 2025-04-15T23:59:59 | = | second | 2025 | 2025-04 | 15 April 2025, 23:59:59 +14:00
2025-04-15T10:15 | = | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15
2025-04-15T10:15Z | = | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
2025-04-15T10:15+02 | = | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 +02
2025-04-15T00:00 | = | 2025-04-15T00:00:00 | 2025-04-15T00:00:59 | minute | 2025 | 2025-04 | 15 April 2025, 00:00
2025-04-15T10 | = | 2025-04-15T10:00:00 | 2025-04-15T10:59:59 | hour | 2025 | 2025-04 | 15 April 2025, in the 10:00 hour
2025-04-15T10+02:00 | = | 2025-04-15T10:00:00 | 2025-04-15T10:59:59 | hour | 2025 | 2025-04 | 15 April 2025, in the 10:00 hour +02:00
-0043-03-15T12:00 | = | -999999999957-03-15T12:00:00 | -999999999957-03-15T12:00:59 | minute | -43 | - | 15 March 44 BC, 12:00
# Parts of a year
2025-21 | = | 2025-03-01 | 2025-05-31 | season | 2025 | - | spring 2025
2025-22 | = | 2025-06-01 | 2025-08-31 | season | 2025 | - | summer 2025
2025-23 | = | 2025-09-01 | 2025-11-30 | season | 2025 | - | autumn 2025
2025-24 | = | 2025-12-01 | 2026-02-28 | season | - | - | winter 2025
2023-24 | = | 2023-12-01 | 2024-02-29 | season | - | - | winter 2023
2025-25 | = | 2025-03-01 | 2025-05-31 | season | 2025 | - | spring 2025 (northern)
2025-26 | = | 2025-06-01 | 2025-08-31 | season | 2025 | - | summer 2025 (northern)
2025-27 | = | 2025-09-01 | 2025-11-30 | season | 2025 | - | autumn 2025 (northern)
2025-28 | = | 2025-12-01 | 2026-02-28 | season | - | - | winter 2025 (northern)
2025-29 | = | 2025-09-01 | 2025-11-30 | season | 2025 | - | spring 2025 (southern)
2025-30 | = | 2025-12-01 | 2026-02-28 | season | - | - | summer 2025 (southern)
2025-31 | = | 2025-03-01 | 2025-05-31 | season | 2025 | - | autumn 2025 (southern)
2025-32 | = | 2025-06-01 | 2025-08-31 | season | 2025 | - | winter 2025 (southern)
2025-33 | = | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
2025-34 | = | 2025-04-01 | 2025-06-30 | quarter | 2025 | - | second quarter of 2025
2025-35 | = | 2025-07-01 | 2025-09-30 | quarter | 2025 | - | third quarter of 2025
2025-36 | = | 2025-10-01 | 2025-12-31 | quarter | 2025 | - | fourth quarter of 2025
2025-40 | = | 2025-01-01 | 2025-06-30 | half_year | 2025 | - | first half of 2025
2025-41 | = | 2025-07-01 | 2025-12-31 | half_year | 2025 | - | second half of 2025
-0043-21 | = | -999999999957-03-01 | -999999999957-05-31 | season | -43 | - | spring 44 BC
-0001-24 | = | -999999999999-12-01 | 0000-02-29 | season | - | - | winter 2 BC
9999-24 | = | 9999-12-01 | Y000000010000-02-29 | season | - | - | winter 9999
# Unspecified digits
202X | = | 2020-01-01 | 2029-12-31 | decade | - | - | 2020s
200X | = | 2000-01-01 | 2009-12-31 | decade | - | - | 2000s (decade)
20XX | = | 2000-01-01 | 2099-12-31 | century | - | - | 2000s (century)
012X | = | 0120-01-01 | 0129-12-31 | decade | - | - | decade from 120 AD to 129 AD (012X)
01XX | = | 0100-01-01 | 0199-12-31 | century | - | - | century from 100 AD to 199 AD (01XX)
000X | = | 0000-01-01 | 0009-12-31 | decade | - | - | decade from 1 BC to 9 AD (000X)
00XX | = | 0000-01-01 | 0099-12-31 | century | - | - | century from 1 BC to 99 AD (00XX)
-012X | = | -999999999871-01-01 | -999999999880-12-31 | decade | - | - | decade from 130 BC to 121 BC (-012X)
-01XX | = | -999999999801-01-01 | -999999999900-12-31 | century | - | - | century from 200 BC to 101 BC (-01XX)
-000X | = | -999999999991-01-01 | -999999999999-12-31 | decade | - | - | decade from 10 BC to 2 BC (-000X)
-00XX | = | -999999999901-01-01 | -999999999999-12-31 | century | - | - | century from 100 BC to 2 BC (-00XX)
2025-04-XX | = | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | some day in April 2025
2024-02-XX | = | 2024-02-01 | 2024-02-29 | month | 2024 | 2024-02 | some day in February 2024
2025-XX | = | 2025-01-01 | 2025-12-31 | year | 2025 | - | some month in 2025
2025-XX-XX | = | 2025-01-01 | 2025-12-31 | year | 2025 | - | some day in 2025
-0043-XX | = | -999999999957-01-01 | -999999999957-12-31 | year | -43 | - | some month in 44 BC
# Long years
Y17000 | = | Y000000017000-01-01 | Y000000017000-12-31 | year | 17000 | - | 17000 AD
Y-17000 | = | -999999983000-01-01 | -999999983000-12-31 | year | -17000 | - | 17001 BC
Y170000002 | = | Y000170000002-01-01 | Y000170000002-12-31 | year | 170000002 | - | 170000002 AD
Y-170000002 | = | -999829999998-01-01 | -999829999998-12-31 | year | -170000002 | - | 170000003 BC
Y999999999999 | = | Y999999999999-01-01 | Y999999999999-12-31 | year | 999999999999 | - | 999999999999 AD
Y-999999999999 | = | -000000000001-01-01 | -000000000001-12-31 | year | -999999999999 | - | 1000000000000 BC
Y17E7 | = | Y000170000000-01-01 | Y000170000000-12-31 | year | 170000000 | - | 170000000 AD (Y17E7)
Y-17E7 | = | -999830000000-01-01 | -999830000000-12-31 | year | -170000000 | - | 170000001 BC (Y-17E7)
Y2E3 | = | 2000-01-01 | 2000-12-31 | year | 2000 | - | 2000 (Y2E3)
# Significant digits
1950S2 | = | 1900-01-01 | 1999-12-31 | century | - | - | year 1950 to 2 significant digits (1950S2)
1950S3 | = | 1950-01-01 | 1959-12-31 | decade | - | - | year 1950 to 3 significant digits (1950S3)
1950S4 | = | 1950-01-01 | 1950-12-31 | year | 1950 | - | year 1950 to 4 significant digits (1950S4)
-1950S2 | = | -999999998001-01-01 | -999999998100-12-31 | century | - | - | year -1950 to 2 significant digits (-1950S2)
Y171010000S3 | = | Y000171000000-01-01 | Y000171999999-12-31 | interval | - | - | year 171010000 to 3 significant digits (Y171010000S3)
Y-171010000S3 | = | -999828000001-01-01 | -999829000000-12-31 | interval | - | - | year -171010000 to 3 significant digits (Y-171010000S3)
Y3388E2S3 | = | Y000000338000-01-01 | Y000000338999-12-31 | interval | - | - | year 338800 to 3 significant digits (Y3388E2S3)
Y12345S5 | = | Y000000012345-01-01 | Y000000012345-12-31 | year | 12345 | - | year 12345 to 5 significant digits (Y12345S5)
# Qualifiers
2025? | = | 2025-01-01 | 2025-12-31 | year | 2025 | - | possibly 2025
2025-04~ | = | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | around April 2025
2025-04-15% | = | 2025-04-15 | = | day | 2025 | 2025-04 | possibly around 15 April 2025
202X~ | = | 2020-01-01 | 2029-12-31 | decade | - | - | around the 2020s
20XX? | = | 2000-01-01 | 2099-12-31 | century | - | - | possibly the 2000s (century)
2025-33~ | = | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | around the first quarter of 2025
2025-24? | = | 2025-12-01 | 2026-02-28 | season | - | - | possibly winter 2025
2025-40~ | = | 2025-01-01 | 2025-06-30 | half_year | 2025 | - | around the first half of 2025
2025-XX? | = | 2025-01-01 | 2025-12-31 | year | 2025 | - | possibly some month in 2025
2025-04-XX~ | = | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | around some day in April 2025
Y17000~ | = | Y000000017000-01-01 | Y000000017000-12-31 | year | 17000 | - | around 17000 AD
1950S2? | = | 1900-01-01 | 1999-12-31 | century | - | - | possibly year 1950 to 2 significant digits (1950S2)
012X~ | = | 0120-01-01 | 0129-12-31 | decade | - | - | around the decade from 120 AD to 129 AD (012X)
2004-06~-11 | = | 2004-06-11 | = | day | 2004 | 2004-06 | around 11 June 2004 (2004-06~-11)
2004?-06-11 | = | 2004-06-11 | = | day | 2004 | 2004-06 | possibly 11 June 2004 (2004?-06-11)
2004?-06 | = | 2004-06-01 | 2004-06-30 | month | 2004 | 2004-06 | possibly June 2004 (2004?-06)
?2004-06-~11 | = | 2004-06-11 | = | day | 2004 | 2004-06 | possibly around 11 June 2004 (?2004-06-~11)
2004-%06-11 | = | 2004-06-11 | = | day | 2004 | 2004-06 | possibly around 11 June 2004 (2004-%06-11)
?2004 | = | 2004-01-01 | 2004-12-31 | year | 2004 | - | possibly 2004 (?2004)
%2004-06-11 | = | 2004-06-11 | = | day | 2004 | 2004-06 | possibly around 11 June 2004 (%2004-06-11)
# Intervals
2025-03-11/2025-03-25 | = | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
2025-03-11/2025-04-25 | = | 2025-03-11 | 2025-04-25 | interval | 2025 | - | 11 March to 25 April 2025
2024-12-30/2025-01-02 | = | 2024-12-30 | 2025-01-02 | interval | - | - | 30 December 2024 to 2 January 2025
2025-02/2025-04 | = | 2025-02-01 | 2025-04-30 | interval | 2025 | - | February to April 2025
2024-12/2025-01 | = | 2024-12-01 | 2025-01-31 | interval | - | - | December 2024 to January 2025
2024/2025 | = | 2024-01-01 | 2025-12-31 | interval | - | - | 2024 to 2025
2025-04-15/2025-04 | = | 2025-04-15 | 2025-04-30 | interval | 2025 | 2025-04 | 15 April 2025 to April 2025
2025-04-15/2025 | = | 2025-04-15 | 2025-12-31 | interval | 2025 | - | 15 April 2025 to 2025
2025/2025-03 | = | 2025-01-01 | 2025-03-31 | interval | 2025 | - | 2025 to March 2025
2025-04-15/2025-04-15 | = | 2025-04-15 | = | interval | 2025 | 2025-04 | 15 April 2025 to 15 April 2025
2025-33/2025-34 | = | 2025-01-01 | 2025-06-30 | interval | 2025 | - | first to second quarter of 2025
2024-36/2025-33 | = | 2024-10-01 | 2025-03-31 | interval | - | - | fourth quarter of 2024 to first quarter of 2025
2025-21/2025-22 | = | 2025-03-01 | 2025-08-31 | interval | 2025 | - | spring to summer 2025
2025-24/2025-24 | = | 2025-12-01 | 2026-02-28 | interval | - | - | winter 2025 to winter 2025
202X/203X | = | 2020-01-01 | 2039-12-31 | interval | - | - | 2020s to 2030s
19XX/20XX | = | 1900-01-01 | 2099-12-31 | interval | - | - | 1900s (century) to 2000s (century)
2025-04-15?/2025-05~ | = | 2025-04-15 | 2025-05-31 | interval | 2025 | - | possibly 15 April 2025 to around May 2025
2004-06~-11/2005 | = | 2004-06-11 | 2005-12-31 | interval | - | - | around 11 June 2004 (2004-06~-11) to 2005
-0043/0001 | = | -999999999957-01-01 | 0001-12-31 | interval | - | - | 44 BC to 1 AD
Y17000/Y18000 | = | Y000000017000-01-01 | Y000000018000-12-31 | interval | - | - | 17000 AD to 18000 AD
1950S2/1960 | = | 1900-01-01 | 1960-12-31 | interval | - | - | year 1950 to 2 significant digits (1950S2) to 1960
1960/Y17000S2 | = | 1960-01-01 | Y000000017999-12-31 | interval | - | - | 1960 to year 17000 to 2 significant digits (Y17000S2)
2025-04-15T10:15/2025-04-15T11:30 | = | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 11:30
2025-04-15T10:15Z/2025-04-15T11:30Z | = | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 11:30 UTC
2025-04-15T10:15Z/2025-04-15T11:30 | = | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 UTC to 15 April 2025, 11:30
2025-08-14T20:00/2025-08-15T00:00 | = | 2025-08-14T20:00:00 | 2025-08-14T23:59:59 | interval | 2025 | 2025-08 | 14 August 2025, 20:00 to 15 August 2025, 00:00
2025-08-14T10:00:00/2025-08-14T11:00:00 | = | 2025-08-14T10:00:00 | 2025-08-14T11:00:00 | interval | 2025 | 2025-08 | 14 August 2025, 10:00:00 to 11:00:00
2025-04-15T10:15/2025-04-15T10:15 | = | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 15 April 2025, 10:15
2025-04-15T10/2025-04-15T12 | = | 2025-04-15T10:00:00 | 2025-04-15T12:59:59 | interval | 2025 | 2025-04 | 15 April 2025, in the 10:00 to 12:00 hours
2025-04-15T22:00/2025-04-16T02:00 | = | 2025-04-15T22:00:00 | 2025-04-16T02:00:00 | interval | 2025 | 2025-04 | 15 April 2025, 22:00 to 16 April 2025, 02:00
2025-04-15T10:15/2025-04-15 | = | 2025-04-15T10:15:00 | 2025-04-15T23:59:59 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 15 April 2025
2025-04-15/2025-04-15T10:15 | = | 2025-04-15 | 2025-04-15T10:15:00 | interval | 2025 | 2025-04 | 15 April 2025 to 15 April 2025, 10:15
2025-04-15T10:15/2025-04 | = | 2025-04-15T10:15:00 | 2025-04-30 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to April 2025
2025-04-15T10:15+02:00/2025-04-15T10:15+01:00 | = | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 +02:00 to 15 April 2025, 10:15 +01:00
# Open and unknown ends
../2025-04-15 | = | - | 2025-04-15 | open | - | - | by 15 April 2025
2025-02-17/.. | = | 2025-02-17 | - | open | - | - | 17 February 2025 or later
/2025-04-15 | = | - | 2025-04-15 | open | - | - | until 15 April 2025, start unknown
2025-04-15/ | = | 2025-04-15 | - | open | - | - | from 15 April 2025, end unknown
../.. | = | - | - | open | - | - | date unknown
../2025-33 | = | - | 2025-03-31 | open | - | - | by the first quarter of 2025
192X/.. | = | 1920-01-01 | - | open | - | - | 1920s or later
../2025-04~ | = | - | 2025-04-30 | open | - | - | by around April 2025
2004-06~-11/.. | = | 2004-06-11 | - | open | - | - | around 11 June 2004 (2004-06~-11) or later
../2025-04-15T10:15Z | = | - | 2025-04-15T10:15:59 | open | - | - | by 15 April 2025, 10:15 UTC
Y-17E7/ | = | -999830000000-01-01 | - | open | - | - | from 170000001 BC (Y-17E7), end unknown
/1950S2 | = | - | 1999-12-31 | open | - | - | until year 1950 to 2 significant digits (1950S2), start unknown
# Case and blanks
202x | 202X | 2020-01-01 | 2029-12-31 | decade | - | - | 2020s
2025-xx | 2025-XX | 2025-01-01 | 2025-12-31 | year | 2025 | - | some month in 2025
2025-04-15t10:15z | 2025-04-15T10:15Z | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
y-17e7 | Y-17E7 | -999830000000-01-01 | -999830000000-12-31 | year | -170000000 | - | 170000001 BC (Y-17E7)
1950s2 | 1950S2 | 1900-01-01 | 1999-12-31 | century | - | - | year 1950 to 2 significant digits (1950S2)
# Words
15 April 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
15 apr 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
15 Apr. 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
15  APRIL , 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
on 15 April 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
the 15th of April, 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
April 15, 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
April 15th 2025 | 2025-04-15 | 2025-04-15 | = | day | 2025 | 2025-04 | 15 April 2025
1 Sept 2025 | 2025-09-01 | 2025-09-01 | = | day | 2025 | 2025-09 | 1 September 2025
3 may 2025 | 2025-05-03 | 2025-05-03 | = | day | 2025 | 2025-05 | 3 May 2025
15 April 0987 | 0987-04-15 | 0987-04-15 | = | day | 987 | 0987-04 | 15 April 987 AD
15 April 987 AD | 0987-04-15 | 0987-04-15 | = | day | 987 | 0987-04 | 15 April 987 AD
April 2025 | 2025-04 | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | April 2025
in April 2025 | 2025-04 | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | April 2025
April of 2025 | 2025-04 | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | April 2025
AD 987 | 0987 | 0987-01-01 | 0987-12-31 | year | 987 | - | 987 AD
987 CE | 0987 | 0987-01-01 | 0987-12-31 | year | 987 | - | 987 AD
2025 AD | 2025 | 2025-01-01 | 2025-12-31 | year | 2025 | - | 2025
44 BC | -0043 | -999999999957-01-01 | -999999999957-12-31 | year | -43 | - | 44 BC
44 bce | -0043 | -999999999957-01-01 | -999999999957-12-31 | year | -43 | - | 44 BC
15 March 44 BC | -0043-03-15 | -999999999957-03-15 | = | day | -43 | - | 15 March 44 BC
17000 AD | Y17000 | Y000000017000-01-01 | Y000000017000-12-31 | year | 17000 | - | 17000 AD
17001 BC | Y-17000 | -999999983000-01-01 | -999999983000-12-31 | year | -17000 | - | 17001 BC
15 April 2025, 10:15 | 2025-04-15T10:15 | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15
15 April 2025, 9:15 | 2025-04-15T09:15 | 2025-04-15T09:15:00 | 2025-04-15T09:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 09:15
15 April 2025 at 10:15:30 | 2025-04-15T10:15:30 | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30
April 15, 2025, 10:15 UTC | 2025-04-15T10:15Z | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
10:15 UTC on 15 April 2025 | 2025-04-15T10:15Z | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
15 April 2025, 10:15 GMT | 2025-04-15T10:15Z | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
15 April 2025, 10:15Z | 2025-04-15T10:15Z | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 UTC
15 April 2025, 10:15 +02:00 | 2025-04-15T10:15+02:00 | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 +02:00
15 April 2025, 10:15+02:00 | 2025-04-15T10:15+02:00 | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 +02:00
15 April 2025, 10:15 UTC-05:00 | 2025-04-15T10:15-05:00 | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15 -05:00
2025-04-15 10:15 | 2025-04-15T10:15 | 2025-04-15T10:15:00 | 2025-04-15T10:15:59 | minute | 2025 | 2025-04 | 15 April 2025, 10:15
2025-04-15 10:15:30 UTC | 2025-04-15T10:15:30Z | 2025-04-15T10:15:30 | = | second | 2025 | 2025-04 | 15 April 2025, 10:15:30 UTC
15 April 2025, in the 10:00 hour | 2025-04-15T10 | 2025-04-15T10:00:00 | 2025-04-15T10:59:59 | hour | 2025 | 2025-04 | 15 April 2025, in the 10:00 hour
first quarter of 2025 | 2025-33 | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
the 1st quarter of 2025 | 2025-33 | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
Q1 2025 | 2025-33 | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
2025 Q1 | 2025-33 | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
2025-Q1 | 2025-33 | 2025-01-01 | 2025-03-31 | quarter | 2025 | - | first quarter of 2025
first half of 2025 | 2025-40 | 2025-01-01 | 2025-06-30 | half_year | 2025 | - | first half of 2025
H2 2025 | 2025-41 | 2025-07-01 | 2025-12-31 | half_year | 2025 | - | second half of 2025
2025 h2 | 2025-41 | 2025-07-01 | 2025-12-31 | half_year | 2025 | - | second half of 2025
spring 2025 | 2025-21 | 2025-03-01 | 2025-05-31 | season | 2025 | - | spring 2025
the spring of 2025 | 2025-21 | 2025-03-01 | 2025-05-31 | season | 2025 | - | spring 2025
fall 2025 | 2025-23 | 2025-09-01 | 2025-11-30 | season | 2025 | - | autumn 2025
winter 2025 | 2025-24 | 2025-12-01 | 2026-02-28 | season | - | - | winter 2025
summer 2025 (southern) | 2025-30 | 2025-12-01 | 2026-02-28 | season | - | - | summer 2025 (southern)
summer 2025 (northern) | 2025-26 | 2025-06-01 | 2025-08-31 | season | 2025 | - | summer 2025 (northern)
1920s | 192X | 1920-01-01 | 1929-12-31 | decade | - | - | 1920s
the 1920s | 192X | 1920-01-01 | 1929-12-31 | decade | - | - | 1920s
1920s (decade) | 192X | 1920-01-01 | 1929-12-31 | decade | - | - | 1920s
1900s (decade) | 190X | 1900-01-01 | 1909-12-31 | decade | - | - | 1900s (decade)
1900s (century) | 19XX | 1900-01-01 | 1999-12-31 | century | - | - | 1900s (century)
2000s (century) | 20XX | 2000-01-01 | 2099-12-31 | century | - | - | 2000s (century)
some day in April 2025 | 2025-04-XX | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | some day in April 2025
some month in 2025 | 2025-XX | 2025-01-01 | 2025-12-31 | year | 2025 | - | some month in 2025
some day in 2025 | 2025-XX-XX | 2025-01-01 | 2025-12-31 | year | 2025 | - | some day in 2025
around April 2025 | 2025-04~ | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | around April 2025
about April 2025 | 2025-04~ | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | around April 2025
circa 1950 | 1950~ | 1950-01-01 | 1950-12-31 | year | 1950 | - | around 1950
c. 1950 | 1950~ | 1950-01-01 | 1950-12-31 | year | 1950 | - | around 1950
ca. 1950 | 1950~ | 1950-01-01 | 1950-12-31 | year | 1950 | - | around 1950
around the 1920s | 192X~ | 1920-01-01 | 1929-12-31 | decade | - | - | around the 1920s
possibly April 2025 | 2025-04? | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | possibly April 2025
possibly around April 2025 | 2025-04% | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | possibly around April 2025
possibly about April 2025 | 2025-04% | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | possibly around April 2025
around 2025-04 | 2025-04~ | 2025-04-01 | 2025-04-30 | month | 2025 | 2025-04 | around April 2025
until 15 April 2025 | ../2025-04-15 | - | 2025-04-15 | open | - | - | by 15 April 2025
by April 15, 2025 | ../2025-04-15 | - | 2025-04-15 | open | - | - | by 15 April 2025
up to 2025-04-15 | ../2025-04-15 | - | 2025-04-15 | open | - | - | by 15 April 2025
since 17 February 2025 | 2025-02-17/.. | 2025-02-17 | - | open | - | - | 17 February 2025 or later
from 17 February 2025 | 2025-02-17/.. | 2025-02-17 | - | open | - | - | 17 February 2025 or later
from 17 February 2025 on | 2025-02-17/.. | 2025-02-17 | - | open | - | - | 17 February 2025 or later
from 17 February 2025 onwards | 2025-02-17/.. | 2025-02-17 | - | open | - | - | 17 February 2025 or later
until 15 April 2025, start unknown | /2025-04-15 | - | 2025-04-15 | open | - | - | until 15 April 2025, start unknown
from 15 April 2025, end unknown | 2025-04-15/ | 2025-04-15 | - | open | - | - | from 15 April 2025, end unknown
before 1960 | ../1959 | - | 1959-12-31 | open | - | - | by 1959
after 1960 | 1961/.. | 1961-01-01 | - | open | - | - | 1961 or later
1960 or earlier | ../1960 | - | 1960-12-31 | open | - | - | by 1960
1960 or later | 1960/.. | 1960-01-01 | - | open | - | - | 1960 or later
before 15 April 2025 | ../2025-04-14 | - | 2025-04-14 | open | - | - | by 14 April 2025
after 17 February 2025 | 2025-02-18/.. | 2025-02-18 | - | open | - | - | 18 February 2025 or later
date unknown | ../.. | - | - | open | - | - | date unknown
unknown | ../.. | - | - | open | - | - | date unknown
11 March 2025 to 25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
11 to 25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
11-25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
March 11 to 25, 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
March 11-25, 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
from 11 to 25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
between 11 and 25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
between 11 March 2025 and 25 March 2025 | 2025-03-11/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | 11 to 25 March 2025
11 March to 25 April 2025 | 2025-03-11/2025-04-25 | 2025-03-11 | 2025-04-25 | interval | 2025 | - | 11 March to 25 April 2025
March 11 to April 25, 2025 | 2025-03-11/2025-04-25 | 2025-03-11 | 2025-04-25 | interval | 2025 | - | 11 March to 25 April 2025
from 11 March 2025 to 25 April 2025 | 2025-03-11/2025-04-25 | 2025-03-11 | 2025-04-25 | interval | 2025 | - | 11 March to 25 April 2025
February to April 2025 | 2025-02/2025-04 | 2025-02-01 | 2025-04-30 | interval | 2025 | - | February to April 2025
Feb to Apr 2025 | 2025-02/2025-04 | 2025-02-01 | 2025-04-30 | interval | 2025 | - | February to April 2025
from December 2024 to January 2025 | 2024-12/2025-01 | 2024-12-01 | 2025-01-31 | interval | - | - | December 2024 to January 2025
2024 to 2025 | 2024/2025 | 2024-01-01 | 2025-12-31 | interval | - | - | 2024 to 2025
Q1 to Q3 2025 | 2025-33/2025-35 | 2025-01-01 | 2025-09-30 | interval | 2025 | - | first to third quarter of 2025
Q1-Q3 2025 | 2025-33/2025-35 | 2025-01-01 | 2025-09-30 | interval | 2025 | - | first to third quarter of 2025
Q4 2024 to Q1 2025 | 2024-36/2025-33 | 2024-10-01 | 2025-03-31 | interval | - | - | fourth quarter of 2024 to first quarter of 2025
first to third quarter of 2025 | 2025-33/2025-35 | 2025-01-01 | 2025-09-30 | interval | 2025 | - | first to third quarter of 2025
spring to autumn 2025 | 2025-21/2025-23 | 2025-03-01 | 2025-11-30 | interval | 2025 | - | spring to autumn 2025
the 1920s to the 1930s | 192X/193X | 1920-01-01 | 1939-12-31 | interval | - | - | 1920s to 1930s
44 BC to 1 AD | -0043/0001 | -999999999957-01-01 | 0001-12-31 | interval | - | - | 44 BC to 1 AD
around 11 March 2025 to 25 March 2025 | 2025-03-11~/2025-03-25 | 2025-03-11 | 2025-03-25 | interval | 2025 | 2025-03 | around 11 March 2025 to 25 March 2025
15 April 2025, 10:15 to 11:30 | 2025-04-15T10:15/2025-04-15T11:30 | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 11:30
15 April 2025, 10:15-11:30 | 2025-04-15T10:15/2025-04-15T11:30 | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 11:30
April 15, 2025, 10:15 to 11:30 UTC | 2025-04-15T10:15Z/2025-04-15T11:30Z | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 to 11:30 UTC
15 April 2025, 10:15 UTC to 15 April 2025, 11:30 | 2025-04-15T10:15Z/2025-04-15T11:30 | 2025-04-15T10:15:00 | 2025-04-15T11:30:00 | interval | 2025 | 2025-04 | 15 April 2025, 10:15 UTC to 15 April 2025, 11:30
2025-04-15 to 2025-05 | 2025-04-15/2025-05 | 2025-04-15 | 2025-05-31 | interval | 2025 | - | 15 April 2025 to May 2025
"""

HOLES = """
2025-XX-15 202X-04 156X-12-25 20XX-XX 20X5 2XXX -1XXX XXXX XXXX-XX 2025-1X 2025-04-1X 2025-04-X5
"""

REFUSED = [
    # impossible dates
    ("2025-02-29", '"2025-02-29" is not a date: February 2025 has 28 days'),
    ("1900-02-29", '"1900-02-29" is not a date: February 1900 has 28 days'),
    ("-0001-02-29", '"-0001-02-29" is not a date: February 2 BC has 28 days'),
    ("2025-04-31", '"2025-04-31" is not a date: April 2025 has 30 days'),
    ("30 February 2025", '"2025-02-30" is not a date: February 2025 has 28 days'),
    ("February 30 to March 2, 2025", '"2025-02-30" is not a date: February 2025 has 28 days'),
    ("2025-13", '"2025-13" is not a date: there is no month 13'),
    ("2025-42", '"2025-42" is not a date: there is no month 42'),
    ("2025-33-01", '"2025-33-01" is not a date: there is no month 33'),
    ("2025-13-XX", '"2025-13-XX" is not a date: there is no month 13'),
    ("2025-00", '"2025-00" is not a date: for an unknown month write 2025-XX'),
    ("2025-04-00", '"2025-04-00" is not a date: for an unknown day write 2025-04-XX'),
    ("-0000", '"-0000" is not a date: the year 1 BC is written 0000'),
    # impossible times
    ("2025-04-15T24:00:00", '"2025-04-15T24:00:00" is not a time: hours run from 00 to 23'),
    ("2025-04-15T10:60", '"2025-04-15T10:60" is not a time: minutes run from 00 to 59'),
    (
        "2016-12-31T23:59:60Z",
        '"2016-12-31T23:59:60Z" is not a time: seconds run from 00 to 59, without leap seconds',
    ),
    (
        "2025-04-15T10:15+14:01",
        '"2025-04-15T10:15+14:01" has no such offset: write Z for UTC, or one up to +14:00',
    ),
    (
        "2025-04-15T10:15-00:00",
        '"2025-04-15T10:15-00:00" has no such offset: write Z for UTC, or one up to +14:00',
    ),
    (
        "2025-04-15T10:15+01:60",
        '"2025-04-15T10:15+01:60" has no such offset: write Z for UTC, or one up to +14:00',
    ),
    (
        "2025-04-15T10:15~",
        '"2025-04-15T10:15~" qualifies a time: only dates take ?, ~ and %, as in 2025-04-15~',
    ),
    ("2025-02-29T10:15", '"2025-02-29" is not a date: February 2025 has 28 days'),
    # intervals
    ("2025-05-01/2025-04-01", '"2025-05-01/2025-04-01" ends before it begins'),
    ("2025-05/2025-04-30", '"2025-05/2025-04-30" ends before it begins'),
    ("2025-34/2025-33", '"2025-34/2025-33" ends before it begins'),
    ("0001/-0001", '"0001/-0001" ends before it begins'),
    ("-0043/-0044", '"-0043/-0044" ends before it begins'),
    ("Y17000/2025", '"Y17000/2025" ends before it begins'),
    ("2025-04-15T10:15/2025-04-14", '"2025-04-15T10:15/2025-04-14" ends before it begins'),
    (
        "2025-04-15T10:15/2025-04-15T10:14",
        '"2025-04-15T10:15/2025-04-15T10:14" ends before it begins',
    ),
    (
        "2025-04-15T10:15Z/2025-04-15T11:14+01:00",
        '"2025-04-15T10:15Z/2025-04-15T11:14+01:00" ends before it begins',
    ),
    (
        "2025-04-15T10:15+02:00/2025-04-15T09:30Z",
        '"2025-04-15T10:15+02:00/2025-04-15T09:30Z" runs backwards by the clock: '
        "write both times in one offset",
    ),
    ("25 to 11 March 2025", '"2025-03-25/2025-03-11" ends before it begins'),
    ("/", '"/" says nothing: write ../.. for a date that is not known'),
    ("../", '"../" says nothing: write ../.. for a date that is not known'),
    ("/..", '"/.." says nothing: write ../.. for a date that is not known'),
    ("..", f'".." is not a date: {edtf_words.HINT}'),
    ("2025//2026", f'"2025//2026" is not a date: {edtf_words.HINT}'),
    ("2025/2026/2027", f'"2025/2026/2027" is not a date: {edtf_words.HINT}'),
    # what no interval can show
    ("2025-37", '"2025-37" is a third of a year: write its months, such as 2025-01/2025-04'),
    ("2025-39", '"2025-39" is a third of a year: write its months, such as 2025-01/2025-04'),
    *(
        (
            text,
            f'"{text}" leaves out too much or too little: only a day, month, decade or century '
            "can be left out, as in 2025-04-XX or 20XX",
        )
        for text in HOLES.split()
    ),
    *(
        (
            text,
            f'"{text}" is a set of dates: write one date, or an interval such as 2025/2026',
        )
        for text in ("[2025,2026]", "{2025,2026}", "[..2025-04]", "{2025..2027}")
    ),
    ("1950S1", '"1950S1" is a millennium: write 1000/1999'),
    ("-1950S1", '"-1950S1" is a millennium: write -1999/-1000'),
    ("1950S0", '"1950S0" is not a year: of 4 digits 1 to 4 can count'),
    ("1950S5", '"1950S5" is not a year: of 4 digits 1 to 4 can count'),
    ("0950S2", '"0950S2" is not clear: write a year before 1000 as 095X or 09XX instead'),
    ("Y12345S6", '"Y12345S6" is not a year: of 5 digits 1 to 5 can count'),
    # long years
    ("Y2025", '"Y2025" is not a year: four digits take no Y, write 2025'),
    ("Y-43", '"Y-43" is not a year: four digits take no Y, write -0043'),
    ("Y17000-03", '"Y17000-03" is not a date: a year with Y stands alone, without a month'),
    ("Y1000000000000", '"Y1000000000000" is too far away: a year has at most twelve digits'),
    ("Y1E12", '"Y1E12" is too far away: a year has at most twelve digits'),
    ("Y1E999999999", '"Y1E999999999" is too far away: a year has at most twelve digits'),
    (
        "Y00012345",
        '"Y00012345" is not EDTF: a year with Y looks like Y17000, Y-17E7 or Y17000S2',
    ),
    (
        "15 March 17001 BC",
        '"Y-17000-03-15" is not a date: a year with Y stands alone, without a month',
    ),
    # qualifiers
    *(
        (
            text,
            f'"{text}" is not EDTF: write ?, ~ or % once at the end, or beside the part of a plain date that it is for',
        )
        for text in ("2025??", "2004?-06~", "?202X", "2025-?33", "20?25", "?1000S2")
    ),
    # digits that people read differently
    (
        "04/05/2025",
        '"04/05/2025" can be read as 4 May 2025 (2025-05-04) or 5 April 2025 (2025-04-05): write one of these',
    ),
    (
        "4.5.2025",
        '"4.5.2025" can be read as 4 May 2025 (2025-05-04) or 5 April 2025 (2025-04-05): write one of these',
    ),
    (
        "4-5-2025",
        '"4-5-2025" can be read as 4 May 2025 (2025-05-04) or 5 April 2025 (2025-04-05): write one of these',
    ),
    (
        "before 04/05/2025",
        '"before 04/05/2025" can be read as before 4 May 2025 (2025-05-04) or before 5 April 2025 (2025-04-05): write one of these',
    ),
    ("29/02/2025", f'"29/02/2025" is not a date in any order of day and month: {edtf_words.HINT}'),
    ("2025-4", '"2025-4" is not how a date is written here: write April 2025 (2025-04)'),
    ("20250415", '"20250415" has no hyphens: write 2025-04-15'),
    # words that say too little
    *(
        (
            text,
            f'"{text}" depends on the day it is read ("{word}"): write the date itself, such as 2025-04-15',
        )
        for text, word in (
            ("yesterday", "yesterday"),
            ("last week", "last"),
            ("Tuesday", "tuesday"),
            ("3 days ago", "ago"),
            ("next April", "next"),
        )
    ),
    *(
        (
            text,
            f'"{text}" has no year: write it too, as in "{text} 2025"',
        )
        for text in (
            "15 April",
            "April 15",
            "April 21st",
            "April",
            "spring",
            "Q1",
            "by April 21st",
            "around 21 Apr",
            "10-12 April",
            "30 March - 2 April",
            "Mon 14 Apr",
        )
    ),
    *(
        (text, f'"{text}" has no year: write it too, as in "{with_year}"')
        for text, with_year in (
            ("April 21st, 10:15", "April 21st 2025, 10:15"),
            ("21st of April, 3:30 pm CEST", "21st of April 2025, 3:30 pm CEST"),
            ("Tuesday, 14 April", "Tuesday, 14 April 2026"),
        )
    ),
    *(
        (
            text,
            f'"{text}" has a year of two digits: write all four, as in "15 April 2025"',
        )
        for text in (
            "15 April 25",
            "April 15, 25",
            "April '25",
            "20s",
            "25",
        )
    ),
    ("1900s", '"1900s" can be read as ten years (190X) or as a hundred (19XX): write one of these'),
    (
        "20th century",
        '"20th century" can begin in a year 00 or in a year 01: write its years, such as 1901/2000, or 19XX for 1900 to 1999',
    ),
    (
        "mid-April 2025",
        '"mid-April 2025" is vague ("mid"): write the days or months it stands for, such as 2025-04-11/2025-04-20',
    ),
    # not plain ASCII
    (
        "\uff12\uff10\uff12\uff15",
        "a date cannot have FULLWIDTH DIGIT TWO (U+FF12) in it: write plain letters, digits and hyphens",
    ),
    (
        "\u0662\u0660\u0662\u0665",
        "a date cannot have ARABIC-INDIC DIGIT TWO (U+0662) in it: write plain letters, digits and hyphens",
    ),
    (
        "2025\x00",
        "a date cannot have a control character (U+0000) in it: write plain letters, digits and hyphens",
    ),
    # not a date at all
    ("", f"a date is missing: {edtf_words.HINT}"),
    (" \t\n", f"a date is missing: {edtf_words.HINT}"),
    ("2" * 201, "a text of 201 characters is not a date: the limit is 200"),
    ("hello", f'"hello" is not a date: {edtf_words.HINT}'),
    ("0 BC", f'"0 BC" is not a date: {edtf_words.HINT}'),
    ("1,500 BC", f'"1,500 BC" is not a date: {edtf_words.HINT}'),
    ("2025 - 04", '"2025 - 04" is not a date: ' + edtf_words.HINT),
]


def golden_cases() -> list[tuple[str, Occurred, str]]:
    cases = []
    for line in GOLDEN.strip().splitlines():
        if line.startswith("#"):
            continue
        text, edtf, first, last, precision, year, month, words = line.split(" | ")
        expected = Occurred(
            edtf=text if edtf == "=" else edtf,
            occurred_from=None if first == "-" else first,
            occurred_to={"-": None, "=": first}.get(last, last),
            precision=precision,  # type: ignore[arg-type]
            year=None if year == "-" else int(year),
            month=None if month == "-" else month,
        )
        cases.append((text, expected, words))
    return cases


@pytest.mark.parametrize(("text", "expected", "words"), golden_cases())
def test_a_golden_case_is_read_and_said_as_the_table_has_it(
    text: str, expected: Occurred, words: str
) -> None:
    assert parse(text) == expected
    assert phrase(text) == words


@pytest.mark.parametrize(("text", "problem"), REFUSED)
def test_what_cannot_be_stored_is_refused_with_what_would_be_right(text: str, problem: str) -> None:
    with pytest.raises(InvalidValue) as refusal:
        parse(text)
    assert refusal.value.problem == problem
    assert refusal.value.value == text


def test_the_golden_cases_show_every_precision() -> None:
    assert {case.precision for _, case, _ in golden_cases()} == set(get_args(Precision))


def test_what_a_refusal_offers_instead_is_read() -> None:
    problems = [problem.split('" ', 1)[-1] for _, problem in REFUSED]
    offered = {
        text.strip('"')
        for problem in [*problems, edtf_words.HINT]
        for text in re.findall(r"(?:write|in|as|or) (\.\./\.\.|-?[0-9][-0-9X/]+[0-9X])", problem)
    } | set(re.findall(r'"([^"]*[0-9]{4})"', edtf_words.HINT))
    assert {"../..", "-1999/-1000", "-0043", "19XX", "before May 2025"} <= offered
    for text in offered:
        parse(text)


@pytest.mark.parametrize("text", [" 2025-04-15", "2025-04-15\n", "\u00a02025-04-15\t "])
def test_blanks_around_a_date_do_not_matter(text: str) -> None:
    assert parse(text) == parse("2025-04-15")


def test_a_phrase_of_what_is_no_date_is_refused_like_its_parse() -> None:
    with pytest.raises(InvalidValue, match="February 2025 has 28 days"):
        phrase("2025-02-30")


@pytest.mark.parametrize(
    ("edtf", "else_", "ongoing"),
    [
        ("1960/..", "1960 or later", "since 1960"),
        ("2025-33/..", "first quarter of 2025 or later", "since the first quarter of 2025"),
        ("2025-04-15~/..", "around 15 April 2025 or later", "since around 15 April 2025"),
        ("../1960", "by 1960", "by 1960"),
        ("2025-04-15", "15 April 2025", "15 April 2025"),
    ],
)
def test_only_what_is_ongoing_is_since_its_date(edtf: str, else_: str, ongoing: str) -> None:
    assert (phrase(edtf), phrase(edtf, ongoing=True)) == (else_, ongoing)


def test_plain_dates_and_words_never_import_the_slow_edtf_package() -> None:
    program = (
        "import sys\n"
        "from timeline.model.edtf import parse, phrase\n"
        "for text in ('2025-04-15', '2025-04/..', '2025-33', '202X', 'Q1 2025', '2025-04~'):\n"
        "    phrase(parse(text).edtf)\n"
        "unwanted = {'edtf', 'pyparsing'}\n"
        "assert not unwanted & set(sys.modules), unwanted & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


# --- whatever is canonical ----------------------------------------------------------------

edtf_like = st.text(alphabet="0123456789-XYESTZ?~%./:+[]{},. ", max_size=30)
WORDS = """
15 11th 2025 987 44 0 04/05/2025 April march Sept to and between from since before until the of at
on in BC AD first third quarter half Q1 spring (northern) (southern) 1900s 1920s around possibly
c. some day month year unknown start end 10:15 9:05 UTC +02:00 - , 2025-04 2025-02-30 ../2025
(2004-06~-11) (1950S2) Y17000 hour (decade) yesterday
"""
word_like = st.lists(st.sampled_from(WORDS.split()), max_size=9).map(" ".join)


@settings(max_examples=500, deadline=None)
@given(canonical)
def test_a_date_that_is_said_and_read_again_is_the_same_date(edtf: str) -> None:
    assert parse(edtf).edtf == edtf
    said = phrase(edtf)
    assert parse(said) == parse(edtf) == parse(phrase(edtf, ongoing=True))
    assert parse(said.upper()) == parse(said.lower()) == parse(edtf)
    assert parse(edtf.lower()) == parse(edtf)
    assert len(said) <= 200
    assert said.isprintable()


@settings(max_examples=300, deadline=None)
@given(canonical)
def test_bounds_are_in_order_and_name_the_year_and_month_they_share(edtf: str) -> None:
    occurred = parse(edtf)
    first, last = occurred.occurred_from, occurred.occurred_to
    if first is None or last is None:
        assert (occurred.precision, occurred.year, occurred.month) == ("open", None, None)
        return
    assert first <= last
    begin, end = decoded(first), decoded(last)
    assert (begin, end) == (numbers(first), numbers(last))
    assert begin[:3] <= end[:3]
    assert occurred.year == (begin[0] if begin[0] == end[0] else None)
    same_month = begin[:2] == end[:2] and 0 <= begin[0] <= 9999
    assert occurred.month == (first[:7] if same_month else None)


def decoded(bound: str) -> tuple[int, ...]:
    """Read a bound back into numbers, by the rule in the docstring of `sortable`."""
    match = re.fullmatch(r"([Y-]?)([0-9]{4}|[0-9]{12})-(..)-(..)(?:T(..):(..):(..))?", bound)
    assert match is not None
    mark, year, *rest = match.groups()
    assert len(year) == (12 if mark else 4)
    number = int(year) - 10**12 if mark == "-" else int(year)
    return (number, *(int(part) for part in rest if part is not None))


far_years = st.one_of(
    st.integers(-(10**12) + 1, 10**12 - 1),
    st.integers(-20_000, 20_000),
    st.sampled_from([-(10**12) + 1, -1, 0, 9999, 10_000, 10**12 - 1]),
)
far_days = st.tuples(far_years, st.integers(1, 12), st.integers(1, 28))


@given(far_days, far_days)
@example((9999, 12, 31), (10_000, 1, 1))
@example((-1, 12, 31), (0, 1, 1))
def test_text_sorts_as_time_does(one: tuple[int, int, int], two: tuple[int, int, int]) -> None:
    assert (sortable(*one) < sortable(*two)) == (one < two)
    assert decoded(sortable(*one)) == numbers(sortable(*one)) == one


@given(points, points)
@settings(max_examples=200, deadline=None)
def test_bounds_of_any_two_dates_sort_as_their_numbers_do(one: str, two: str) -> None:
    first, second = str(parse(one).occurred_from), str(parse(two).occurred_from)
    assert (first < second) == (decoded(first) < decoded(second))


# --- against other calendars --------------------------------------------------------------


@given(st.dates())
def test_a_day_is_its_own_bounds(day: date) -> None:
    text = day.isoformat()
    assert parse(text) == Occurred(text, text, text, "day", day.year, text[:7])


@given(st.integers(1, 9999), st.integers(1, 12))
def test_a_month_ends_where_the_calendar_ends_it(year: int, month: int) -> None:
    length = calendar.monthrange(year, month)[1]
    assert parse(f"{year:04d}-{month:02d}").occurred_to == f"{year:04d}-{month:02d}-{length}"
    with pytest.raises(InvalidValue, match=f"has {length} days"):
        parse(f"{year:04d}-{month:02d}-{length + 1}")


@given(st.integers(-9999, -1))
def test_leap_years_go_on_before_year_one_in_the_same_cycle(year: int) -> None:
    known = parse(f"{year % 400 + 400:04d}-02").occurred_to
    assert str(parse(f"{year:05d}-02").occurred_to)[-6:] == str(known)[-6:]


offsets = st.integers(-13 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
month_ends = [
    datetime(year, month, day, 12, tzinfo=UTC)
    for year, month, day in ((1600, 2, 29), (1900, 2, 28), (2023, 12, 31), (2025, 4, 15))
]
moments = st.builds(
    lambda noon, hours, minutes, offset: (
        noon.replace(tzinfo=offset) + timedelta(hours=hours, minutes=minutes)
    ),
    st.sampled_from(month_ends),
    st.integers(0, 24),
    st.integers(0, 59),
    offsets,
)


@settings(max_examples=500)
@given(moments, moments)
def test_an_interval_of_times_is_read_when_it_runs_forward_in_both_senses(
    begin: datetime, end: datetime
) -> None:
    text = f"{begin.isoformat()}/{end.isoformat()}"
    if begin > end:
        with pytest.raises(InvalidValue, match="ends before it begins"):
            parse(text)
    elif begin.replace(tzinfo=UTC) > end.replace(tzinfo=UTC):
        with pytest.raises(InvalidValue, match="runs backwards by the clock"):
            parse(text)
    else:
        assert parse(text).precision == "interval"


@given(days(), days())
def test_an_interval_is_refused_exactly_when_its_end_comes_first(one: str, two: str) -> None:
    text = f"{one}/{two}"
    if decoded(str(parse(one).occurred_from)) > decoded(str(parse(two).occurred_from)):
        with pytest.raises(InvalidValue, match="ends before it begins"):
            parse(text)
    else:
        assert parse(text).edtf == text


@settings(max_examples=150, deadline=None)
@given(
    st.one_of(
        plain,
        component_qualified,
        st.builds("{}{}".format, st.one_of(days(), months, years, unspecified), qualifiers),
        st.builds(
            "{}T{:%H:%M:%S}{}".format, days(), st.times(), st.sampled_from(["", "Z", "+02:00"])
        ),
    )
)
def test_the_edtf_package_reads_every_date_that_is_within_its_specification(edtf: str) -> None:
    assert _edtf_package()(edtf)


# --- whatever is typed --------------------------------------------------------------------


@settings(max_examples=1000, deadline=None)
@given(st.one_of(st.text(), edtf_like, word_like, canonical.map(lambda text: text[1:])))
def test_any_text_is_read_and_round_trips_or_is_refused_in_one_line(text: str) -> None:
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(printed):
        occurred = read_or_refused(text)
    if occurred is not None:
        assert parse(occurred.edtf) == occurred
        assert parse(phrase(occurred.edtf)) == occurred
    assert printed.getvalue() == ""


def read_or_refused(text: str) -> Occurred | None:
    """Read a text; None when it is refused as a refusal should be."""
    try:
        return parse(text)
    except InvalidValue as error:
        refusal = error
    assert refusal.value == text
    assert refusal.problem.isprintable()  # so it is one line
    return None


@settings(max_examples=300, deadline=None)
@given(canonical, st.integers(0, 60), st.sampled_from("0123456789-XYESTZ?~%./:+ "))
def test_one_wrong_character_never_breaks_the_reader(edtf: str, place: int, other: str) -> None:
    place %= len(edtf)
    with contextlib.suppress(InvalidValue):
        occurred = parse(edtf[:place] + other + edtf[place + 1 :])
        assert parse(phrase(occurred.edtf)) == occurred


def test_every_phrase_of_the_tables_is_read() -> None:
    """Each row's first phrase is printed; the others must lead to the same EDTF."""
    samples = {
        "year": "2025",
        "month": "04",
        "month_2": "06",
        "day": "11",
        "day_2": "25",
        "ymd": "2025-04-11",
        "hour": "10",
        "hour_2": "12",
        "clock": "10:15",
        "clock_2": "11:30",
        "zone": "+02:00",
        "season": "21",
        "season_2": "23",
        "northern": "26",
        "southern": "30",
        "quarter": "33",
        "quarter_2": "35",
        "q": "34",
        "q_2": "36",
        "half": "41",
        "h": "40",
        "tens": "192",
        "hundreds": "19",
    }
    said = {
        name: edtf_words._FIELDS[name.removesuffix("_2")].say(code)
        for name, code in samples.items()
    }
    for row in edtf_words._POINTS + edtf_words._RANGES:
        for template in row.phrases:
            assert parse(template.format(**said)).edtf == row.edtf.format(**samples), template
