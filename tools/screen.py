"""Reads Hymir's screen back from an emulator, as text and as a picture.

A text screen is 4000 bytes at 0xB8000, each cell a character and an attribute. A framebuffer is a picture in which
Hymir drew 80x25 characters of its font, scaled and centred. Both yield 25 rows of text, which must equal the rows that
Hymir printed on the serial line.
"""

import struct
import zlib

COLUMNS, ROWS = 80, 25
GLYPH_WIDTH, GLYPH_HEIGHT = 8, 16

# The VGA text colours, by attribute.
PALETTE = [
    (0x00, 0x00, 0x00), (0x00, 0x00, 0xAA), (0x00, 0xAA, 0x00), (0x00, 0xAA, 0xAA),
    (0xAA, 0x00, 0x00), (0xAA, 0x00, 0xAA), (0xAA, 0x55, 0x00), (0xAA, 0xAA, 0xAA),
    (0x55, 0x55, 0x55), (0x55, 0x55, 0xFF), (0x55, 0xFF, 0x55), (0x55, 0xFF, 0xFF),
    (0xFF, 0x55, 0x55), (0xFF, 0x55, 0xFF), (0xFF, 0xFF, 0x55), (0xFF, 0xFF, 0xFF),
]


def load_font(path):
    """Returns the first 256 glyphs of a PSF 1 font of 8x16 pixels, 16 bytes each."""
    data = path.read_bytes()
    if data[:2] != b"\x36\x04" or data[3] != GLYPH_HEIGHT:
        raise ValueError(f"{path} is not a PSF 1 font of 8x16 pixels")
    return [data[4 + GLYPH_HEIGHT * i:4 + GLYPH_HEIGHT * (i + 1)] for i in range(256)]


def rows_of_memory(memory):
    """Returns the rows of a text screen, without trailing blanks."""
    text = memory[:2 * COLUMNS * ROWS:2].decode("cp437")
    return [text[COLUMNS * i:COLUMNS * (i + 1)].rstrip(" \0") for i in range(ROWS)]


def colors_of_memory(memory):
    """Returns the colour of each row's first character that is not blank; None for an empty row."""
    def color(row):
        for column in range(COLUMNS):
            character, attribute = memory[2 * (COLUMNS * row + column):][:2]
            if character not in (0, 0x20):
                return PALETTE[attribute & 0xF]
        return None
    return [color(row) for row in range(ROWS)]


class Picture:
    """A picture in memory: width, height and three bytes per pixel."""

    def __init__(self, width, height, pixels):
        self.width, self.height, self.pixels = width, height, bytearray(pixels)

    @classmethod
    def load_ppm(cls, path):
        """Reads a binary PPM, as QEMU's screendump writes it."""
        data = path.read_bytes()
        kind, width, height, maximum = data.split(maxsplit=4)[:4]
        if kind != b"P6" or maximum != b"255":
            raise ValueError(f"{path} is not an 8-bit PPM")
        size = 3 * int(width) * int(height)
        return cls(int(width), int(height), data[-size:])

    def is_lit(self, x, y):
        start = 3 * (y * self.width + x)
        return any(self.pixels[start:start + 3])

    def save_png(self, path):
        """Writes the picture as PNG."""
        lines = b"".join(b"\0" + bytes(self.pixels[3 * self.width * y:3 * self.width * (y + 1)])
                         for y in range(self.height))

        def chunk(kind, data):
            body = kind + data
            return struct.pack(">I", len(data)) + body + struct.pack(">I", zlib.crc32(body))

        header = struct.pack(">IIBBBBB", self.width, self.height, 8, 2, 0, 0, 0)
        path.write_bytes(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
                         + chunk(b"IDAT", zlib.compress(lines, 9)) + chunk(b"IEND", b""))


def place_of_text(picture):
    """Returns the pixels per dot and the position of the first character: scale, left, top."""
    scale = min(picture.width // (COLUMNS * GLYPH_WIDTH), picture.height // (ROWS * GLYPH_HEIGHT))
    return (scale, (picture.width - COLUMNS * GLYPH_WIDTH * scale) // 2,
            (picture.height - ROWS * GLYPH_HEIGHT * scale) // 2)


def colors_of_picture(picture):
    """Returns the brightest colour in each row of text; None for an empty row."""
    scale, left, top = place_of_text(picture)

    def color(row):
        found = None
        for y in range(top + row * GLYPH_HEIGHT * scale, top + (row + 1) * GLYPH_HEIGHT * scale, scale):
            for x in range(left, left + COLUMNS * GLYPH_WIDTH * scale, scale):
                start = 3 * (y * picture.width + x)
                pixel = tuple(picture.pixels[start:start + 3])
                if any(pixel) and (found is None or sum(pixel) > sum(found)):
                    found = pixel
        return found
    return [color(row) for row in range(ROWS)]


def rows_of_picture(picture, font):
    """Returns the rows of text on a framebuffer; a cell that matches no glyph of the font is '?'."""
    scale, left, top = place_of_text(picture)
    characters = {}
    for code in range(0x7E, 0x1F, -1):
        characters[bytes(font[code])] = chr(code)

    def character(row, column):
        glyph = bytearray()
        for y in range(GLYPH_HEIGHT):
            bits = 0
            for x in range(GLYPH_WIDTH):
                lit = picture.is_lit(left + (column * GLYPH_WIDTH + x) * scale + scale // 2,
                                     top + (row * GLYPH_HEIGHT + y) * scale + scale // 2)
                bits = bits << 1 | lit
            glyph.append(bits)
        return characters.get(bytes(glyph), "?")

    return ["".join(character(row, column) for column in range(COLUMNS)).rstrip()
            for row in range(ROWS)]


def picture_of_memory(memory, font):
    """Draws a text screen with the font, in the VGA colours."""
    width, height = COLUMNS * GLYPH_WIDTH, ROWS * GLYPH_HEIGHT
    picture = Picture(width, height, bytes(3 * width * height))
    for cell in range(COLUMNS * ROWS):
        glyph, attribute = font[memory[2 * cell]], memory[2 * cell + 1]
        row, column = divmod(cell, COLUMNS)
        for y in range(GLYPH_HEIGHT):
            for x in range(GLYPH_WIDTH):
                lit = glyph[y] & 0x80 >> x
                color = PALETTE[attribute & 0xF if lit else attribute >> 4 & 7]
                start = 3 * ((row * GLYPH_HEIGHT + y) * width + column * GLYPH_WIDTH + x)
                picture.pixels[start:start + 3] = bytes(color)
    return picture
