# SPDX-License-Identifier: Apache-2.0
"""Frames of serial devices, made from values. Pure: no ports, no clocks. Written from the makers' documents, not from the
gateway's drivers, so that the two check each other."""
import struct


# ---- Modbus -------------------------------------------------------------------------------------
def crc16(data):
    crc = 0xFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return crc


WORDS = {"uint16": 1, "int16": 1, "bcd16": 1, "uint32": 2, "int32": 2, "float32": 2, "bcd32": 2, "uint64": 4, "int64": 4, "float64": 4, "uint32_milli": 4}
CODES = {"uint16": ">H", "int16": ">h", "uint32": ">I", "int32": ">i", "float32": ">f", "uint64": ">Q", "int64": ">q", "float64": ">d"}


def registers(kind, order, value):
    """The 16-bit registers that hold a raw value. order: abcd, cdab, badc or dcba (and abcdefgh … for 64 bits)."""
    if kind == "uint32_milli":  # whole units, then thousandths, each a number of its own
        whole, thousandths = divmod(round(value), 1000)
        return registers("uint32", order, whole) + registers("uint32", order, thousandths)
    if kind.startswith("bcd"):
        data = bytes.fromhex(f"{round(value):0{WORDS[kind] * 4}d}")
    elif kind.startswith("float"):
        data = struct.pack(CODES[kind], value)
    else:
        data = struct.pack(CODES[kind], round(value))
    if len(data) > 2:
        swap_words, swap_bytes = order[:4] in ("cdab", "dcba") or order.startswith(("ghef", "hgfe")), order.startswith(("ba", "dc", "hg"))
        words = [data[i:i + 2] for i in range(0, len(data), 2)]
        if swap_words:
            words.reverse()
        if swap_bytes:
            words = [w[::-1] for w in words]
        data = b"".join(words)
    return list(struct.unpack(f">{len(data) // 2}H", data))


