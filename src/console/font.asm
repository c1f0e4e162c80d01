; font.asm: the glyphs of the framebuffer's text, from Debian's package fonts-spleen.
;
; The build unpacks the font, a PSF of version 1: a header of four bytes, then glyphs of 16 bytes, the
; first 256 of them in the order of code page 437. tests/unit holds that order against the font's own
; Unicode table.

        section .rodata

        global  font_glyphs
font_glyphs:
        incbin  "font.psf", 4, 256 * 16

        section .note.GNU-stack noalloc noexec nowrite progbits
