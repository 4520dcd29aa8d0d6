#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Prints powers_of_ten.c: python3 powers_of_ten.py >powers_of_ten.c"""

FIRST, LAST = -342, 324


def significand(exponent):
    """The first 128 bits of 10**exponent, the rest cut off."""
    if exponent >= 0:
        power = 10**exponent
        shift = 128 - power.bit_length()
        return power << shift if shift >= 0 else power >> -shift
    divisor = 10**-exponent
    bits = divisor.bit_length() + 127
    quotient = (1 << bits) // divisor
    return quotient if quotient.bit_length() == 128 else (1 << bits + 1) // divisor


def main():
    entries = []
    for exponent in range(FIRST, LAST + 1):
        bits = significand(exponent)
        # nearest.c and shortest.h add one
        assert bits.bit_length() == 128 and bits & 2**64 - 1 < 2**64 - 1 and bits >> 64 < 2**64 - 1
        entries.append("{0x%016x, 0x%016x}," % (bits >> 64, bits & 2**64 - 1))
    print("/* SPDX-License-Identifier: Apache-2.0 */")
    print("/* Made by powers_of_ten.py. */")
    print('#include "config.h"\n')
    print('#include "powers_of_ten.h"\n')
    print("const plug_power plug_powers[PLUG_POWER_LAST - PLUG_POWER_FIRST + 1] = {")
    for i in range(0, len(entries), 2):
        print("    " + " ".join(entries[i:i + 2]))
    print("};")


if __name__ == "__main__":
    main()