# ---- a wire with two baud rates ----
def resample(data, sent, heard):
    """The bytes that a UART reads at `heard` baud of bytes that are sent at `sent` baud without pauses, 8N1. It begins with a falling
    edge, looks at the middle of each bit, and takes a byte whose stop bit is wrong as well (as Linux does without INPCK); then it
    waits until the line is idle."""
    bits = [bit for byte in data for bit in (0, *(byte >> i & 1 for i in range(8)), 1)]
    one, step, end = 2 * heard, 2 * sent, 2 * heard * len(bits)  # how long bits last: sent, heard, and all; whole numbers

    def level(time):
        return bits[time // one] if time < end else 1

    def wait_for(wanted, time):
        while time < end and level(time) != wanted:
            time = (time // one + 1) * one
        return time

    out, time = bytearray(), wait_for(0, 0)
    while time < end:
        middle = time + step // 2
        out.append(sum(level(middle + step * (i + 1)) << i for i in range(8)))
        time = wait_for(0, wait_for(1, middle + step * 9))
    return bytes(out)


# ---- particles ----------------------------------------------------------------------------------
def pms(values, length=28, error=0):
    """PMS5003 and PMS7003 (length 28), PMS3003 (20). values: pm1, pm2_5, pm10 in µg/m³; if they shall differ, those with _cf1 too;
    count_0_3 … count_10 in 1/dL, else made from pm2_5."""
    names = ("pm1", "pm2_5", "pm10")
    atmosphere = [round(values.get(name, 0)) for name in names]
    words = [round(values.get(name + "_cf1", values.get(name, 0))) for name in names] + atmosphere
    if length == 28:
        factors = {"0_3": 150, "0_5": 45, "1": 8, "2_5": 1, "5": 0.3, "10": 0.1}
        counts = [round(values.get("count_" + size, values.get("pm2_5", 0) * factor)) for size, factor in factors.items()]
        words += counts + [0x9700 | error]
    else:
        words += [0, 0, 0]
    frame = b"\x42\x4d" + struct.pack(">H", length) + struct.pack(f">{len(words)}H", *words)
    return frame + struct.pack(">H", sum(frame) & 0xFFFF)


def sds011(values, identity=0xA160):
    body = struct.pack("<HHH", round(values.get("pm2_5", 0) * 10), round(values.get("pm10", 0) * 10), 0)[:4] + struct.pack(">H", identity)
    return b"\xaa\xc0" + body + bytes([sum(body) & 0xFF]) + b"\xab"


def shdlc(address, command, state, data):
    """An answer of a Sensirion device, stuffed."""
    body = bytes([address, command, state, len(data)]) + data
    body += bytes([~sum(body) & 0xFF])
    for byte, code in ((0x7D, 0x5D), (0x7E, 0x5E), (0x11, 0x31), (0x13, 0x33)):
        body = body.replace(bytes([byte]), bytes([0x7D, code]))
    return b"\x7e" + body + b"\x7e"


def unstuff(frame):
    out, escaped = bytearray(), False
    for byte in frame.strip(b"\x7e"):
        if escaped:
            out.append(byte ^ 0x20)
        elif byte != 0x7D:
            out.append(byte)
        escaped = byte == 0x7D and not escaped
    return bytes(out)


def sps30_data(values):
    """pm1 … pm10 in µg/m³; number_0_5 … number_10 in 1/cm³, else made from pm2_5; typical_size in µm."""
    mass = [values.get(name, 0) for name in ("pm1", "pm2_5", "pm4", "pm10")]
    factors = {"0_5": 5.2, "1": 6.1, "2_5": 6.3, "4": 6.35, "10": 6.36}
    numbers = [values.get("number_" + size, mass[1] * factor) for size, factor in factors.items()]
    return struct.pack(">10f", *mass, *numbers, values.get("typical_size", 0.62))


# ---- distance -----------------------------------------------------------------------------------
def a02yyuw(values):
    head = b"\xff" + struct.pack(">H", round(values["distance"]))
    return head + bytes([sum(head) & 0xFF])


def maxbotix(values):
    return b"R%04d\r" % round(values["distance"])


def maxbotix_usb(values):
    return b"R%04d \r" % round(values["distance"])


def maxbotix_lv(values):
    return b"R%03d\r" % round(values["distance"] / 25.4)  # inches


def maxbotix_xl(values):
    return b"R%03d\r" % round(values["distance"] / 10)  # centimetres


# ---- weights ------------------------------------------------------------------------------------
def toledo(weight, stable, tare=0, net=False):
    value = round(weight - tare if net else weight)
    swb = 0x30 | (1 if net else 0) | (2 if value < 0 else 0) | (0 if stable else 8)
    body = b"\x02" + bytes([0x32, swb, 0x20]) + b"%06d" % abs(value) + b"%06d" % round(tare) + b"\r"
    return body + bytes([-sum(body) & 0x7F])


def st_gs(weight, stable, **_):
    return b"%s,GS,%s%07dkg\r\n" % (b"ST" if stable else b"US", b"+" if weight >= 0 else b"-", abs(round(weight)))


def yaohua_a9(weight, _stable, **_kw):
    body = (b"+" if weight >= 0 else b"-") + b"%06d" % abs(round(weight)) + b"0"
    check = 0
    for byte in body:
        check ^= byte
    return b"\x02" + body + b"%02X" % check + b"\x03"


def mt_sics(weight, stable, **_):
    return b"S %s %10.1f kg\r\n" % (b"S" if stable else b"D", weight)


def aandd(weight, stable, **_):
    return b"%s,%s%09.1f kg\r\n" % (b"ST" if stable else b"US", b"+" if weight >= 0 else b"-", abs(weight))


def cas_22(weight, stable, **_):
    return b"%s,GS,\x01%c,%8d kg\r\n" % (b"ST" if stable else b"US", 0x40 if stable else 0, round(weight))


def yaohua_equals(weight, _stable, **_kw):
    return b"=" + (b"%08.1f" % weight)[::-1]


def a12e(weight, _stable, **_kw):
    return b"ww%08.2fkg\r\n" % weight


def rinstrum_a(weight, stable, **_):
    return b"\x02%s%7d%s\x03" % (b" " if weight >= 0 else b"-", abs(round(weight)), b"G" if stable else b"M")


WEIGHTS = {"toledo": toledo, "st-gs": st_gs, "yaohua-a9": yaohua_a9, "mt-sics": mt_sics, "and": aandd, "cas-22": cas_22,
           "yaohua-equals": yaohua_equals, "a12e": a12e, "rinstrum-a": rinstrum_a}


# ---- SDI-12 -------------------------------------------------------------------------------------
def sdi12_crc(text):
    crc = 0
    for byte in text:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ 0xA001 if crc & 1 else crc >> 1
    return bytes([0x40 | crc >> 12, 0x40 | crc >> 6 & 0x3F, 0x40 | crc & 0x3F])


def sdi12_values(address, values, checked):
    text = address.encode() + b"".join(b"%+.4g" % value for value in values)
    return text + (sdi12_crc(text) if checked else b"") + b"\r\n"
