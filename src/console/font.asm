; font.asm: the glyphs for framebuffer text, from Debian's package fonts-spleen.
;
; The build unpacks the font, a PSF version 1 file: a 4-byte header, then 16-byte glyphs, the first 256 in
; the order of code page 437. tests/unit checks that order with the font's Unicode table.

        section .rodata

        global  font_glyphs
font_glyphs:
        incbin  "font.psf", 4, 256 * 16

        section .note.GNU-stack noalloc noexec nowrite progbits
